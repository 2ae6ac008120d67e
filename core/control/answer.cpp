#include <algorithm>
#include <array>

#include "core/base/assert.h"
#include "core/control/intercept_json.h"

namespace causeway::control {
namespace {

constexpr std::array<std::pair<ErrorCode, std::string_view>, 10> kKinds{{
    {ErrorCode::kInvalid, "invalid"},
    {ErrorCode::kPermission, "permission"},
    {ErrorCode::kNotFound, "not_found"},
    {ErrorCode::kUnavailable, "unavailable"},
    {ErrorCode::kRefused, "refused"},
    {ErrorCode::kTimedOut, "timed_out"},
    {ErrorCode::kProtocol, "protocol"},
    {ErrorCode::kConflict, "conflict"},
    {ErrorCode::kLimit, "limit"},
    {ErrorCode::kSystem, "system"},
}};

constexpr std::array<std::pair<UpOutcome, std::string_view>, 3> kOutcomes{{
    {UpOutcome::kUp, "up"},
    {UpOutcome::kJoined, "joined"},
    {UpOutcome::kAlreadyUp, "already-up"},
}};

constexpr std::array<std::string_view, 5> kStates{"down", "coming-up", "up", "reconnecting", "going-down"};

constexpr std::size_t kMaxListed = 43;  // the longest prefix
constexpr std::size_t kMaxIntercept = 80, kMaxIntercepts = 8;
constexpr std::size_t kMaxUndone = 120;
constexpr std::size_t kMaxStatusText = 512;

struct Encoder {
  Json operator()(const StepAnswer& step) const {
    return {{"answer", "step"},
            {"name", presentable(step.name, 64)},
            {"took_us", microseconds(step.took)},
            {"detail", presentable(step.detail, kMaxText)}};
  }

  Json operator()(const TunnelAnswer& tunnel) const {
    Json object{{"answer", "tunnel"},
                {"profile", tunnel.profile},
                {"state", tunnel.state},
                {"owner", presentable(tunnel.owner, 64)},
                {"device", presentable(tunnel.device, 64)},
                {"gateway", presentable(tunnel.gateway, 320)},
                {"gateway_key", presentable(tunnel.gateway_key, 64)},
                {"own_key", presentable(tunnel.own_key, 64)},
                {"last_error", presentable(tunnel.last_error, kMaxStatusText)},
                {"icmp", presentable(tunnel.icmp, kMaxStatusText)},
                {"resolver", presentable(tunnel.resolver, kMaxStatusText)},
                {"cipher", presentable(tunnel.cipher, kMaxStatusText)},
                {"up_for_s", seconds(tunnel.up_for)},
                {"routes", cut_list(tunnel.routes, kMaxListed)},
                {"addresses", cut_list(tunnel.addresses, kMaxListed)},
                {"dns_servers", cut_list(tunnel.dns_servers, kMaxListed)},
                {"skipped_routes", cut_list(tunnel.skipped_routes, kMaxListed)},
                {"intercepts", cut_list(tunnel.intercepts, kMaxIntercept, kMaxIntercepts)}};
    if (tunnel.round_trip) object["round_trip_us"] = microseconds(*tunnel.round_trip);
    Json& counters = object["counters"] = Json::array();
    for (const auto& [name, value] : tunnel.counters) {
      if (counters.size() < kMaxList) counters.push_back({presentable(name, 40), value});
    }
    return object;
  }

  Json operator()(const VersionAnswer& version) const {
    return {{"answer", "version"}, {"program", "tund"}, {"version", presentable(version.version, 64)}};
  }

  Json operator()(const UpAnswer& up) const {
    auto outcome =
        std::find_if(kOutcomes.begin(), kOutcomes.end(), [&](const auto& each) { return each.first == up.outcome; });
    Json object{
        {"answer", "up"}, {"profile", up.profile}, {"outcome", outcome->second}, {"took_us", microseconds(up.took)}};
    if (!up.owner.empty()) object["owner"] = presentable(up.owner, 64);
    if (!up.note.empty()) object["note"] = presentable(up.note, kMaxText);
    return object;
  }

  Json operator()(const DownAnswer& down) const {
    Json object{{"answer", "down"}, {"was_up", down.was_up}, {"lines", cut_list(down.lines, kMaxUndone)}};
    if (!down.profile.empty()) object["profile"] = down.profile;
    return object;
  }

  Json operator()(const StatusAnswer&) const { return {{"answer", "status"}}; }
  // Of services and intercepts: intercept_answer.cpp.
  template <class Answer>
  Json operator()(const Answer& answer) const {
    return to_json(answer);
  }

  Json operator()(const ErrorAnswer& error) const {
    Json object{
        {"answer", "error"}, {"kind", kind_name(error.kind)}, {"message", presentable(error.message, kMaxText)}};
    if (!error.step.empty()) object["step"] = presentable(error.step, 64);
    if (!error.advice.empty()) object["advice"] = presentable(error.advice, kMaxText);
    return object;
  }
};

StepAnswer read_step(Reader& reader) {
  return {reader.text("name", 64), *reader.microseconds("took_us"), reader.text("detail", kMaxText)};
}

TunnelAnswer read_tunnel(Reader& reader) {
  TunnelAnswer tunnel;
  tunnel.profile = reader.profile();
  tunnel.state = reader.text("state", 64);
  if (std::find(kStates.begin(), kStates.end(), tunnel.state) == kStates.end()) reader.wrong("unknown state");
  tunnel.owner = reader.text("owner", kMaxText);
  tunnel.device = reader.text("device", kMaxText);
  tunnel.gateway = reader.text("gateway", kMaxText);
  tunnel.gateway_key = reader.text("gateway_key", kMaxText);
  tunnel.own_key = reader.text("own_key", kMaxText);
  tunnel.last_error = reader.text("last_error", kMaxText);
  tunnel.icmp = reader.text("icmp", kMaxText);
  tunnel.resolver = reader.text("resolver", kMaxText);
  tunnel.cipher = reader.text("cipher", kMaxText);
  tunnel.round_trip = reader.microseconds("round_trip_us", false);
  tunnel.up_for = *reader.seconds("up_for_s");
  tunnel.routes = reader.texts("routes");
  tunnel.addresses = reader.texts("addresses");
  tunnel.dns_servers = reader.texts("dns_servers");
  tunnel.skipped_routes = reader.texts("skipped_routes");
  tunnel.intercepts = reader.texts("intercepts");
  tunnel.counters = reader.counters("counters");
  return tunnel;
}

VersionAnswer read_version(Reader& reader) {
  if (reader.text("program", 64) != "tund") reader.wrong("not tund");
  return {reader.text("version", 64)};
}

UpAnswer read_up(Reader& reader) {
  UpAnswer up;
  up.profile = reader.profile();
  std::string word = reader.text("outcome", 64);
  auto outcome =
      std::find_if(kOutcomes.begin(), kOutcomes.end(), [&](const auto& each) { return each.second == word; });
  if (outcome == kOutcomes.end()) {
    reader.wrong("unknown outcome");
  } else {
    up.outcome = outcome->first;
  }
  up.took = *reader.microseconds("took_us");
  up.note = reader.text("note", kMaxText, false);
  up.owner = reader.text("owner", kMaxText, false);
  return up;
}

DownAnswer read_down(Reader& reader) { return {reader.profile(false), reader.flag("was_up"), reader.texts("lines")}; }

ErrorAnswer read_error(Reader& reader) {
  ErrorAnswer error;
  std::string word = reader.text("kind", 64);
  auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& each) { return each.second == word; });
  if (kind == kKinds.end()) {
    reader.wrong("unknown kind of error");
  } else {
    error.kind = kind->first;
  }
  error.step = reader.text("step", 64, false);
  error.message = reader.text("message", kMaxText);
  error.advice = reader.text("advice", kMaxText, false);
  return error;
}

}  // namespace

Result<Answer> parse_answer(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return tl::make_unexpected(object.error());
  Reader reader(*object);
  std::string kind = reader.text("answer", 64);
  Answer answer;
  if (kind == "step") {
    answer = read_step(reader);
  } else if (kind == "tunnel") {
    answer = read_tunnel(reader);
  } else if (kind == "version") {
    answer = read_version(reader);
  } else if (kind == "up") {
    answer = read_up(reader);
  } else if (kind == "down") {
    answer = read_down(reader);
  } else if (kind == "status") {
    answer = StatusAnswer{};
  } else if (kind == "error") {
    answer = read_error(reader);
  } else if (auto read = read_intercept_answer(kind, reader)) {
    answer = std::move(*read);
  } else {
    reader.wrong("unknown answer '" + kind + "'");
  }
  auto fine = reader.finish();
  if (!fine) return tl::make_unexpected(fine.error());
  return answer;
}

std::string encode(const Answer& answer) {
  std::string line = to_line(std::visit(Encoder{}, answer));
  CAUSEWAY_ASSERT(line.size() <= kMaxLine);
  return line;
}

bool is_final(const Answer& answer) {
  return !std::holds_alternative<StepAnswer>(answer) && !std::holds_alternative<TunnelAnswer>(answer) &&
         !std::holds_alternative<ServiceAnswer>(answer) && !std::holds_alternative<InterceptedAnswer>(answer) &&
         !std::holds_alternative<VariableAnswer>(answer);
}

std::string_view kind_name(ErrorCode kind) {
  return std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& each) { return each.first == kind; })->second;
}

ErrorAnswer error_answer(const Error& error, std::string step) {
  return {error.code, std::move(step), error.message, error.advice};
}

}  // namespace causeway::control

#include <algorithm>
#include <array>

#include "core/base/utf8.h"
#include "core/control/intercept_json.h"

namespace causeway::control {
namespace {

constexpr std::size_t kMaxEndpoint = 64, kMaxHost = 320, kMaxOwner = 64;
constexpr std::size_t kMaxListen = 16;
constexpr std::array<std::string_view, 3> kHere{"asking", "ready", "waiting"};
constexpr std::array<std::string_view, 4> kAtGateway{"proving", "active", "silent", "away"};
constexpr std::array<std::string_view, 3> kOutcomes{"ready", "already", "left"};

template <std::size_t N>
std::string read_word(Reader& reader, const char* name, const std::array<std::string_view, N>& known) {
  std::string word = reader.text(name, 64);
  if (std::find(known.begin(), known.end(), word) == known.end()) reader.wrong(std::string("unknown ") + name);
  return word;
}

Json to_json(const InterceptedAnswer::Here& here) {
  Json object{{"id", here.id},
              {"local", presentable(here.local, kMaxEndpoint)},
              {"state", here.state},
              {"tied", here.tied},
              {"connections", here.connections},
              {"failures", here.failures},
              {"last_error", presentable(here.last_error, kMaxText)},
              {"owner", presentable(here.owner, kMaxOwner)}};
  if (here.round_trip) object["round_trip_us"] = microseconds(*here.round_trip);
  if (here.last_answer) object["last_answer_s"] = seconds(*here.last_answer);
  return object;
}

Json to_json(const InterceptedAnswer::AtGateway& there) {
  Json object{{"owner", presentable(there.owner, kMaxOwner)},
              {"own", there.own},
              {"state", there.state},
              {"age_s", seconds(there.age)},
              {"requests", there.requests},
              {"failures", there.failures},
              {"last_error", presentable(there.last_error, kMaxText)}};
  if (there.last_answer) object["last_answer_s"] = seconds(*there.last_answer);
  if (there.lease_left) object["lease_left_s"] = seconds(*there.lease_left);
  return object;
}

InterceptedAnswer::Here read_here(Reader& reader) {
  InterceptedAnswer::Here here;
  here.id = reader.number("id");
  here.local = reader.text("local", kMaxEndpoint);
  here.state = read_word(reader, "state", kHere);
  here.tied = reader.flag("tied");
  here.connections = reader.number("connections");
  here.failures = reader.number("failures");
  here.last_error = reader.text("last_error", kMaxText);
  here.round_trip = reader.microseconds("round_trip_us", false);
  here.last_answer = reader.seconds("last_answer_s", false);
  here.owner = reader.text("owner", kMaxOwner);
  return here;
}

InterceptedAnswer::AtGateway read_at_gateway(Reader& reader) {
  InterceptedAnswer::AtGateway there;
  there.owner = reader.text("owner", kMaxOwner);
  there.own = reader.flag("own");
  there.state = read_word(reader, "state", kAtGateway);
  there.age = *reader.seconds("age_s");
  there.requests = reader.number("requests");
  there.failures = reader.number("failures");
  there.last_error = reader.text("last_error", kMaxText);
  there.last_answer = reader.seconds("last_answer_s", false);
  there.lease_left = reader.seconds("lease_left_s", false);
  return there;
}

ServiceAnswer read_service(Reader& reader) {
  ServiceAnswer service;
  service.profile = reader.profile();
  service.name = reader.text("name", kMaxText);
  service.protocol = read_word(reader, "protocol", std::array<std::string_view, 2>{"tcp", "http"});
  service.listen = reader.texts("listen");
  service.original = reader.text("original", kMaxText);
  service.local_down = read_word(reader, "local_down", std::array<std::string_view, 2>{"original", "refuse"});
  service.connections = reader.number("connections");
  service.more_intercepts = reader.number("more_intercepts");
  return service;
}

InterceptedAnswer read_intercepted(Reader& reader) {
  InterceptedAnswer out;
  out.profile = reader.profile();
  out.service = reader.text("service", kMaxText);
  out.headers = reader.headers("headers");
  out.path_prefix = reader.text("path_prefix", kMaxPathPrefix);
  out.here = reader.inner("here", read_here);
  out.at_gateway = reader.inner("at_gateway", read_at_gateway);
  return out;
}

VariableAnswer read_variable(Reader& reader) {
  VariableAnswer out{reader.text("name", environment::kMaxName), reader.text("value", kMaxValuePiece),
                     reader.has("more") && reader.flag("more")};
  if (!environment::is_name(out.name) || !environment::is_value(out.value)) reader.wrong("this is no variable");
  return out;
}

InterceptAnswer read_intercept(Reader& reader) {
  InterceptAnswer out;
  out.profile = reader.profile();
  out.service = reader.text("service", kMaxText);
  out.id = reader.number("id");
  out.outcome = read_word(reader, "outcome", kOutcomes);
  out.took = *reader.microseconds("took_us");
  return out;
}

}  // namespace

Json to_json(const ServiceAnswer& service) {
  return {{"answer", "service"},
          {"profile", service.profile},
          {"name", presentable(service.name, kMaxText)},
          {"protocol", service.protocol},
          {"listen", cut_list(service.listen, kMaxEndpoint, kMaxListen)},
          {"original", presentable(service.original, kMaxHost)},
          {"local_down", service.local_down},
          {"connections", service.connections},
          {"more_intercepts", service.more_intercepts}};
}

Json to_json(const InterceptedAnswer& intercept) {
  Json object{{"answer", "intercepted"},
              {"profile", intercept.profile},
              {"service", presentable(intercept.service, kMaxText)},
              {"headers", presentable(intercept.headers)},
              {"path_prefix", presentable(intercept.path_prefix, kMaxPathPrefix)}};
  if (intercept.here) object["here"] = to_json(*intercept.here);
  if (intercept.at_gateway) object["at_gateway"] = to_json(*intercept.at_gateway);
  return object;
}

Json to_json(const VariableAnswer& variable) {
  Json object{{"answer", "variable"}, {"name", variable.name}, {"value", variable.value}};
  if (variable.more) object["more"] = true;
  return object;
}

Json to_json(const InterceptAnswer& answer) {
  return {{"answer", "intercept"}, {"profile", answer.profile}, {"service", presentable(answer.service, kMaxText)},
          {"id", answer.id},       {"outcome", answer.outcome}, {"took_us", microseconds(answer.took)}};
}

Json to_json(const LeaveAnswer& answer) {
  return {{"answer", "leave"},
          {"profile", answer.profile},
          {"service", presentable(answer.service, kMaxText)},
          {"count", answer.count}};
}

Json to_json(const ListAnswer& answer) {
  Json object{{"answer", "list"}};
  if (!answer.note.empty()) object["note"] = presentable(answer.note, kMaxText);
  return object;
}

Json to_json(const EnvironmentAnswer& answer) {
  return {{"answer", "environment"}, {"profile", answer.profile}, {"service", presentable(answer.service, kMaxText)}};
}

std::optional<Answer> read_intercept_answer(const std::string& kind, Reader& reader) {
  if (kind == "service") return read_service(reader);
  if (kind == "intercepted") return read_intercepted(reader);
  if (kind == "variable") return read_variable(reader);
  if (kind == "intercept") return read_intercept(reader);
  if (kind == "list") return ListAnswer{reader.text("note", kMaxText, false)};
  if (kind != "leave" && kind != "environment") return std::nullopt;
  std::string profile = reader.profile(), service = reader.text("service", kMaxText);
  if (kind == "environment") return EnvironmentAnswer{profile, service};
  return LeaveAnswer{profile, service, reader.number("count")};
}

std::vector<VariableAnswer> variable_answers(const environment::Variables& variables) {
  std::vector<VariableAnswer> out;
  for (const auto& [name, value] : variables) {
    std::string_view rest = value;
    do {
      std::size_t size = 0;
      while (size < rest.size()) {
        std::size_t next = size + std::max<std::size_t>(utf8_size(rest.substr(size)), 1);
        if (next > kMaxValuePiece) break;
        size = next;
      }
      out.push_back({name, std::string(rest.substr(0, size)), size < rest.size()});
      rest.remove_prefix(size);
    } while (!rest.empty());
  }
  return out;
}

bool VariableCollector::take(const VariableAnswer& answer) {
  if (!more_) {
    variables.emplace_back(answer.name, answer.value);
  } else if (variables.back().first == answer.name) {
    variables.back().second += answer.value;
  } else {
    return false;
  }
  more_ = answer.more;
  return environment::is_value(variables.back().second) && variables.size() <= environment::kMaxVariables;
}

}  // namespace causeway::control

#include "core/control/intercept_json.h"

namespace causeway::control {
namespace {

UpRequest read_up(Reader& reader) {
  UpRequest up;
  up.profile = reader.profile(false);
  if (!reader.has("toml")) return up;
  if (up.profile.empty()) reader.wrong("a profile that is sent needs a name in 'profile'");
  up.contents = ProfileContents{reader.text("toml", kMaxToml), reader.text("source", kMaxSource),
                                reader.text("key", kMaxKey), reader.text("psk", kMaxKey, false)};
  return up;
}

struct Encoder {
  Json operator()(const VersionRequest&) const { return {{"request", "version"}}; }

  Json operator()(const UpRequest& up) const {
    Json object = named("up", up.profile);
    if (!up.contents) return object;
    object["toml"] = up.contents->toml;
    object["source"] = up.contents->source;
    object["key"] = up.contents->key;
    if (!up.contents->psk.empty()) object["psk"] = up.contents->psk;
    return object;
  }

  Json operator()(const DownRequest& down) const { return named("down", down.profile); }
  Json operator()(const StatusRequest& status) const { return named("status", status.profile); }
  // Of intercepts: intercept_request.cpp.
  template <class Request>
  Json operator()(const Request& request) const {
    return to_json(request);
  }

  static Json named(const char* request, const std::string& profile) {
    Json object{{"request", request}};
    if (!profile.empty()) object["profile"] = profile;
    return object;
  }
};

}  // namespace

Result<Request> parse_request(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return tl::make_unexpected(object.error());
  Reader reader(*object);
  std::string kind = reader.text("request", 64);
  Request request;
  if (kind == "version") {
    request = VersionRequest{};
  } else if (kind == "up") {
    request = read_up(reader);
  } else if (kind == "down") {
    request = DownRequest{reader.profile(false)};
  } else if (kind == "status") {
    request = StatusRequest{reader.profile(false)};
  } else if (auto read = read_intercept_request(kind, reader)) {
    request = std::move(*read);
  } else {
    reader.wrong("unknown request '" + kind +
                 "': version, up, down, status, intercept, leave, list and environment are known");
  }
  auto fine = reader.finish();
  if (!fine) return tl::make_unexpected(fine.error());
  return request;
}

std::string encode(const Request& request) { return to_line(std::visit(Encoder{}, request)); }

std::string_view privilege(const Request& request) {
  if (std::holds_alternative<UpRequest>(request) || std::holds_alternative<DownRequest>(request)) {
    return "bring tunnels up or down";
  }
  if (std::holds_alternative<InterceptRequest>(request) || std::holds_alternative<LeaveRequest>(request)) {
    return "begin or end intercepts";
  }
  return std::holds_alternative<EnvironmentRequest>(request) ? "see the environment of services" : "";
}

bool is_profile_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxProfileName &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

}  // namespace causeway::control

#include "core/control/intercept_json.h"
#include "core/flow/service_name.h"
#include "core/intercept/match.h"

namespace causeway::control {
namespace {

constexpr std::size_t kMaxAddress = 64;

Json named(const char* kind, const std::string& profile) {
  Json object{{"request", kind}};
  if (!profile.empty()) object["profile"] = profile;
  return object;
}

Json named(const char* kind, const std::string& profile, const std::string& service) {
  Json object = named(kind, profile);
  object["service"] = service;
  return object;
}

void put_match(Json& object, const Headers& headers, const std::string& path_prefix) {
  if (!headers.empty()) object["headers"] = Json(headers);
  if (!path_prefix.empty()) object["path_prefix"] = path_prefix;
}

std::string read_service(Reader& reader) {
  std::string name = reader.text("service", flow::kMaxServiceName);
  if (!flow::is_service_name(name)) reader.wrong("a service's name has letters, digits, '-', '_' and '.'");
  return name;
}

// Refused here where no request could ever meet them.
void check_match(Reader& reader, const Headers& headers, const std::string& path_prefix) {
  std::vector<intercept::HeaderCondition> conditions;
  for (const auto& [name, value] : headers) conditions.push_back({name, value});
  auto match = intercept::Match::create(std::move(conditions), path_prefix);
  if (!match) reader.wrong(match.error().message);
}

InterceptRequest read_intercept(Reader& reader) {
  InterceptRequest request;
  request.profile = reader.profile(false);
  request.service = read_service(reader);
  request.headers = reader.headers("headers", false);
  request.path_prefix = reader.text("path_prefix", kMaxPathPrefix, false);
  check_match(reader, request.headers, request.path_prefix);
  if (reader.has("address")) request.address = reader.text("address", kMaxAddress);
  std::uint64_t port = reader.number("port", false);
  if (port > 65535) reader.wrong("a port is at most 65535");
  request.port = std::uint16_t(port);
  request.tied = reader.has("tied") && reader.flag("tied");
  return request;
}

LeaveRequest read_leave(Reader& reader) {
  LeaveRequest request;
  request.profile = reader.profile(false);
  request.service = read_service(reader);
  request.headers = reader.headers("headers", false);
  request.path_prefix = reader.text("path_prefix", kMaxPathPrefix, false);
  check_match(reader, request.headers, request.path_prefix);
  request.id = reader.number("id", false);
  return request;
}

}  // namespace

Json to_json(const InterceptRequest& request) {
  Json object = named("intercept", request.profile, request.service);
  put_match(object, request.headers, request.path_prefix);
  object["address"] = request.address;
  if (request.port) object["port"] = request.port;
  if (request.tied) object["tied"] = true;
  return object;
}

Json to_json(const LeaveRequest& request) {
  Json object = named("leave", request.profile, request.service);
  put_match(object, request.headers, request.path_prefix);
  if (request.id) object["id"] = request.id;
  return object;
}

Json to_json(const ListRequest& request) { return named("list", request.profile); }
Json to_json(const EnvironmentRequest& request) { return named("environment", request.profile, request.service); }

std::optional<Request> read_intercept_request(const std::string& kind, Reader& reader) {
  if (kind == "intercept") return read_intercept(reader);
  if (kind == "leave") return read_leave(reader);
  if (kind == "list") return ListRequest{reader.profile(false)};
  if (kind != "environment") return std::nullopt;
  std::string profile = reader.profile(false);
  return EnvironmentRequest{profile, read_service(reader)};
}

}  // namespace causeway::control

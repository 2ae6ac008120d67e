#include "core/control/catalogue.h"

#include <algorithm>
#include <array>

#include "core/base/assert.h"
#include "core/flow/service_name.h"
#include "core/json/json.h"

namespace causeway::control {
namespace {

using json::Json;

constexpr json::Bounds kBounds{kMaxCatalogue, 10, 1 << 18};
constexpr std::array<std::string_view, 4> kStates{"proving", "active", "silent", "away"};

Json to_json(const CatalogueIntercept& intercept) {
  Json object{
      {"owner", intercept.owner},       {"headers", Json::array()},          {"path_prefix", intercept.path_prefix},
      {"state", intercept.state},       {"age_s", intercept.age.count()},    {"requests", intercept.requests},
      {"failures", intercept.failures}, {"last_error", intercept.last_error}};
  for (const auto& [name, value] : intercept.headers) object["headers"].push_back(Json::array({name, value}));
  if (intercept.own) object["own"] = true;
  if (intercept.last_answer) object["last_answer_s"] = intercept.last_answer->count();
  if (intercept.lease_left) object["lease_left_s"] = intercept.lease_left->count();
  return object;
}

Json to_json(const CatalogueService& service, std::size_t& room) {
  Json object{{"name", service.name},
              {"protocol", service.http ? "http" : "tcp"},
              {"listen", service.listen},
              {"original", service.original},
              {"local_down", service.refuse_when_local_down ? "refuse" : "original"},
              {"connections", service.connections},
              {"intercepts", Json::array()}};
  std::uint64_t left_out = service.more_intercepts;
  for (const CatalogueIntercept& intercept : service.intercepts) {
    Json each = to_json(intercept);
    std::size_t size = json::one_line(each).size() + 1;
    if (size > room) {
      ++left_out;
      continue;
    }
    room -= size;
    object["intercepts"].push_back(std::move(each));
  }
  if (left_out) object["more_intercepts"] = left_out;
  if (!service.environment) return object;
  Json& environment = object["environment"] = Json::object();
  for (const auto& [name, value] : *service.environment) environment[name] = value;
  return object;
}

// Fields of the wrong type make the whole document wrong; so do needed ones that are missing.
class Fields {
 public:
  Fields(const Json& object, bool& good) : object_(object), good_(good) {}

  std::string text(const char* name) {
    const Json* value = find(name, true);
    if (!need(value && value->is_string())) return {};
    return value->get<std::string>();
  }
  std::uint64_t number(const char* name, bool needed = true) {
    const Json* value = find(name, needed);
    if (!value || !need(value->is_number_unsigned())) return 0;
    return value->get<std::uint64_t>();
  }
  std::optional<std::chrono::seconds> seconds(const char* name, bool needed) {
    if (!find(name, needed)) return std::nullopt;
    // What fits no clock is no time.
    return std::chrono::seconds(std::min<std::uint64_t>(number(name), INT64_MAX / 1'000'000'000));
  }
  bool flag(const char* name) {
    const Json* value = find(name, false);
    return value && need(value->is_boolean()) && value->get<bool>();
  }
  const Json& list(const char* name) {
    static const Json kNone = Json::array();
    const Json* value = find(name, true);
    return value && need(value->is_array()) ? *value : kNone;
  }
  const Json* find(const char* name, bool needed) {
    auto found = object_.find(name);
    if (found != object_.end()) return &*found;
    if (needed) good_ = false;
    return nullptr;
  }
  bool need(bool holds) {
    good_ = good_ && holds;
    return holds;
  }

 private:
  const Json& object_;
  bool& good_;
};

CatalogueIntercept read_intercept(const Json& object, bool& good) {
  CatalogueIntercept out;
  Fields fields(object, good);
  if (!fields.need(object.is_object())) return out;
  out.owner = fields.text("owner");
  out.own = fields.flag("own");
  for (const Json& pair : fields.list("headers")) {
    if (!fields.need(pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string())) break;
    out.headers.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  }
  out.path_prefix = fields.text("path_prefix");
  out.state = fields.text("state");
  fields.need(std::find(kStates.begin(), kStates.end(), out.state) != kStates.end());
  out.age = fields.seconds("age_s", true).value_or(std::chrono::seconds());
  out.requests = fields.number("requests");
  out.failures = fields.number("failures");
  out.last_error = fields.text("last_error");
  out.last_answer = fields.seconds("last_answer_s", false);
  out.lease_left = fields.seconds("lease_left_s", false);
  return out;
}

environment::Variables read_environment(const Json& object, Fields& fields) {
  environment::Variables out;
  if (!fields.need(object.is_object())) return out;
  for (const auto& [name, value] : object.items()) {
    if (!fields.need(value.is_string())) break;
    out.emplace_back(name, value.get<std::string>());
  }
  fields.need(environment::check(out).has_value());
  return out;
}

CatalogueService read_service(const Json& object, bool& good) {
  CatalogueService out;
  Fields fields(object, good);
  if (!fields.need(object.is_object())) return out;
  out.name = fields.text("name");
  fields.need(flow::is_service_name(out.name));
  std::string protocol = fields.text("protocol"), local_down = fields.text("local_down");
  fields.need(protocol == "tcp" || protocol == "http");
  fields.need(local_down == "original" || local_down == "refuse");
  out.http = protocol == "http";
  out.refuse_when_local_down = local_down == "refuse";
  for (const Json& endpoint : fields.list("listen")) {
    if (!fields.need(endpoint.is_string() && out.listen.size() < kMaxServiceEndpoints)) break;
    out.listen.push_back(endpoint.get<std::string>());
  }
  out.original = fields.text("original");
  out.connections = fields.number("connections");
  for (const Json& intercept : fields.list("intercepts")) out.intercepts.push_back(read_intercept(intercept, good));
  out.more_intercepts = fields.number("more_intercepts", false);
  if (const Json* environment = fields.find("environment", false))
    out.environment = read_environment(*environment, fields);
  return out;
}

}  // namespace

std::string encode(const Catalogue& catalogue) {
  CAUSEWAY_ASSERT(catalogue.services.size() <= kMaxServices);
  Json services = Json::array();
  std::size_t room = kMaxInterceptBytes;
  for (const CatalogueService& service : catalogue.services) services.push_back(to_json(service, room));
  std::string document = json::one_line(Json{{"v", 1}, {"services", std::move(services)}});
  CAUSEWAY_ASSERT(document.size() <= kMaxCatalogue);
  return document;
}

Result<Catalogue> parse_catalogue(std::string_view document) {
  auto wrong = [](const std::string& what) {
    return fail(ErrorCode::kProtocol, "the gateway's list of services is " + what,
                "this tunctl and the gateway may be of releases too far apart");
  };
  auto object = json::parse_object(document, kBounds);
  if (!object) return wrong(object.error().message);
  bool good = true;
  Fields fields(*object, good);
  if (fields.number("v") != 1) return wrong("of another version");
  Catalogue catalogue;
  for (const Json& service : fields.list("services")) {
    if (!fields.need(catalogue.services.size() < kMaxServices)) break;
    catalogue.services.push_back(read_service(service, good));
  }
  if (!good) return wrong("not as it should be");
  return catalogue;
}

}  // namespace causeway::control

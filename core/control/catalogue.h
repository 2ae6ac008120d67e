// What a gateway says about the services that can be intercepted, and about who intercepts them: one JSON document, which it sends to
// clients that ask (flow::Protocol::kCatalogue) and to its administrator.
//
//   {"v":1, "services":[{"name":"orders", "protocol":"http", "listen":["10.96.0.10:80"], "original":"10.77.0.9:80",
//     "local_down":"original", "connections":3, "environment":{"DB_HOST":"db.shop"},
//     "intercepts":[{"owner":"anna", "own":true, "headers":[["x-user","anna"]], "path_prefix":"/api", "state":"active",
//       "age_s":90, "requests":12, "failures":0, "last_error":"", "last_answer_s":1, "lease_left_s":300}],
//     "more_intercepts":0}]}
//
// The reader takes what it knows and skips the rest, as gateways and clients of neighbouring versions talk with each other; what it
// knows must be right. Both bounded: of intercepts beyond kMaxInterceptBytes only the number is told.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/environment/variables.h"

namespace causeway::control {

inline constexpr std::size_t kMaxCatalogue = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxInterceptBytes = 1024 * 1024;  // of all intercepts in one document
inline constexpr std::size_t kMaxServices = 256;
inline constexpr std::size_t kMaxServiceEndpoints = 16;

struct CatalogueIntercept {
  std::string owner;  // the name that the gateway gives to the key
  bool own = false;   // the owner is who asks; never in what an administrator gets
  std::vector<std::pair<std::string, std::string>> headers;
  std::string path_prefix;
  std::string state;  // "proving", "active", "silent", "away": see intercept::Intercept::State
  std::chrono::seconds age{};
  std::uint64_t requests = 0, failures = 0;
  std::string last_error;
  std::optional<std::chrono::seconds> last_answer;  // how long ago
  std::optional<std::chrono::seconds> lease_left;   // while it is away
};

struct CatalogueService {
  std::string name;  // see core/flow/service_name.h
  bool http = false;
  std::vector<std::string> listen;  // where the cluster reaches it: "10.96.0.10:80"
  std::string original;             // "10.77.0.9:80", "orders-v1:80"
  bool refuse_when_local_down = false;
  std::uint64_t connections = 0;                      // through its listeners, now
  std::vector<CatalogueIntercept> intercepts;         // in the order in which they are asked
  std::uint64_t more_intercepts = 0;                  // that the document had no room for
  std::optional<environment::Variables> environment;  // where one service was asked for
};

struct Catalogue {
  std::vector<CatalogueService> services;
};

// At most kMaxCatalogue bytes, without a line feed. At most kMaxServices services, each within its bounds: anything else is our bug.
std::string encode(const Catalogue& catalogue);
Result<Catalogue> parse_catalogue(std::string_view document);

}  // namespace causeway::control

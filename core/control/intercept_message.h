// What tunctl and tund say about services of the cluster that are answered on this machine. Part of message.h, which see.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/environment/variables.h"

namespace causeway::control {

inline constexpr std::size_t kMaxHeaders = 32;
inline constexpr std::size_t kMaxHeaderName = 256;
inline constexpr std::size_t kMaxHeaderValue = 4096;
inline constexpr std::size_t kMaxPathPrefix = 2048;
inline constexpr std::size_t kMaxHeaderBytes = 8 * 1024;  // of all names and values in one message
inline constexpr std::size_t kMaxValuePiece = 8 * 1024;   // of a variable in one message

using Headers = std::vector<std::pair<std::string, std::string>>;

// --- requests; `profile` empty: the tunnel that is up --------------------------------------------------------------------------

struct InterceptRequest {
  std::string profile, service;
  Headers headers;  // a request must have all of them; only where the service is HTTP
  std::string path_prefix;
  std::string address = "127.0.0.1";  // where the local process listens
  std::uint16_t port = 0;             // 0: the service's own
  bool tied = false;                  // it ends with the caller's connection, and is answered until then
};

struct LeaveRequest {
  std::string profile, service;
  Headers headers;  // with these or a prefix: only the intercept that has exactly them
  std::string path_prefix;
  std::uint64_t id = 0;  // only this one; 0: any
};

struct ListRequest {
  std::string profile;
};

struct EnvironmentRequest {
  std::string profile, service;
};

// --- answers -------------------------------------------------------------------------------------------------------------------

// A service that can be intercepted: before ListAnswer, and before EnvironmentAnswer.
struct ServiceAnswer {
  std::string profile, name;
  std::string protocol;             // "tcp", "http"
  std::vector<std::string> listen;  // where the cluster reaches it
  std::string original;
  std::string local_down;             // "original", "refuse"
  std::uint64_t connections = 0;      // through the gateway's listeners, now
  std::uint64_t more_intercepts = 0;  // that are not told
};

// One intercept as it is now: before ListAnswer, and before InterceptAnswer each time that its state changes.
struct InterceptedAnswer {
  std::string profile, service;
  Headers headers;
  std::string path_prefix;

  // Where it is one of this tund's.
  struct Here {
    std::uint64_t id = 0;
    std::string local;                            // "127.0.0.1:8080"
    std::string state;                            // "asking", "ready", "waiting"
    bool tied = false;                            // to the tunctl that asked for it
    std::uint64_t connections = 0, failures = 0;  // to the process, and how many of them it did not take
    std::string last_error;
    std::optional<std::chrono::microseconds> round_trip;  // of the gateway's proof
    std::optional<std::chrono::seconds> last_answer;      // how long ago the process last sent something
    std::string owner{};                                  // the user of this machine who asked for it
  };
  std::optional<Here> here;

  // What the gateway knows of it, where it was asked.
  struct AtGateway {
    std::string owner;
    bool own = false;   // the owner is this tunnel's key
    std::string state;  // "proving", "active", "silent", "away"
    std::chrono::seconds age{};
    std::uint64_t requests = 0, failures = 0;
    std::string last_error;
    std::optional<std::chrono::seconds> last_answer;
    std::optional<std::chrono::seconds> lease_left;
  };
  std::optional<AtGateway> at_gateway;
};

// One variable of a service, before EnvironmentAnswer.
struct VariableAnswer {
  std::string name;
  std::string value;  // at most kMaxValuePiece bytes
  bool more = false;  // the next answer goes on with the same variable
};

// Outcome "ready": it is proven, and stays. "already": it was there. "left": by `leave`, while its caller waited, or was tied to it.
struct InterceptAnswer {
  std::string profile, service;
  std::uint64_t id = 0;
  std::string outcome;
  std::chrono::microseconds took{};
};

struct LeaveAnswer {
  std::string profile, service;
  std::uint64_t count = 0;
};

struct ListAnswer {
  std::string note;  // what is missing in the list, and why; may be empty
};

struct EnvironmentAnswer {
  std::string profile, service;
};

// --- helpers -------------------------------------------------------------------------------------------------------------------

// A long value comes in pieces, cut between characters.
std::vector<VariableAnswer> variable_answers(const environment::Variables& variables);
// Puts them together again. False: this piece does not go on with what `more` promised.
class VariableCollector {
 public:
  bool take(const VariableAnswer& answer);
  bool complete() const { return !more_; }
  environment::Variables variables;

 private:
  bool more_ = false;
};

// For programs that read `tunctl list --json`: {"services": [...]}, each with its intercepts.
std::string list_json(const std::vector<ServiceAnswer>& services, const std::vector<InterceptedAnswer>& intercepts);

}  // namespace causeway::control

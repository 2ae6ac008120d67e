// The control protocol: what tunctl and tund say to each other over a local socket. core/control/README.md is its manual.
//
// A message is a JSON object on one line of at most kMaxLine bytes, the line feed included. The caller sends requests; each is
// answered in its turn, with any number of messages that go before (steps, tunnels, services) and one that closes it. Both sides refuse
// what they do not know: another version, an unknown field, a value of the wrong type or beyond its bound. Nothing here throws
// or keeps anything; one message in, one value out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/control/intercept_message.h"

namespace causeway::control {

inline constexpr int kVersion = 1;
inline constexpr std::size_t kMaxLine = 64 * 1024;
inline constexpr std::size_t kMaxProfileName = 12;
inline constexpr std::size_t kMaxToml = 32 * 1024;
inline constexpr std::size_t kMaxSource = 4096;
inline constexpr std::size_t kMaxKey = 256;
// Texts and lists of an answer that are longer are cut when encoded, so that every answer fits its line.
inline constexpr std::size_t kMaxText = 1024;
inline constexpr std::size_t kMaxList = 128;

// --- requests -------------------------------------------------------------------------------------------------------------

struct VersionRequest {};

// A profile that the caller has read itself, with its own rights, and the contents of the key files that it names.
struct ProfileContents {
  std::string toml;
  std::string source;  // how errors call it
  std::string key;
  std::string psk;  // empty: none
};

struct UpRequest {
  std::string profile;  // empty: the default one
  std::optional<ProfileContents> contents;
};

struct DownRequest {
  std::string profile;  // empty: the one that is up
};

struct StatusRequest {
  std::string profile;  // empty: all
};

using Request = std::variant<VersionRequest, UpRequest, DownRequest, StatusRequest, InterceptRequest, LeaveRequest,
                             ListRequest, EnvironmentRequest>;

Result<Request> parse_request(std::string_view line);
std::string encode(const Request& request);  // with its line feed
// For what not everybody may ask: "bring tunnels up or down", in words for who may not. Empty: everybody may.
std::string_view privilege(const Request& request);

// --- answers --------------------------------------------------------------------------------------------------------------

// Before UpAnswer, InterceptedAnswer or ErrorAnswer: one step has ended well.
struct StepAnswer {
  std::string name;
  std::chrono::microseconds took{};
  std::string detail;
};

// Before StatusAnswer: one tunnel.
struct TunnelAnswer {
  std::string profile;
  std::string state;  // "down", "coming-up", "up", "reconnecting", "going-down"
  std::string device, gateway, gateway_key, own_key, last_error, icmp, resolver, cipher;
  std::optional<std::chrono::microseconds> round_trip;
  std::chrono::seconds up_for{};
  std::vector<std::string> routes, addresses, dns_servers, skipped_routes;
  std::vector<std::string> intercepts;  // "orders > 127.0.0.1:8080, ready"
  std::vector<std::pair<std::string, std::uint64_t>> counters{};
  std::string owner{};  // the user of this machine who brought it up; empty: nobody, or it is down
};

struct VersionAnswer {
  std::string version;
};

enum class UpOutcome { kUp, kJoined, kAlreadyUp };

struct UpAnswer {
  std::string profile;
  UpOutcome outcome = UpOutcome::kUp;
  std::chrono::microseconds took{};
  std::string note;     // what the caller should know besides; may be empty
  std::string owner{};  // whose tunnel it is, where somebody else has brought it up
};

struct DownAnswer {
  std::string profile;  // empty: none was named, and none is up
  bool was_up = false;
  std::vector<std::string> lines;  // what was undone, and what was left
};

struct StatusAnswer {};

struct ErrorAnswer {
  ErrorCode kind = ErrorCode::kSystem;
  std::string step;  // which step of `up` or `intercept` failed; empty where none was begun
  std::string message;
  std::string advice;
};

using Answer = std::variant<StepAnswer, TunnelAnswer, VersionAnswer, UpAnswer, DownAnswer, StatusAnswer, ErrorAnswer,
                            ServiceAnswer, InterceptedAnswer, VariableAnswer, InterceptAnswer, LeaveAnswer, ListAnswer,
                            EnvironmentAnswer>;

Result<Answer> parse_answer(std::string_view line);
std::string encode(const Answer& answer);  // with its line feed; never longer than kMaxLine
// Closes its request: nothing more comes for it.
bool is_final(const Answer& answer);

// For programs that read `tunctl status --json`: {"tunnels": [...]}, keys as in TunnelAnswer, times with their unit in the name.
std::string status_json(const std::vector<TunnelAnswer>& tunnels);

// --- words ----------------------------------------------------------------------------------------------------------------

std::string_view kind_name(ErrorCode kind);  // "timed_out"
ErrorAnswer error_answer(const Error& error, std::string step = {});
// 1 to 12 of a-z, 0-9, '-', '_'.
bool is_profile_name(std::string_view name);

}  // namespace causeway::control

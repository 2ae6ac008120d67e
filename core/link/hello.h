// What the two handshake payloads say: who wants in on which terms, and whether and how it was let in.
//
// Wire form: QUIC variable-length integers (RFC 9000, section 16). Parameters are (id, length, value) triples; unknown ids are
// skipped, so that client N talks with gateway N-1 and N+1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace causeway::link {

inline constexpr std::uint64_t kProtocolVersion = 1;

using JoinToken = std::array<std::uint8_t, 32>;

// Bounds that one end sets for what the other may send before it hears more. Bytes, unless said otherwise.
struct Limits {
  std::uint64_t link_credit = 0;      // first CREDIT for stream 0
  std::uint64_t stream_credit = 0;    // first CREDIT for every stream
  std::uint64_t max_streams = 0;      // streams that may be open at once
  friend bool operator==(const Limits&, const Limits&) = default;
};

// Payload one. Replayable and without forward secrecy (Noise section 7.7): it has no effect by itself.
struct Hello {
  std::uint64_t lowest_version = kProtocolVersion;
  std::uint64_t highest_version = kProtocolVersion;
  std::uint64_t number = 0;  // max(clock in ns, last + 1); the gateway takes each only once
  std::optional<JoinToken> join;
  Limits limits;
};

// Payload two, where the client was let in.
struct Welcome {
  std::uint64_t version = kProtocolVersion;
  std::uint64_t link_id = 0;
  Limits limits;
  bool icmp_echo = false;  // the gateway's kernel lets it send echo requests
};

// Payload two, where it was not.
enum class RefusalCode : std::uint64_t {
  kUnknownKey = 1,   // the client's key is not authorised
  kNoCommonVersion = 2,
  kReplay = 3,       // the hello's number was seen before, or is too old
  kTooMany = 4,      // this client's session limit is reached
  kShuttingDown = 5,
  kPskMismatch = 6,  // one side has a pre-shared key for the other, and the other has none
};
struct Refusal {
  RefusalCode code = RefusalCode::kUnknownKey;
  std::string text;  // at most 255 bytes, for people; the receiver strips control characters
};

std::vector<std::uint8_t> encode(const Hello& hello);
std::vector<std::uint8_t> encode(const Welcome& welcome);
std::vector<std::uint8_t> encode(const Refusal& refusal);

Result<Hello> parse_hello(Bytes payload);
Result<std::variant<Welcome, Refusal>> parse_answer(Bytes payload);

}  // namespace causeway::link

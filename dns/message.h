// Questions on the wire: what a program asks us, what we ask others, and answers that we make up ourselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "dns/name.h"

namespace causeway::dns {

inline constexpr std::size_t kHeaderSize = 12;
// What fits a datagram where the asker does not say otherwise (RFC 1035, section 4.2.1).
inline constexpr std::size_t kPlainUdpSize = 512;
inline constexpr std::size_t kMaxMessage = 65535;

// RFC 6895, section 2.3. Values above 15 need EDNS.
enum class Rcode : std::uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNxDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kNotAuth = 9,
  kBadVersion = 16,
};
// "NOERROR", "SERVFAIL", "RCODE23".
std::string rcode_text(Rcode rcode);

// The types and classes that we treat in a way of their own; any other is passed as it is.
enum Type : std::uint16_t {
  kTypeA = 1, kTypeNs = 2, kTypeCname = 5, kTypeSoa = 6, kTypePtr = 12, kTypeMx = 15, kTypeTxt = 16, kTypeAaaa = 28,
  kTypeSrv = 33, kTypeDname = 39, kTypeOpt = 41, kTypeRrsig = 46, kTypeSvcb = 64, kTypeHttps = 65, kTypeIxfr = 251, kTypeAxfr = 252, kTypeAny = 255,
};
enum Class : std::uint16_t { kClassIn = 1, kClassAny = 255 };

// Bits of the second word of a header.
enum Flag : std::uint16_t {
  kFlagResponse = 0x8000, kFlagAuthoritative = 0x0400, kFlagTruncated = 0x0200, kFlagRecursionDesired = 0x0100,
  kFlagRecursionAvailable = 0x0080, kFlagAuthentic = 0x0020, kFlagCheckingDisabled = 0x0010,
};
inline constexpr std::uint16_t kOpcodeMask = 0x7800;
inline constexpr std::uint16_t kRcodeMask = 0x000f;

struct Question {
  Name name;
  std::uint16_t type = kTypeA;
  std::uint16_t klass = kClassIn;
  friend bool operator==(const Question&, const Question&) = default;
};

// The OPT record of a question (RFC 6891). Its options concern one hop and are not passed on.
struct Edns {
  std::uint16_t udp_size = kPlainUdpSize;
  bool wants_dnssec = false;
};

struct Query {
  std::uint16_t id = 0;
  bool recursion_desired = true;
  bool authentic_data = false;
  bool checking_disabled = false;
  Question question;
  std::optional<Edns> edns;
};

struct ParsedQuery {
  enum class Verdict : std::uint8_t {
    kGood,
    kDrop,        // no header, or itself an answer: an answer could start a loop
    kFormErr,     // answer header_answer(kFormErr)
    kNotImp,      // answer header_answer(kNotImp)
    kBadVersion,  // an EDNS version that we do not speak; `query` is filled in
  };
  Verdict verdict = Verdict::kDrop;
  Query query;
};

// Reads a question from a program. Bounded by the length of the message, whatever its counts say.
ParsedQuery parse_query(Bytes message);

// The question that we send for `query`: no options, `udp_size` as our own limit where it has EDNS.
std::vector<std::uint8_t> encode_query(const Query& query, std::uint16_t udp_size);

// Why an answer is what it is, for those who asked with EDNS (RFC 8914).
struct Explanation {
  enum Code : std::uint16_t { kOther = 0, kBlocked = 15, kNoReachableAuthority = 22, kNetworkError = 23 };
  Code code = kOther;
  std::string_view text;
};

// An answer without records. `udp_size` is what we announce to receive.
std::vector<std::uint8_t> empty_answer(const Query& query, Rcode rcode, std::uint16_t udp_size,
                                       std::optional<Explanation> why = std::nullopt);
// A header alone, for a message whose question cannot be read. `message` has a header.
std::vector<std::uint8_t> header_answer(Bytes message, Rcode rcode);

// Appends to a message.
void append16(std::vector<std::uint8_t>& out, std::uint16_t value);
void append_bytes(std::vector<std::uint8_t>& out, Bytes bytes);
void append_question(std::vector<std::uint8_t>& out, const Question& question);
// kPlainOptSize bytes without `why`.
inline constexpr std::size_t kPlainOptSize = 11;
void append_opt(std::vector<std::uint8_t>& out, std::uint16_t udp_size, Rcode rcode, bool wants_dnssec,
                const std::optional<Explanation>& why = std::nullopt);

}  // namespace causeway::dns

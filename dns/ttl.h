// How long an answer may be kept, and what programs are told of it.
#pragma once

#include <cstdint>
#include <optional>

#include "dns/answer.h"

namespace causeway::dns {

struct Lifetime {
  std::uint32_t seconds = 0;  // not 0
  bool negative = false;      // there is no such name, or nothing of that type
};

// None for what must not be kept: anything but NOERROR and NXDOMAIN, truncated answers, other classes than IN, types that are no
// records' (ANY and its like, RFC 6895, section 3.1), TTLs of 0, and negative answers without an SOA record (RFC 2308, section 5).
// `view` is parse_answer(message).
std::optional<Lifetime> lifetime(Bytes message, const AnswerView& view);

// Takes `age` seconds off the TTL of every record, and leaves at most `most`. `view` is parse_answer(message), also afterwards.
void lower_ttls(MutableBytes message, AnswerView& view, std::uint32_t age, std::uint32_t most);

}  // namespace causeway::dns

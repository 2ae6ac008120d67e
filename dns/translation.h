// Virtual addresses in DNS: what a cluster's answers say to programs of a laptop that reaches it by other addresses.
#pragma once

#include <optional>

#include "core/engine/address_map.h"
#include "dns/answer.h"
#include "dns/name.h"

namespace causeway::dns {

// The longest that an answer with a virtual address may be remembered.
inline constexpr Duration kLongestVirtual = std::chrono::hours(1);

// Puts the virtual address in the place of every covered one, in place: in A and AAAA records of all sections, and in the hints of
// SVCB and HTTPS records (RFC 9460, section 7.3). Their TTLs become kLongestVirtual at the most, and AD is cleared where anything was
// changed, as signatures do not cover it. False: the range is used up, and the message is good for nothing. `view` is
// parse_answer(message).
bool translate_answer(MutableBytes message, AnswerView& view, engine::AddressMap& addresses, Instant now);

}  // namespace causeway::dns

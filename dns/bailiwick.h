// What of an answer is the cluster's to say.
//
// Of the answer section that is what belongs to the name asked for, or to what its CNAME records lead to while that is a name of
// the cluster (RFC 2181, section 5.4.1). Where they lead to any other name the answer ends: what that name stands for is asked where
// any question about it goes. Of the other sections it is what belongs to names of the cluster, and the SOA record of a zone that
// the name lies in. From all sections addresses go that no cluster may give (address_guard.h).
#pragma once

#include <vector>

#include "dns/address_guard.h"
#include "dns/answer.h"
#include "dns/rewrite.h"
#include "dns/rules.h"

namespace causeway::dns {

// CNAME records that one answer is made of, at most; BIND and Unbound follow about as many.
inline constexpr std::size_t kMaxAliases = 16;

struct Bailiwick {
  enum class Verdict : std::uint8_t {
    kWhole,      // all of it
    kPart,       // `message`, with `view` of it
    kLeadsAway,  // `aliases`, the last of which leads to a name that is not the cluster's
    kBlocked,    // nothing is left because it gave addresses that no cluster may give
    kUnrelated,  // it answers, but about other names
    kEndless,    // its CNAME records lead in a circle, or on and on
    kMalformed,
  };
  Verdict verdict = Verdict::kWhole;
  std::vector<std::uint8_t> message;
  AnswerView view;
  std::vector<Alias> aliases;
  std::size_t foreign = 0;  // records that were left out as not the cluster's to give
  std::size_t blocked = 0;  // records that were left out for their addresses
};

// Of an answer of the cluster's DNS. `view` is parse_answer(answer).
Bailiwick clusters_part(Bytes answer, const AnswerView& view, const Rules& rules, const AddressGuard& guard);
// Of an answer about a name that the cluster led to, though it is not the cluster's: all but the addresses. kWhole, kPart, kBlocked
// or kMalformed.
Bailiwick without_blocked(Bytes answer, const AnswerView& view, const AddressGuard& guard);

}  // namespace causeway::dns

#include "core/flow/policy.h"

#include <algorithm>

namespace causeway::flow {
namespace {

// Amazon's IPv6 metadata service; the IPv4 ones of all clouds are link-local.
const packet::Address kMetadata6 = *packet::Address::parse("fd00:ec2::254");

bool any_contains(const std::vector<packet::Cidr>& cidrs, const packet::Address& address) {
  return std::any_of(cidrs.begin(), cidrs.end(), [&](const packet::Cidr& cidr) { return cidr.contains(address); });
}

}  // namespace

Policy::Policy(std::vector<packet::Cidr> allow, std::vector<packet::Cidr> deny)
    : allow_(std::move(allow)), deny_(std::move(deny)) {}

void Policy::set_own(std::vector<packet::Endpoint> own) { own_ = std::move(own); }

bool Policy::allows(const packet::Endpoint& destination) const {
  const packet::Address address = destination.address.unmapped();
  for (const packet::Endpoint& own : own_) {
    if (own.port == destination.port && own.address.unmapped() == address) return false;
  }
  if (any_contains(deny_, address)) return false;
  if (!allow_.empty()) return any_contains(allow_, address);
  return !address.is_unspecified() && !address.is_loopback() && !address.is_link_local() && !address.is_multicast() &&
         !address.is_broadcast() && address != kMetadata6;
}

}  // namespace causeway::flow

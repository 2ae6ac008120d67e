// Addresses that no cluster may give for a name: a page or program that trusts the name would be led to this machine itself, or to
// who is near it (DNS rebinding).
#pragma once

#include <unordered_set>
#include <vector>

#include "core/base/bytes.h"
#include "core/engine/address_map.h"
#include "core/packet/address.h"

namespace causeway::dns {

class AddressGuard {
 public:
  // `reachable` are prefixes that the profile reaches through the cluster whatever they are here, such as a cloud's metadata address;
  // `addresses` says what is virtual here, and so somebody else's than this machine's address of the same digits. It may be null, and
  // outlives the guard.
  explicit AddressGuard(std::vector<packet::Cidr> reachable = {}, const engine::AddressMap* addresses = nullptr)
      : reachable_(std::move(reachable)), addresses_(addresses) {}

  // This machine's own addresses, in place of those told before; whether they are others.
  bool set_own(const std::vector<packet::Address>& own);

  // Loopback, "this network" (0/8, ::), multicast and broadcast; link-local ones and this machine's own unless they are reachable
  // or virtual. An IPv4-mapped
  // address counts as the IPv4 one.
  bool forbids(const packet::Address& address) const;
  // A record's data gives such an address: A, AAAA, and the hints of SVCB and HTTPS (RFC 9460, section 7.3). Data that cannot be read
  // gives none.
  bool forbids(std::uint16_t type, Bytes data) const;

 private:
  std::unordered_set<packet::Address> own_;  // unmapped
  std::vector<packet::Cidr> reachable_;
  const engine::AddressMap* addresses_;
};

}  // namespace causeway::dns

// The addresses that a tunnel uses on this machine: its device's own, and the ones that the DNS stub answers on.
//
// Slot n of 256 has 198.19.n.0/24 (of RFC 2544's benchmarking range, which no network routes) and fd63:6175:7365:n::/64.
#pragma once

#include <bitset>
#include <optional>
#include <vector>

#include "core/packet/address.h"

namespace causeway::platform {

struct VirtualAddresses {
  std::vector<packet::Address> own;  // at most one of each family
  std::vector<packet::Address> stub;
};

// `v4`, `v6`: which families the tunnel uses.
VirtualAddresses virtual_addresses(unsigned slot, bool v4, bool v6);

// What stands in for real addresses of the cluster that another network has: 198.18.(16n).0/20 and fd63:6175:7365:n:1::/112. Slots
// from 16 on have none.
std::vector<packet::Cidr> virtual_ranges(unsigned slot, bool v4, bool v6);

// Slots in use by the tunnels of this process.
class AddressSlots {
 public:
  static constexpr unsigned kCount = 256;

  // The lowest free one that is not below `from` and that no interface of the machine has an address in.
  std::optional<unsigned> take(unsigned from);
  void give_back(unsigned slot) { used_.reset(slot); }

 private:
  std::bitset<kCount> used_;
};

// The machine can have addresses of this family.
bool machine_has_v4();
bool machine_has_v6();

}  // namespace causeway::platform

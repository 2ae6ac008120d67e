// Which of a profile's prefixes another network of this machine has addresses of. A pure function.
#pragma once

#include <string>
#include <vector>

#include "core/packet/address.h"

namespace causeway::platform {

// An existing route of somebody else.
struct HeldRoute {
  packet::Cidr destination;
  std::string holder;  // "wg0 (WireGuard)", "eth1, by 10.9.0.1"
};

struct RouteConflict {
  packet::Cidr wanted;
  packet::Cidr existing;  // the widest, where there are several
  std::string holder;
  std::uint16_t more = 0;  // how many others there are for the same prefix

  std::string text() const;  // "10.96.0.0/16: wg0 (WireGuard) has 10.0.0.0/8", "... and 2 more"
  friend bool operator==(const RouteConflict&, const RouteConflict&) = default;
};

// One for each of `routes` that shares an address with an existing route which goes into the tunnel because of that prefix: what
// `exclude` leaves out is nobody's conflict, and neither is what `include` asks for by name. Default routes are no conflict, also as
// the two halves (0.0.0.0/1 and 128.0.0.0/1) that VPNs make of them.
std::vector<RouteConflict> find_conflicts(const std::vector<packet::Cidr>& routes,
                                          const std::vector<packet::Cidr>& include,
                                          const std::vector<packet::Cidr>& exclude,
                                          const std::vector<HeldRoute>& existing);

}  // namespace causeway::platform

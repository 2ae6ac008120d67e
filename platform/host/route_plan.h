// What a profile's routing table is to hold, so that nothing the tunnel itself needs goes into it. A pure function.
//
// What stays out is thrown, not routed: the kernel then asks the machine's other tables, and the packet takes the way it would take
// without us, by the same gateway, device and source address, also when that way is another one tomorrow.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/packet/address.h"

namespace causeway::platform {

struct KeptAddress {
  packet::Address address;
  std::string what;  // "the gateway", for the reason that people read
};

struct RoutePlan {
  std::vector<packet::Cidr> routes;   // into the device
  std::vector<packet::Cidr> thrown;   // excluded prefixes and kept addresses that lie in a route
  std::vector<packet::Cidr> skipped;  // of a family that the machine does not have; told by whoever knows

  friend bool operator==(const RoutePlan&, const RoutePlan&) = default;
};

// Of `wanted` and `exclude` the more specific one wins. Fails where nothing of a wanted prefix but a kept address is there.
Result<RoutePlan> plan_routes(const std::vector<packet::Cidr>& wanted, const std::vector<packet::Cidr>& exclude,
                              const std::vector<KeptAddress>& keep);

}  // namespace causeway::platform

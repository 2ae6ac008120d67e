// Which routes to make, so that nothing the tunnel itself needs goes into it. A pure function of what is wanted and what is there.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "platform/host/route.h"

namespace causeway::platform {

struct KeptAddress {
  packet::Address address;
  std::string what;  // "the gateway", for the reason that people read
};

struct RoutePlan {
  std::vector<Route> kept;            // host routes on the existing way, made first
  std::vector<packet::Cidr> routes;   // into the device
  std::vector<packet::Cidr> skipped;  // the machine has a route to exactly this prefix, which stays
};

// Fails where a kept address is in a wanted prefix and the machine has no other way to it. `existing` holds the main and the local
// table, without the host routes that we made ourselves for another profile.
Result<RoutePlan> plan_routes(const std::vector<packet::Cidr>& wanted, const std::vector<KeptAddress>& keep,
                              const std::vector<Route>& existing);

}  // namespace causeway::platform

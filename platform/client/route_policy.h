// What becomes of a profile's prefixes where another network of this machine has addresses of them. A pure function.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/profile.h"
#include "platform/host/route_conflict.h"

namespace causeway::platform {

struct RouteDecision {
  std::vector<packet::Cidr> routed;    // into the device as they are; those of `include` among them
  std::vector<packet::Cidr> hidden;    // reached by virtual addresses only
  std::vector<std::string> conflicts;  // for people, with what became of each
};

// `possible`: those of the profile's routes and included prefixes whose family this machine has. `ranges`: the virtual ones that there
// are; a conflict of a family without one goes into the tunnel.
RouteDecision decide_routes(config::ConflictPolicy policy, const std::vector<packet::Cidr>& possible,
                            const std::vector<RouteConflict>& conflicts, const std::vector<packet::Cidr>& ranges);

// Why a profile that is to fail does not come up.
Error conflict_error(const std::vector<RouteConflict>& conflicts);

}  // namespace causeway::platform

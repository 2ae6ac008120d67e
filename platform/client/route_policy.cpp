#include "platform/client/route_policy.h"

#include <algorithm>

namespace causeway::platform {
namespace {

constexpr std::size_t kMostTold = 4;

}  // namespace

RouteDecision decide_routes(config::ConflictPolicy policy, const std::vector<packet::Cidr>& possible,
                            const std::vector<RouteConflict>& conflicts, const std::vector<packet::Cidr>& ranges) {
  RouteDecision decision{possible, {}, {}};
  for (const RouteConflict& conflict : conflicts) {
    bool v4 = conflict.wanted.network().is_v4();
    bool range = std::any_of(ranges.begin(), ranges.end(),
                             [&](const packet::Cidr& each) { return each.network().is_v4() == v4; });
    bool hide = policy == config::ConflictPolicy::kVirtual && range;
    if (hide && std::erase(decision.routed, conflict.wanted) > 0) decision.hidden.push_back(conflict.wanted);
    decision.conflicts.push_back(conflict.text() +
                                 (hide ? ": its addresses are virtual here" : ": it goes into the tunnel"));
  }
  return decision;
}

Error conflict_error(const std::vector<RouteConflict>& conflicts) {
  std::string text = "other networks of this machine have addresses of the profile's routes: ";
  for (std::size_t i = 0; i < conflicts.size() && i < kMostTold; ++i) text += (i ? "; " : "") + conflicts[i].text();
  if (conflicts.size() > kMostTold) text += "; and " + std::to_string(conflicts.size() - kMostTold) + " more";
  return {ErrorCode::kConflict, std::move(text),
          "exclude what is not needed, take the other network down, or set conflict = \"virtual\" in the profile"};
}

}  // namespace causeway::platform

#include "platform/host/route_plan.h"

#include <algorithm>

#include "core/packet/routed_prefixes.h"

namespace causeway::platform {
namespace {

using packet::Cidr;

void sort_once(std::vector<Cidr>& prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
}

bool holds(const std::vector<Cidr>& sorted, const Cidr& prefix) {
  return std::binary_search(sorted.begin(), sorted.end(), prefix);
}

}  // namespace

Result<RoutePlan> plan_routes(const std::vector<Cidr>& wanted, const std::vector<Cidr>& exclude,
                              const std::vector<KeptAddress>& keep) {
  RoutePlan plan{wanted, {}, {}};
  sort_once(plan.routes);
  for (const Cidr& prefix : exclude) {
    bool covered = std::any_of(wanted.begin(), wanted.end(), [&](const Cidr& route) {
      return route.length() < prefix.length() && route.overlaps(prefix);
    });
    if (covered && !holds(plan.routes, prefix)) plan.thrown.push_back(prefix);
  }
  packet::RoutedPrefixes routed(wanted, exclude);
  for (const KeptAddress& kept : keep) {
    if (!routed.routed(kept.address)) continue;
    Cidr host(kept.address, kept.address.bits());
    if (holds(plan.routes, host)) {
      return fail(ErrorCode::kConflict,
                  kept.what + ' ' + kept.address.text() + " lies in the route " + host.text() +
                      ", and that is all there is of it",
                  "leave that route out of the profile");
    }
    plan.thrown.push_back(host);
  }
  sort_once(plan.thrown);
  return plan;
}

}  // namespace causeway::platform

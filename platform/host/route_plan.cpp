#include "platform/host/route_plan.h"

#include <algorithm>

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;

// What the kernel would take for `address`: the longest prefix, the least metric among the same.
const Route* way_to(const Address& address, const std::vector<Route>& existing) {
  const Route* best = nullptr;
  for (const Route& route : existing) {
    if (!route.destination.contains(address)) continue;
    if (route.kind == Route::Kind::kUnicast && route.device == 0) continue;  // no next hop is alive
    if (route.kind == Route::Kind::kLocal) return &route;                    // its table is asked first
    bool longer = best && route.destination.length() > best->destination.length();
    bool cheaper = best && route.destination.length() == best->destination.length() && route.metric < best->metric;
    if (!best || longer || cheaper) best = &route;
  }
  return best;
}

// The longest prefix of the plan that holds the address.
const Cidr* cover(const Address& address, const std::vector<Cidr>& routes) {
  const Cidr* best = nullptr;
  for (const Cidr& route : routes) {
    if (route.contains(address) && (!best || route.length() > best->length())) best = &route;
  }
  return best;
}

tl::unexpected<Error> no_way(const KeptAddress& kept, const Cidr& route, const std::string& why) {
  return fail(ErrorCode::kConflict,
              kept.what + ' ' + kept.address.text() + " lies in the route " + route.text() + ", and " + why,
              "narrow that route in the profile");
}

}  // namespace

Result<RoutePlan> plan_routes(const std::vector<Cidr>& wanted, const std::vector<KeptAddress>& keep,
                              const std::vector<Route>& existing) {
  RoutePlan plan;
  for (const Cidr& route : wanted) {
    bool there = std::any_of(existing.begin(), existing.end(),
                             [&](const Route& one) { return one.main_table && one.destination == route; });
    std::vector<Cidr>& list = there ? plan.skipped : plan.routes;
    if (std::find(list.begin(), list.end(), route) == list.end()) list.push_back(route);
  }
  for (const KeptAddress& kept : keep) {
    const Cidr* route = cover(kept.address, plan.routes);
    if (!route) continue;
    const Route* way = way_to(kept.address, existing);
    if (!way) return no_way(kept, *route, "there is no other way to it");
    if (way->kind == Route::Kind::kLocal) continue;
    if (way->destination.length() > route->length()) continue;  // the more specific one wins already
    if (way->kind != Route::Kind::kUnicast) return no_way(kept, *route, "the machine's own route refuses it");
    if (route->length() == kept.address.bits()) return no_way(kept, *route, "that is all there is of it");
    Route host = *way;
    host.destination = Cidr(kept.address, kept.address.bits());
    host.metric = 0;
    host.main_table = true;
    host.protocol = kRouteProtocol;
    auto same = [&](const Route& one) { return one.destination == host.destination; };
    if (std::none_of(plan.kept.begin(), plan.kept.end(), same)) plan.kept.push_back(host);
  }
  return plan;
}

}  // namespace causeway::platform

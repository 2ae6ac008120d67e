#include "platform/host/route_conflict.h"

#include <algorithm>
#include <limits>

#include "core/packet/routed_prefixes.h"

namespace causeway::platform {

using packet::Cidr;

std::string RouteConflict::text() const {
  std::string text = wanted.text() + ": " + holder + " has " + existing.text();
  if (more) text += " and " + std::to_string(more) + " more";
  return text;
}

std::vector<RouteConflict> find_conflicts(const std::vector<Cidr>& routes, const std::vector<Cidr>& include,
                                          const std::vector<Cidr>& exclude, const std::vector<HeldRoute>& existing) {
  std::vector<Cidr> all = routes;
  all.insert(all.end(), include.begin(), include.end());
  const packet::RoutedPrefixes routed(all, exclude);
  std::vector<RouteConflict> conflicts;
  for (const Cidr& wanted : routes) {
    auto names = [&](const std::vector<Cidr>& list) { return std::find(list.begin(), list.end(), wanted) != list.end(); };
    if (names(include) || names(exclude)) continue;
    RouteConflict found;
    bool any = false;
    for (const HeldRoute& held : existing) {
      if (held.destination.length() <= 1 || !held.destination.overlaps(wanted)) continue;
      if (!routed.decides_within(wanted, held.destination)) continue;
      if (any && found.more < std::numeric_limits<std::uint16_t>::max()) ++found.more;
      if (!any || held.destination.length() < found.existing.length()) {
        found.existing = held.destination;
        found.holder = held.holder;
      }
      any = true;
    }
    if (!any) continue;
    found.wanted = wanted;
    conflicts.push_back(std::move(found));
  }
  return conflicts;
}

}  // namespace causeway::platform

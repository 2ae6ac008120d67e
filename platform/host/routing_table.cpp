#include "platform/host/routing_table.h"

#include <linux/rtnetlink.h>

#include <algorithm>

namespace causeway::platform {
namespace {

using packet::Cidr;

Route route_to(const Cidr& destination, std::uint32_t table, unsigned device) {
  Route route;
  route.kind = device ? Route::Kind::kUnicast : Route::Kind::kThrow;
  route.destination = destination;
  route.table = table;
  route.device = device;
  return route;
}

// The kernel says that a route which throws has the loopback for its device, or none.
bool same(const Route& a, const Route& b) {
  bool thrown = a.kind == Route::Kind::kThrow;
  return a.kind == b.kind && a.destination == b.destination && (thrown || a.device == b.device);
}

bool ours(const Route& route, std::uint32_t table) {
  bool kind = route.kind == Route::Kind::kUnicast || route.kind == Route::Kind::kThrow;
  return route.table == table && route.protocol == kRouteProtocol && kind;
}

Result<void> unless_gone(Result<void> removed) {
  if (!removed && removed.error().code == ErrorCode::kNotFound) return {};
  return removed;
}

}  // namespace

std::vector<Route> RoutingTable::routes() const {
  std::vector<Route> all;
  for (const Cidr& prefix : plan.thrown) all.push_back(route_to(prefix, table, 0));
  for (const Cidr& prefix : plan.routes) all.push_back(route_to(prefix, table, device));
  return all;
}

std::vector<RoutingRule> RoutingTable::rules() const {
  std::vector<RoutingRule> all;
  if (v4) all.push_back({true, priority, table, kRouteProtocol});
  if (v6) all.push_back({false, priority, table, kRouteProtocol});
  return all;
}

Result<MachineRoutes> MachineRoutes::look(Netlink& netlink) {
  auto routes = netlink.routes();
  if (!routes) return tl::make_unexpected(std::move(routes.error()));
  auto rules = netlink.rules();
  if (!rules) return tl::make_unexpected(std::move(rules.error()));
  return MachineRoutes{std::move(*routes), std::move(*rules)};
}

bool MachineRoutes::consulted(std::uint32_t table) const {
  if (table == RT_TABLE_MAIN) return true;
  return std::any_of(rules.begin(), rules.end(), [&](const RoutingRule& rule) { return rule.table == table; });
}

TableDifference compare(const RoutingTable& wanted, const MachineRoutes& machine) {
  TableDifference difference;
  const std::vector<Route> all = wanted.routes();
  for (const Route& route : all) {
    auto is = [&](const Route& one) { return ours(one, wanted.table) && same(one, route); };
    if (std::none_of(machine.routes.begin(), machine.routes.end(), is)) difference.missing.push_back(route);
  }
  for (const Route& one : machine.routes) {
    auto is = [&](const Route& route) { return same(one, route); };
    if (ours(one, wanted.table) && std::none_of(all.begin(), all.end(), is)) difference.superfluous.push_back(one);
  }
  for (const RoutingRule& rule : wanted.rules()) {
    if (std::find(machine.rules.begin(), machine.rules.end(), rule) == machine.rules.end()) {
      difference.missing_rules.push_back(rule);
    }
  }
  return difference;
}

Result<std::uint32_t> find_free_table(const MachineRoutes& machine) {
  for (std::uint32_t table = kFirstTable; table < kFirstTable + kTables; ++table) {
    auto has = [&](const Route& route) { return route.table == table; };
    auto names = [&](const RoutingRule& rule) { return rule.table == table; };
    if (std::none_of(machine.routes.begin(), machine.routes.end(), has) &&
        std::none_of(machine.rules.begin(), machine.rules.end(), names)) {
      return table;
    }
  }
  return fail(ErrorCode::kLimit,
              "no routing table is left: " + std::to_string(kTables) + " from " + std::to_string(kFirstTable) +
                  " on are in use on this machine",
              "look at them: ip rule; ip route show table all");
}

Result<void> apply(Netlink& netlink, const TableDifference& difference) {
  std::vector<Route> before = difference.missing, after = difference.superfluous;
  auto thrown = [](const Route& route) { return route.kind == Route::Kind::kThrow; };
  // What is to stay out goes out first and comes back last. A prefix that changes sides has to go before it can come.
  std::stable_partition(before.begin(), before.end(), thrown);
  std::stable_partition(after.begin(), after.end(), [&](const Route& route) { return !thrown(route); });
  for (const Route& route : before) {
    auto other_side = std::find_if(after.begin(), after.end(),
                                   [&](const Route& one) { return one.destination == route.destination; });
    if (other_side != after.end()) {
      if (auto removed = unless_gone(netlink.remove_route(*other_side)); !removed) return removed;
      after.erase(other_side);
    }
    if (auto added = netlink.add_route(route); !added) return added;
  }
  for (const Route& route : after) {
    if (auto removed = unless_gone(netlink.remove_route(route)); !removed) return removed;
  }
  for (const RoutingRule& rule : difference.missing_rules) {
    if (auto added = netlink.add_rule(rule); !added) return added;
  }
  return {};
}

Result<void> remove_rules(Netlink& netlink, std::uint32_t table, std::uint32_t priority) {
  auto rules = netlink.rules();
  if (!rules) return tl::make_unexpected(std::move(rules.error()));
  for (const RoutingRule& rule : *rules) {
    bool ours = rule.table == table && rule.priority == priority && rule.protocol == kRouteProtocol;
    if (!ours) continue;
    if (auto removed = unless_gone(netlink.remove_rule(rule)); !removed) return removed;
  }
  return {};
}

Result<void> empty_table(Netlink& netlink, std::uint32_t table) {
  auto routes = netlink.routes();
  if (!routes) return tl::make_unexpected(std::move(routes.error()));
  for (const Route& route : *routes) {
    if (!ours(route, table)) continue;
    if (auto removed = unless_gone(netlink.remove_route(route)); !removed) return removed;
  }
  return {};
}

}  // namespace causeway::platform

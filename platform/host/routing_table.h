// A profile's own routing table, and the rules that have it asked. What it is to hold, what it holds, and the way from one to the
// other.
//
// Nothing in it has an effect before its rules are there, so they are made last and removed first.
#pragma once

#include <string>
#include <vector>

#include "platform/host/netlink.h"
#include "platform/host/route_plan.h"

namespace causeway::platform {

struct RoutingTable {
  std::uint32_t table = 0;
  std::uint32_t priority = 0;  // of its rules
  unsigned device = 0;
  bool v4 = false, v6 = false;  // which rules there are
  RoutePlan plan;

  std::vector<Route> routes() const;
  std::vector<RoutingRule> rules() const;
};

// All routes and rules of the machine.
struct MachineRoutes {
  std::vector<Route> routes;
  std::vector<RoutingRule> rules;

  static Result<MachineRoutes> look(Netlink& netlink);
  // What somebody's rule names; the table that every machine has (main) among them.
  bool consulted(std::uint32_t table) const;
};

struct TableDifference {
  std::vector<Route> missing, superfluous;
  std::vector<RoutingRule> missing_rules;
};

// A pure function. Superfluous is what is ours there and not wanted; what another program put into the table stays.
TableDifference compare(const RoutingTable& wanted, const MachineRoutes& machine);

// The first table that nobody has a route in or a rule for; kLimit where there is none.
Result<std::uint32_t> find_free_table(const MachineRoutes& machine);

// In an order in which no packet takes a way that neither the old nor the new table means. The first error ends it.
Result<void> apply(Netlink& netlink, const TableDifference& difference);

// Rules of ours that name the table. Those that have gone already are fine.
Result<void> remove_rules(Netlink& netlink, std::uint32_t table, std::uint32_t priority);
// What is left of ours in the table.
Result<void> empty_table(Netlink& netlink, std::uint32_t table);

}  // namespace causeway::platform

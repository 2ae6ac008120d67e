#include "platform/host/route_plan.h"

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "platform/host/routing_table.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;

Address address(const char* text) { return *Address::parse(text); }

std::vector<Cidr> cidrs(std::initializer_list<const char*> texts) {
  std::vector<Cidr> list;
  for (const char* text : texts) list.push_back(*Cidr::parse(text));
  return list;
}

RoutePlan planned(const std::vector<Cidr>& wanted, const std::vector<Cidr>& exclude, const std::vector<KeptAddress>& keep) {
  auto plan = plan_routes(wanted, exclude, keep);
  EXPECT_TRUE(plan) << plan.error().message;
  return plan ? *plan : RoutePlan{};
}

TEST(RoutePlan, OnlyWhatLiesInARouteIsThrown) {
  RoutePlan plan = planned(cidrs({"10.96.0.0/16", "2001:db8::/32"}), cidrs({"10.96.8.0/24", "10.97.0.0/24", "10.0.0.0/8"}),
                           {{address("203.0.113.7"), "the gateway"}, {address("2001:db8::7"), "the gateway"}});
  EXPECT_EQ(plan.routes, cidrs({"10.96.0.0/16", "2001:db8::/32"}));
  EXPECT_EQ(plan.thrown, cidrs({"10.96.8.0/24", "2001:db8::7/128"}));
}

TEST(RoutePlan, AnAddressThatIsExcludedAlreadyNeedsNothingOfItsOwn) {
  KeptAddress server{address("10.96.8.8"), "the machine's DNS server"};
  EXPECT_EQ(planned(cidrs({"10.96.0.0/16"}), cidrs({"10.96.8.0/24"}), {server}).thrown, cidrs({"10.96.8.0/24"}));
  EXPECT_EQ(planned(cidrs({"10.96.0.0/16", "10.96.8.0/28"}), cidrs({"10.96.8.0/24"}), {server}).thrown,
            cidrs({"10.96.8.0/24", "10.96.8.8/32"}))
      << "a route inside has it again";
}

TEST(RoutePlan, EachPrefixIsThereOnce) {
  KeptAddress server{address("10.0.0.7"), "the machine's DNS server"}, gateway{address("10.0.0.7"), "the gateway"};
  RoutePlan plan = planned(cidrs({"10.0.0.0/8", "10.0.0.0/8"}), cidrs({"10.1.0.0/16", "10.1.0.0/16"}), {server, gateway});
  EXPECT_EQ(plan.routes, cidrs({"10.0.0.0/8"}));
  EXPECT_EQ(plan.thrown, cidrs({"10.0.0.7/32", "10.1.0.0/16"}));
}

TEST(RoutePlan, ARouteThatIsNothingButAKeptAddressIsRefused) {
  auto plan = plan_routes(cidrs({"203.0.113.7/32"}), {}, {{address("203.0.113.7"), "the gateway"}});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kConflict);
  EXPECT_EQ(plan.error().message,
            "the gateway 203.0.113.7 lies in the route 203.0.113.7/32, and that is all there is of it");
}

// A machine of 64 addresses: what the kernel does with a table that has the plan, next to what the profile says.
TEST(RoutePlan, TheKernelSendsEachAddressWhereTheProfileSays) {
  SeededRandom random(9);
  auto at = [](unsigned n) { return Address::v4(10, 0, 0, std::uint8_t(n)); };
  for (int round = 0; round < 3000; ++round) {
    std::vector<Cidr> wanted, exclude;
    for (std::uint64_t n = 1 + random.below(6); n > 0; --n) {
      Cidr prefix(at(unsigned(random.below(64))), 26 + unsigned(random.below(6)));
      auto& list = random.below(2) ? wanted : exclude;
      auto& other = &list == &wanted ? exclude : wanted;
      if (std::find(other.begin(), other.end(), prefix) == other.end()) list.push_back(prefix);
    }
    std::vector<KeptAddress> keep;
    for (std::uint64_t n = random.below(3); n > 0; --n) keep.push_back({at(unsigned(random.below(64))), "the gateway"});
    RoutingTable table{7700, 5000, 9, true, false, planned(wanted, exclude, keep)};
    for (unsigned n = 0; n < 64; ++n) {
      const Route* chosen = nullptr;
      std::vector<Route> routes = table.routes();
      for (const Route& route : routes) {
        if (!route.destination.contains(at(n))) continue;
        ASSERT_FALSE(chosen && chosen->destination == route.destination) << "two routes to " << route.destination.text();
        if (!chosen || route.destination.length() > chosen->destination.length()) chosen = &route;
      }
      bool into_device = chosen && chosen->kind == Route::Kind::kUnicast && chosen->device == 9;
      const Cidr* best = nullptr;
      bool expected = false;
      for (const auto* list : {&exclude, &wanted}) {
        for (const Cidr& each : *list) {
          if (!each.contains(at(n)) || (best && best->length() >= each.length())) continue;
          best = &each;
          expected = list == &wanted;
        }
      }
      for (const KeptAddress& each : keep) expected &= each.address != at(n);
      ASSERT_EQ(into_device, expected) << "round " << round << ", address " << n;
    }
  }
}

RoutingTable some_table() {
  RoutingTable table{7701, 5000, 9, true, false, {}};
  table.plan.routes = cidrs({"10.96.0.0/16"});
  table.plan.thrown = cidrs({"10.96.8.0/24"});
  return table;
}

TEST(RoutingTable, IsMissingWhatTheMachineDoesNotHave) {
  RoutingTable table = some_table();
  TableDifference all = compare(table, {});
  EXPECT_EQ(all.missing.size(), 2u);
  EXPECT_EQ(all.missing_rules, table.rules());
  MachineRoutes machine{table.routes(), table.rules()};
  machine.routes[0].device = 1;  // as the kernel says of a route that throws, in IPv6
  TableDifference none = compare(table, machine);
  EXPECT_TRUE(none.missing.empty() && none.superfluous.empty() && none.missing_rules.empty());
}

TEST(RoutingTable, HasTooMuchOnlyOfWhatIsOurs) {
  RoutingTable table = some_table();
  MachineRoutes machine{table.routes(), table.rules()};
  Route other = machine.routes[1];
  other.destination = *Cidr::parse("10.200.0.0/16");
  machine.routes.push_back(other);
  other.protocol = 4;  // another program's, in our table
  machine.routes.push_back(other);
  other.protocol = kRouteProtocol;
  other.table = 254;
  machine.routes.push_back(other);
  TableDifference difference = compare(table, machine);
  ASSERT_EQ(difference.superfluous.size(), 1u);
  EXPECT_EQ(difference.superfluous[0].table, 7701u);
  EXPECT_TRUE(difference.missing.empty());
}

TEST(RoutingTable, TheFirstFreeOneIsTaken) {
  RoutingTable table = some_table();
  EXPECT_EQ(find_free_table({}), 7700u);
  MachineRoutes machine{table.routes(), {{true, 100, 7700, 3}}};
  EXPECT_EQ(find_free_table(machine), 7702u);
  machine.rules.clear();
  for (std::uint32_t each = kFirstTable; each < kFirstTable + kTables; ++each) machine.rules.push_back({true, 1, each, 3});
  auto none = find_free_table(machine);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kLimit);
}

TEST(RoutingTable, TablesThatARuleNamesAreConsulted) {
  MachineRoutes machine{{}, {{true, 5210, 52, 3}}};
  EXPECT_TRUE(machine.consulted(52));
  EXPECT_TRUE(machine.consulted(254)) << "main, always";
  EXPECT_FALSE(machine.consulted(100));
}

}  // namespace
}  // namespace causeway::platform

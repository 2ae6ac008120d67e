#include "platform/host/route_plan.h"

#include <gtest/gtest.h>

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;

Address address(const char* text) { return *Address::parse(text); }

Route route(const char* destination, unsigned device, const char* via = nullptr, std::uint32_t metric = 0) {
  Route made;
  made.destination = *Cidr::parse(destination);
  made.device = device;
  made.metric = metric;
  made.protocol = 2;
  if (via) made.via = address(via);
  return made;
}

Route local(const char* destination) {
  Route made = route(destination, 1);
  made.kind = Route::Kind::kLocal;
  made.main_table = false;
  return made;
}

std::vector<Cidr> cidrs(std::initializer_list<const char*> texts) {
  std::vector<Cidr> list;
  for (const char* text : texts) list.push_back(*Cidr::parse(text));
  return list;
}

const std::vector<Route> kHome{route("0.0.0.0/0", 2, "192.168.1.1"), route("192.168.1.0/24", 2),
                               route("::/0", 2, "fe80::1"), local("192.168.1.7/32")};

TEST(RoutePlan, NothingIsKeptThatIsNotCovered) {
  auto plan = plan_routes(cidrs({"10.96.0.0/16"}), {{address("203.0.113.7"), "the gateway"}}, kHome);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->kept.empty());
  EXPECT_EQ(plan->routes, cidrs({"10.96.0.0/16"}));
}

TEST(RoutePlan, ACoveredAddressKeepsItsWayInBothFamilies) {
  auto plan = plan_routes(cidrs({"203.0.0.0/8", "2001:db8::/32"}),
                          {{address("203.0.113.7"), "the gateway"}, {address("2001:db8::7"), "the gateway"}}, kHome);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->kept.size(), 2u);
  EXPECT_EQ(plan->kept[0].destination.text(), "203.0.113.7/32");
  EXPECT_EQ(plan->kept[0].via, address("192.168.1.1"));
  EXPECT_EQ(plan->kept[0].device, 2u);
  EXPECT_EQ(plan->kept[0].protocol, kRouteProtocol);
  EXPECT_EQ(plan->kept[1].destination.text(), "2001:db8::7/128");
  EXPECT_EQ(plan->kept[1].via, address("fe80::1"));
}

TEST(RoutePlan, AMoreSpecificRouteOrTheMachinesOwnAddressNeedsNothing) {
  auto plan =
      plan_routes(cidrs({"192.168.0.0/16"}),
                  {{address("192.168.1.1"), "the default gateway"}, {address("192.168.1.7"), "the gateway"}}, kHome);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->kept.empty());
  plan = plan_routes(cidrs({"192.168.1.0/28"}), {{address("192.168.1.7"), "the gateway"}}, kHome);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->kept.empty()) << "the local table is asked first";
}

TEST(RoutePlan, TheLeastMetricIsTheWay) {
  std::vector<Route> two{route("0.0.0.0/0", 3, "10.9.9.9", 600), route("0.0.0.0/0", 2, "192.168.1.1", 100)};
  auto plan = plan_routes(cidrs({"203.0.113.0/24"}), {{address("203.0.113.7"), "the gateway"}}, two);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->kept.size(), 1u);
  EXPECT_EQ(plan->kept[0].via, address("192.168.1.1"));
  EXPECT_EQ(plan->kept[0].metric, 0u);
}

TEST(RoutePlan, ARouteWithNoLivingNextHopIsNoWay) {
  auto plan =
      plan_routes(cidrs({"203.0.113.0/24"}), {{address("203.0.113.7"), "the gateway"}}, {route("0.0.0.0/0", 0)});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kConflict);
}

TEST(RoutePlan, SaysWhyAnAddressCannotBeKept) {
  KeptAddress gateway{address("203.0.113.7"), "the gateway"};
  auto plan = plan_routes(cidrs({"203.0.113.7/32"}), {gateway}, kHome);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message,
            "the gateway 203.0.113.7 lies in the route 203.0.113.7/32, and that is all there is of it");
  Route refusing = route("0.0.0.0/0", 0);
  refusing.kind = Route::Kind::kOther;
  EXPECT_FALSE(plan_routes(cidrs({"203.0.0.0/8"}), {gateway}, {refusing}));
  refusing.destination = *Cidr::parse("203.0.0.0/16");
  EXPECT_TRUE(plan_routes(cidrs({"203.0.0.0/8"}), {gateway}, {refusing}))
      << "it is more specific, and no tunnel's doing";
}

TEST(RoutePlan, ARouteOfTheMachineStaysAndASecondMentionCountsOnce) {
  auto plan = plan_routes(cidrs({"192.168.1.0/24", "10.0.0.0/8", "10.0.0.0/8", "192.168.1.0/24"}), {}, kHome);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->skipped, cidrs({"192.168.1.0/24"}));
  EXPECT_EQ(plan->routes, cidrs({"10.0.0.0/8"}));
}

TEST(RoutePlan, WhatAStayingRouteCoversNeedsNoWayOfItsOwn) {
  auto plan = plan_routes(cidrs({"192.168.1.0/24"}), {{address("192.168.1.1"), "the default gateway"}}, kHome);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->kept.empty());
}

TEST(RoutePlan, TheSameAddressIsKeptOnce) {
  KeptAddress server{address("203.0.113.7"), "the DNS server"}, gateway{address("203.0.113.7"), "the gateway"};
  auto plan = plan_routes(cidrs({"203.0.113.0/24"}), {server, gateway}, kHome);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->kept.size(), 1u);
}

}  // namespace
}  // namespace causeway::platform

#include "platform/host/route_conflict.h"

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;

std::vector<Cidr> cidrs(std::initializer_list<const char*> texts) {
  std::vector<Cidr> list;
  for (const char* text : texts) list.push_back(*Cidr::parse(text));
  return list;
}

std::vector<std::string> texts(const std::vector<RouteConflict>& conflicts) {
  std::vector<std::string> list;
  for (const RouteConflict& each : conflicts) list.push_back(each.text());
  return list;
}

TEST(RouteConflict, IsTheSameOneOneAroundItOrOneInside) {
  for (const char* existing : {"10.96.0.0/16", "10.0.0.0/8", "10.96.7.0/24", "10.96.7.7/32"}) {
    auto found = find_conflicts(cidrs({"10.96.0.0/16", "10.244.0.0/16", "fd00:96::/112"}), {}, {},
                                {{*Cidr::parse(existing), "wg0 (WireGuard)"}});
    ASSERT_FALSE(found.empty()) << existing;
    EXPECT_EQ(found[0].text(), std::string("10.96.0.0/16: wg0 (WireGuard) has ") + existing);
  }
}

TEST(RouteConflict, IsNoneWithADefaultRouteOrItsHalvesOrANeighbour) {
  std::vector<HeldRoute> held;
  for (const char* each : {"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "8000::/1", "10.97.0.0/16", "10.95.255.255/32"})
    held.push_back({*Cidr::parse(each), "wg0"});
  EXPECT_TRUE(find_conflicts(cidrs({"10.96.0.0/16", "fd00:96::/112"}), {}, {}, held).empty());
}

TEST(RouteConflict, IsToldOnceForAPrefixByTheWidestOfThoseInTheWay) {
  auto found = find_conflicts(cidrs({"10.96.0.0/16", "10.244.0.0/16"}), {}, {},
                              {{*Cidr::parse("10.96.7.0/24"), "eth1"},
                               {*Cidr::parse("10.0.0.0/8"), "tun0 (TUN)"},
                               {*Cidr::parse("10.96.8.0/24"), "eth1"}});
  EXPECT_EQ(texts(found), (std::vector<std::string>{"10.96.0.0/16: tun0 (TUN) has 10.0.0.0/8 and 2 more",
                                                    "10.244.0.0/16: tun0 (TUN) has 10.0.0.0/8"}));
}

TEST(RouteConflict, WhatIsExcludedIsNobodysConflict) {
  auto routes = cidrs({"10.0.0.0/8"}), exclude = cidrs({"10.5.0.0/16"});
  EXPECT_TRUE(find_conflicts(routes, {}, exclude, {{*Cidr::parse("10.5.0.0/16"), "wg0"}}).empty());
  EXPECT_TRUE(find_conflicts(routes, {}, exclude, {{*Cidr::parse("10.5.5.0/24"), "wg0"}}).empty());
  EXPECT_FALSE(find_conflicts(routes, {}, exclude, {{*Cidr::parse("10.4.0.0/15"), "wg0"}}).empty())
      << "half of it is not excluded";
}

TEST(RouteConflict, WhatIsIncludedByNameIsToWin) {
  auto held = std::vector<HeldRoute>{{*Cidr::parse("10.20.0.0/16"), "wg0"}};
  EXPECT_TRUE(find_conflicts(cidrs({"10.96.0.0/16"}), cidrs({"10.20.0.5/32"}), {}, held).empty());
  EXPECT_TRUE(find_conflicts(cidrs({"10.20.0.0/16"}), cidrs({"10.20.0.0/16"}), {}, held).empty());
  EXPECT_FALSE(find_conflicts(cidrs({"10.20.0.0/15"}), cidrs({"10.20.0.5/32"}), {}, held).empty());
}

// Among 64 addresses, each asked: a prefix has a conflict when an address of it goes into the tunnel because of it, and another
// network has that address.
TEST(RouteConflict, AgreesWithAModelAskedAddressByAddress) {
  SeededRandom random(5);
  auto address = [](unsigned at) { return Address::v4(10, 0, 0, std::uint8_t(at)); };
  auto some = [&](std::uint64_t most) {
    std::vector<Cidr> list;
    for (std::uint64_t n = random.below(most + 1); n > 0; --n)
      list.emplace_back(address(unsigned(random.below(64))), 26 + unsigned(random.below(7)));
    return list;
  };
  for (int round = 0; round < 3000; ++round) {
    auto routes = some(3), include = some(2), exclude = some(3), held_prefixes = some(3);
    std::vector<HeldRoute> held;
    for (const Cidr& each : held_prefixes) held.push_back({each, "wg0"});
    std::vector<Cidr> expected;
    for (const Cidr& wanted : routes) {
      bool conflict = false;
      for (unsigned at = 0; at < 64; ++at) {
        const Cidr* best = nullptr;
        for (const auto* list : {&exclude, &include, &routes}) {
          for (const Cidr& each : *list)
            if (each.contains(address(at)) && (!best || each.length() > best->length())) best = &each;
        }
        bool by_name = false;
        for (const auto* list : {&exclude, &include})
          for (const Cidr& each : *list) by_name |= each == wanted;
        bool taken = false;
        for (const Cidr& each : held_prefixes) taken |= each.contains(address(at));
        conflict |= taken && !by_name && best && *best == wanted;
      }
      if (conflict) expected.push_back(wanted);
    }
    std::vector<Cidr> found;
    for (const RouteConflict& each : find_conflicts(routes, include, exclude, held)) found.push_back(each.wanted);
    ASSERT_EQ(found, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace causeway::platform

#include "core/packet/routed_prefixes.h"

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace causeway::packet {
namespace {

using Verdict = RoutedPrefixes::Verdict;

std::vector<Cidr> cidrs(std::initializer_list<const char*> texts) {
  std::vector<Cidr> list;
  for (const char* text : texts) list.push_back(*Cidr::parse(text));
  return list;
}

Verdict verdict(const RoutedPrefixes& prefixes, const char* address) { return prefixes.verdict(*Address::parse(address)); }

TEST(RoutedPrefixes, TheMostSpecificOneDecidesBothWays) {
  RoutedPrefixes prefixes(cidrs({"10.0.0.0/8", "10.1.2.128/25", "fd00:96::/64"}), cidrs({"10.1.2.0/24", "fd00:96::7/128"}));
  EXPECT_EQ(verdict(prefixes, "10.9.9.9"), Verdict::kRouted);
  EXPECT_EQ(verdict(prefixes, "10.1.2.5"), Verdict::kExcluded);
  EXPECT_EQ(verdict(prefixes, "10.1.2.200"), Verdict::kRouted);
  EXPECT_EQ(verdict(prefixes, "11.0.0.1"), Verdict::kOutside);
  EXPECT_EQ(verdict(prefixes, "fd00:96::6"), Verdict::kRouted);
  EXPECT_EQ(verdict(prefixes, "fd00:96::7"), Verdict::kExcluded);
  EXPECT_EQ(RoutedPrefixes().verdict(Address()), Verdict::kOutside);
}

TEST(RoutedPrefixes, TheFirstAndTheLastAddressOfAPrefixBelongToIt) {
  RoutedPrefixes prefixes(cidrs({"10.96.0.0/16"}), {});
  EXPECT_TRUE(prefixes.routed(*Address::parse("10.96.0.0")));
  EXPECT_TRUE(prefixes.routed(*Address::parse("10.96.255.255")));
  EXPECT_FALSE(prefixes.routed(*Address::parse("10.95.255.255")));
  EXPECT_FALSE(prefixes.routed(*Address::parse("10.97.0.0")));
}

TEST(RoutedPrefixes, WhatMoreSpecificOnesCoverWhollyARuleDoesNotDecide) {
  RoutedPrefixes prefixes(cidrs({"10.0.0.0/8", "10.2.0.0/16"}), cidrs({"10.1.0.0/17", "10.1.128.0/17", "10.3.0.0/16"}));
  Cidr rule = *Cidr::parse("10.0.0.0/8");
  EXPECT_TRUE(prefixes.decides_within(rule, *Cidr::parse("10.0.0.0/8")));
  EXPECT_TRUE(prefixes.decides_within(rule, *Cidr::parse("0.0.0.0/0")));
  EXPECT_TRUE(prefixes.decides_within(rule, *Cidr::parse("10.4.4.4/32")));
  EXPECT_FALSE(prefixes.decides_within(rule, *Cidr::parse("10.3.0.0/24"))) << "excluded";
  EXPECT_FALSE(prefixes.decides_within(rule, *Cidr::parse("10.2.0.0/16"))) << "another rule's";
  EXPECT_FALSE(prefixes.decides_within(rule, *Cidr::parse("10.1.0.0/16"))) << "two halves are excluded";
  EXPECT_FALSE(prefixes.decides_within(rule, *Cidr::parse("11.0.0.0/8")));
}

// A universe of 64 addresses, 10.0.0.0/26 and fd00::/122: each asked, each rule looked at.
struct Universe {
  bool v4;
  Cidr cidr(unsigned at, unsigned length) const {
    return Cidr(address(at), (v4 ? 26 : 122) + length);
  }
  Address address(unsigned at) const {
    if (v4) return Address::v4(10, 0, 0, std::uint8_t(at));
    std::uint8_t raw[16]{0xfd};
    raw[15] = std::uint8_t(at);
    return Address::from_bytes(raw);
  }
};

TEST(RoutedPrefixes, AgreesWithATableAskedAddressByAddress) {
  SeededRandom random(3);
  for (int round = 0; round < 2000; ++round) {
    Universe universe{random.below(2) == 0};
    std::vector<Cidr> routed, excluded;
    for (std::uint64_t n = 1 + random.below(6); n > 0; --n) {
      auto& list = random.below(2) ? routed : excluded;
      list.push_back(universe.cidr(unsigned(random.below(64)), unsigned(random.below(7))));
    }
    RoutedPrefixes prefixes(routed, excluded);
    const Cidr* rule_of[64]{};
    for (unsigned at = 0; at < 64; ++at) {
      Verdict expected = Verdict::kOutside;
      const Cidr*& best = rule_of[at];
      auto look = [&](const std::vector<Cidr>& list, Verdict says) {
        for (const Cidr& each : list) {
          if (!each.contains(universe.address(at)) || (best && best->length() >= each.length())) continue;
          best = &each;
          expected = says;
        }
      };
      look(excluded, Verdict::kExcluded);
      look(routed, Verdict::kRouted);
      ASSERT_EQ(prefixes.verdict(universe.address(at)), expected) << "round " << round << ", address " << at;
    }
    Cidr other = universe.cidr(unsigned(random.below(64)), unsigned(random.below(7)));
    for (const auto* list : {&routed, &excluded}) {
      for (const Cidr& rule : *list) {
        bool decides = false;
        for (unsigned at = 0; at < 64; ++at) {
          decides |= other.contains(universe.address(at)) && rule_of[at] && *rule_of[at] == rule;
        }
        ASSERT_EQ(prefixes.decides_within(rule, other), decides) << "round " << round << ", " << rule.text();
      }
    }
  }
}

}  // namespace
}  // namespace causeway::packet

#include "core/engine/address_map.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/base/random.h"

namespace causeway::engine {
namespace {

using packet::Address;
using packet::Cidr;
using std::chrono::hours;
using std::chrono::seconds;

Address address(const char* text) { return *Address::parse(text); }
Cidr cidr(const char* text) { return *Cidr::parse(text); }

class Map : public testing::Test {
 protected:
  Map() { map.set_prefixes({cidr("10.96.0.0/16"), cidr("fd00:96::/112")}); }

  std::string handed(const char* real, Duration keep = seconds(30)) {
    auto out = map.to_virtual(address(real), keep, now);
    return out ? out->text() : "none";
  }
  std::string meant(const char* virtual_address) const {
    auto out = map.to_real(address(virtual_address));
    return out ? out->text() : "none";
  }

  Instant now{hours(1)};
  AddressMap map{{cidr("198.18.16.0/28"), cidr("fd63:6175:7365:1:1::/116")}};
};

TEST_F(Map, WhatIsHandedOutMeansTheRealAddress) {
  const std::string v4 = handed("10.96.0.5"), v6 = handed("fd00:96::5");
  EXPECT_EQ(v4, "198.18.16.5");
  EXPECT_EQ(v6, "fd63:6175:7365:1:1::5");
  EXPECT_EQ(meant(v4.c_str()), "10.96.0.5");
  EXPECT_EQ(meant(v6.c_str()), "fd00:96::5");
  EXPECT_EQ(handed("10.96.0.5"), v4);
  EXPECT_EQ(map.size(), 2u);
}

TEST_F(Map, WhatIsNotCoveredStaysItself) {
  EXPECT_FALSE(map.covers(address("10.97.0.5")));
  EXPECT_EQ(handed("10.97.0.5"), "10.97.0.5");
  EXPECT_EQ(meant("10.97.0.5"), "10.97.0.5");
  EXPECT_EQ(meant("10.96.0.5"), "10.96.0.5");
  EXPECT_EQ(map.size(), 0u);
}

TEST_F(Map, WhatWasNeverHandedOutMeansNothing) {
  EXPECT_EQ(meant("198.18.16.7"), "none");
  handed("10.96.0.5");
  handed("fd00:96::5");
  for (const char* each :
       {"198.18.16.0", "198.18.16.7", "198.18.16.15", "fd63:6175:7365:1:1::", "fd63:6175:7365:1:1::fff"}) {
    EXPECT_TRUE(map.is_virtual(address(each))) << each;
    EXPECT_EQ(meant(each), "none") << each;
  }
  EXPECT_FALSE(map.is_virtual(address("198.18.16.16")));
  EXPECT_FALSE(map.is_virtual(address("198.18.15.255")));
  EXPECT_FALSE(map.is_virtual(address("fd63:6175:7365:1:1::1000")));
}

TEST_F(Map, TwoThatWouldHaveTheSameGetDifferentOnes) {
  EXPECT_EQ(handed("10.96.0.5"), "198.18.16.5");
  EXPECT_EQ(handed("10.96.1.5"), "198.18.16.6");
  // Neither the first address of a range nor its last.
  EXPECT_EQ(handed("10.96.1.14"), "198.18.16.14");
  EXPECT_EQ(handed("10.96.0.15"), "198.18.16.1");
}

TEST_F(Map, AMoreSpecificExceptionIsNotVirtualAndAMoreSpecificPrefixIs) {
  map.set_prefixes({cidr("10.96.0.0/16"), cidr("10.96.7.7/32"), cidr("10.98.0.0/24")},
                   {cidr("10.96.7.0/24"), cidr("10.98.0.0/24")});
  EXPECT_TRUE(map.covers(address("10.96.6.7")));
  EXPECT_FALSE(map.covers(address("10.96.7.6")));
  EXPECT_TRUE(map.covers(address("10.96.7.7")));
  EXPECT_FALSE(map.covers(address("10.98.0.1")));
}

TEST_F(Map, AnIpv4AddressInAnIpv6OneIsTreatedAsWhatItIs) {
  EXPECT_TRUE(map.covers(address("::ffff:10.96.0.5")));
  EXPECT_EQ(handed("::ffff:10.96.0.5"), "::ffff:198.18.16.5");
  EXPECT_EQ(handed("10.96.0.5"), "198.18.16.5");
  EXPECT_EQ(handed("::ffff:10.97.0.5"), "::ffff:10.97.0.5");
}

TEST_F(Map, AFamilyWithoutARangeIsNeverVirtual) {
  AddressMap only_v4({cidr("198.18.16.0/28")});
  only_v4.set_prefixes({cidr("10.96.0.0/16"), cidr("fd00:96::/112")});
  EXPECT_FALSE(only_v4.covers(address("fd00:96::5")));
  EXPECT_EQ(only_v4.to_virtual(address("fd00:96::5"), seconds(1), now), address("fd00:96::5"));
  EXPECT_FALSE(AddressMap().is_virtual(address("0.0.0.0")));
}

TEST_F(Map, WhatIsNotVirtualAnyMoreKeepsItsMeaning) {
  handed("10.96.0.5");
  map.set_prefixes({});
  EXPECT_EQ(handed("10.96.0.5"), "10.96.0.5");
  EXPECT_EQ(meant("198.18.16.5"), "10.96.0.5");
}

TEST_F(Map, AFullRangeGivesNoneUntilAPromiseHasEnded) {
  for (int i = 1; i <= 14; ++i) EXPECT_NE(handed(("10.96.2." + std::to_string(i)).c_str(), seconds(i)), "none");
  EXPECT_EQ(handed("10.96.3.1"), "none");
  EXPECT_EQ(map.exhausted(), 1u);
  EXPECT_EQ(handed("10.96.2.7"), "198.18.16.7");
  now += seconds(61);  // the shortest promise was a second
  EXPECT_EQ(handed("10.96.3.1"), "198.18.16.1");
  EXPECT_EQ(meant("198.18.16.1"), "10.96.3.1");
  EXPECT_EQ(handed("10.96.3.2"), "none");
}

TEST_F(Map, AFlowKeepsItsAddressAndLongerThanThat) {
  for (int i = 1; i <= 14; ++i) handed(("10.96.2." + std::to_string(i)).c_str(), seconds(0));
  map.pin(address("198.18.16.3"));
  map.pin(address("198.18.16.3"));
  now += hours(10);
  for (int i = 1; i <= 13; ++i) EXPECT_NE(handed(("10.96.4." + std::to_string(i)).c_str(), hours(100)), "none");
  EXPECT_EQ(handed("10.96.5.1"), "none");
  EXPECT_EQ(meant("198.18.16.3"), "10.96.2.3");
  map.unpin(address("198.18.16.3"), now);
  now += hours(1);
  EXPECT_EQ(handed("10.96.5.1"), "none");  // one flow is left
  map.unpin(address("198.18.16.3"), now);
  EXPECT_EQ(handed("10.96.5.1"), "none");
  now += seconds(60);
  EXPECT_EQ(handed("10.96.5.1"), "198.18.16.3");
}

TEST_F(Map, WhatIsIdleForLongIsForgottenButNotUnderAFlow) {
  handed("10.96.0.5");
  handed("10.96.0.6");
  map.pin(address("198.18.16.6"));
  now += hours(24);
  map.expire(now);
  EXPECT_EQ(map.size(), 2u);
  now += seconds(90);
  map.expire(now);
  EXPECT_EQ(meant("198.18.16.5"), "none");
  EXPECT_EQ(meant("198.18.16.6"), "10.96.0.6");
  now += hours(24);
  map.expire(now);
  map.unpin(address("198.18.16.6"), now);
  map.expire(now + hours(24));
  EXPECT_EQ(meant("198.18.16.6"), "10.96.0.6");
  map.expire(now + hours(24) + seconds(60));
  EXPECT_EQ(map.size(), 0u);
}

TEST_F(Map, AWideRangeIsUsedToItsBoundOnly) {
  AddressMap wide({cidr("fd63::/64")});
  wide.set_prefixes({cidr("fd00::/16")});
  std::set<Address> all;
  for (std::uint32_t i = 0; i < AddressMap::kMaxAddresses + 10; ++i) {
    std::uint8_t raw[16]{0xfd, 0x00};
    store32(raw + 12, i * 7919);
    auto out = wide.to_virtual(Address::from_bytes(raw), seconds(1), now);
    if (out) all.insert(*out);
  }
  EXPECT_EQ(all.size(), AddressMap::kMaxAddresses - 2);
  EXPECT_EQ(wide.exhausted(), 12u);
  EXPECT_EQ(wide.to_real(address("fd63::1:0:0:1")), std::nullopt);
}

// A thousand random steps against the plainest list of promises.
TEST(MapAndModel, AgreeFromAnySeed) {
  struct Promise {
    Address real;
    Instant until{};
    int pins = 0;
  };
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    const AddressMap::Settings settings{seconds(1 + random.below(20)), seconds(random.below(200))};
    const std::size_t usable = 14;
    AddressMap map({cidr("198.18.16.0/28")}, settings);
    map.set_prefixes({cidr("10.96.0.0/16")});
    std::map<Address, Promise> model;  // by virtual address; those that must still hold
    Instant now{seconds(1000)};
    auto holds = [&](const Promise& promise) { return promise.pins > 0 || promise.until > now; };
    for (int step = 0; step < 1000; ++step) {
      const auto action = random.below(10);
      if (action < 4) {
        const Address real = Address::v4(10, 96, 0, std::uint8_t(random.below(40)));
        const Duration keep = seconds(random.below(60));
        const auto out = map.to_virtual(real, keep, now);
        std::size_t held = 0;
        const Promise* mine = nullptr;
        Address at;
        for (const auto& [address, promise] : model) {
          held += holds(promise);
          if (holds(promise) && promise.real == real) mine = &promise, at = address;
        }
        if (mine) {
          ASSERT_EQ(out, at);
        } else {
          ASSERT_EQ(out.has_value(), held < usable);
        }
        if (!out) continue;
        Promise& promise = model[*out];
        if (holds(promise)) {
          ASSERT_EQ(promise.real, real);
        } else if (promise.real != real) {
          promise = {};
        }
        promise.real = real;
        promise.until = std::max(promise.until, now + keep + settings.margin);
      } else if (action < 6 && !model.empty()) {
        auto it = std::next(model.begin(), std::ptrdiff_t(random.below(model.size())));
        if (!holds(it->second)) continue;
        map.pin(it->first);
        ++it->second.pins;
      } else if (action < 8 && !model.empty()) {
        auto it = std::next(model.begin(), std::ptrdiff_t(random.below(model.size())));
        if (it->second.pins == 0) continue;
        map.unpin(it->first, now);
        --it->second.pins;
        it->second.until = std::max(it->second.until, now + settings.margin);
      } else if (action == 8) {
        now += seconds(random.below(40));
      } else {
        map.expire(now);
        for (const auto& [address, promise] : model) {
          if (promise.pins == 0 && promise.until + settings.idle <= now) {
            ASSERT_NE(map.to_real(address), promise.real);
          }
        }
      }
      for (const auto& [address, promise] : model) {
        if (holds(promise)) {
          ASSERT_EQ(map.to_real(address), promise.real);
        }
      }
      ASSERT_LE(map.size(), usable);
    }
  }
}

}  // namespace
}  // namespace causeway::engine

#include "platform/client/virtual_addresses.h"

#include <gtest/gtest.h>

namespace causeway::platform {
namespace {

std::vector<std::string> texts(const std::vector<packet::Address>& addresses) {
  std::vector<std::string> out;
  for (const packet::Address& each : addresses) out.push_back(each.text());
  return out;
}

TEST(VirtualAddresses, FollowTheSlot) {
  VirtualAddresses first = virtual_addresses(0, true, true);
  EXPECT_EQ(texts(first.own), (std::vector<std::string>{"198.19.0.1", "fd63:6175:7365::1"}));
  EXPECT_EQ(texts(first.stub), (std::vector<std::string>{"198.19.0.53", "fd63:6175:7365::53"}));
  VirtualAddresses last = virtual_addresses(255, true, true);
  EXPECT_EQ(texts(last.own), (std::vector<std::string>{"198.19.255.1", "fd63:6175:7365:ff::1"}));
}

TEST(VirtualAddresses, AreOfTheFamiliesInUseOnly) {
  EXPECT_EQ(texts(virtual_addresses(3, true, false).stub), std::vector<std::string>{"198.19.3.53"});
  EXPECT_EQ(texts(virtual_addresses(3, false, true).own), std::vector<std::string>{"fd63:6175:7365:3::1"});
}

TEST(AddressSlots, GiveTheLowestFreeOneUntilNoneIsLeft) {
  AddressSlots slots;
  unsigned first = slots.take(0).value();
  unsigned second = slots.take(0).value();
  EXPECT_GT(second, first);
  slots.give_back(first);
  EXPECT_EQ(slots.take(0), first);
  EXPECT_GE(slots.take(100).value(), 100u);
  while (slots.take(0)) {
  }
  EXPECT_FALSE(slots.take(0));
}

}  // namespace
}  // namespace causeway::platform

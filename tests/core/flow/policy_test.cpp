// Which destinations a gateway dials.
#include "core/flow/policy.h"

#include <gtest/gtest.h>

#include "core/flow/destination.h"

namespace causeway::flow {
namespace {

packet::Endpoint at(std::string_view address, std::uint16_t port = 80) { return {*packet::Address::parse(address), port}; }
packet::Cidr cidr(std::string_view text) { return *packet::Cidr::parse(text); }

TEST(Policy, ByDefaultEverythingButWhatIsTheMachinesOwn) {
  Policy policy;
  for (const char* good : {"10.96.0.10", "192.168.1.1", "8.8.8.8", "fd00:10::a", "2001:db8::1", "::ffff:10.0.0.1", "169.253.255.255"}) {
    EXPECT_TRUE(policy.allows(at(good))) << good;
  }
  for (const char* bad : {"0.0.0.0", "::", "127.0.0.1", "127.255.255.254", "::1", "169.254.169.254", "169.254.0.1", "fe80::1",
                          "224.0.0.1", "ff02::1", "255.255.255.255", "fd00:ec2::254"}) {
    EXPECT_FALSE(policy.allows(at(bad))) << bad;
  }
}

TEST(Policy, AMappedAddressIsJudgedAsWhatItStandsFor) {
  Policy policy;
  for (const char* bad : {"::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::ffff:255.255.255.255"}) {
    EXPECT_FALSE(policy.allows(at(bad))) << bad;
  }
  Policy listed({cidr("10.0.0.0/8")}, {cidr("10.1.0.0/16")});
  EXPECT_TRUE(listed.allows(at("::ffff:10.2.0.1")));
  EXPECT_FALSE(listed.allows(at("::ffff:10.1.0.1")));
  EXPECT_FALSE(listed.allows(at("::ffff:11.0.0.1")));
}

TEST(Policy, AListAllowsExactlyWhatItHolds) {
  Policy policy({cidr("10.96.0.0/12"), cidr("fd00::/8"), cidr("127.0.0.0/8")}, {});
  EXPECT_TRUE(policy.allows(at("10.96.0.1")));
  EXPECT_TRUE(policy.allows(at("fd12::1")));
  EXPECT_TRUE(policy.allows(at("127.0.0.1"))) << "who lists it means it";
  EXPECT_FALSE(policy.allows(at("10.112.0.1")));
  EXPECT_FALSE(policy.allows(at("8.8.8.8")));
}

TEST(Policy, DenyWinsOverBoth) {
  Policy listed({cidr("10.0.0.0/8")}, {cidr("10.0.0.5/32")});
  EXPECT_FALSE(listed.allows(at("10.0.0.5")));
  EXPECT_TRUE(listed.allows(at("10.0.0.6")));
  Policy open({}, {cidr("0.0.0.0/0")});
  EXPECT_FALSE(open.allows(at("8.8.8.8")));
  EXPECT_TRUE(open.allows(at("2001:db8::1")));
}

TEST(Policy, TheGatewayIsNeverDialledOnItsOwnPort) {
  Policy policy({cidr("10.0.0.0/8")}, {});
  policy.set_own({at("10.0.0.7", 7700), at("fd00::7", 7700)});
  EXPECT_FALSE(policy.allows(at("10.0.0.7", 7700)));
  EXPECT_FALSE(policy.allows(at("::ffff:10.0.0.7", 7700)));
  EXPECT_TRUE(policy.allows(at("10.0.0.7", 80)));
  EXPECT_TRUE(policy.allows(at("10.0.0.8", 7700)));
}

TEST(Destination, SaysForLogsWhereItGoes) {
  EXPECT_EQ((Destination{Protocol::kTcp, {}, at("10.96.0.10", 80)}.text()), "tcp 10.96.0.10:80");
  EXPECT_EQ((Destination{Protocol::kUdp, {}, at("2001:db8::1", 53)}.text()), "udp [2001:db8::1]:53");
  EXPECT_EQ((Destination{Protocol::kTcp, "orders.shop", at("0.0.0.0", 80)}.text()), "tcp orders.shop:80");
  EXPECT_EQ((Destination{Protocol::kEcho, {}, at("10.96.0.10", 0)}.text()), "echo 10.96.0.10");
  EXPECT_EQ((Destination{Protocol::kDns, {}, {}}.text()), "dns");
}

}  // namespace
}  // namespace causeway::flow

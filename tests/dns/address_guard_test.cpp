#include "dns/address_guard.h"

#include <gtest/gtest.h>

#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace test;

packet::Address address(std::string_view text) { return *packet::Address::parse(text); }

TEST(AddressGuard, NobodyMayGiveThisMachineOrWhoIsNearIt) {
  AddressGuard guard;
  guard.set_own({address("192.168.1.20"), address("2001:db8::20")});
  for (const char* text :
       {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0",
        "169.254.1.1", "169.254.169.254", "fe80::1", "::ffff:169.254.1.1", "224.0.0.251", "ff02::fb", "255.255.255.255",
        "192.168.1.20", "::ffff:192.168.1.20", "2001:db8::20"}) {
    EXPECT_TRUE(guard.forbids(address(text))) << text;
  }
  for (const char* text : {"10.96.0.1", "192.168.1.21", "8.8.8.8", "2001:db8::21", "fd00:96::1", "1.0.0.0"}) {
    EXPECT_FALSE(guard.forbids(address(text))) << text;
  }
  guard.set_own({});
  EXPECT_FALSE(guard.forbids(address("192.168.1.20")));
}

TEST(AddressGuard, WhatLeadsIntoTheClusterAllTheSameIsAllowed) {
  engine::AddressMap map({*packet::Cidr::parse("198.18.0.0/20")});
  map.set_prefixes({*packet::Cidr::parse("10.96.0.0/16")});
  AddressGuard guard({*packet::Cidr::parse("169.254.169.254/32"), *packet::Cidr::parse("127.0.0.0/8"),
                      *packet::Cidr::parse("0.0.0.0/0")},
                     &map);
  EXPECT_FALSE(guard.forbids(address("169.254.169.254")));
  EXPECT_TRUE(guard.forbids(address("127.0.0.1"))) << "nothing makes loopback a cluster's";
  EXPECT_TRUE(guard.forbids(address("0.0.0.0")));
  EXPECT_TRUE(guard.forbids(address("224.0.0.1")));
  AddressGuard strict({}, &map);
  EXPECT_TRUE(strict.set_own({address("10.96.0.7"), address("10.97.0.7")}));
  EXPECT_FALSE(strict.set_own({address("10.97.0.7"), address("::ffff:10.96.0.7")})) << "the same";
  EXPECT_FALSE(strict.forbids(address("10.96.0.7"))) << "virtual here: it is not this machine that is meant";
  EXPECT_TRUE(strict.forbids(address("10.97.0.7")));
}

TEST(AddressGuard, LooksIntoEveryRecordThatGivesAddresses) {
  AddressGuard guard;
  EXPECT_TRUE(guard.forbids(kTypeA, bytes({127, 0, 0, 1})));
  EXPECT_FALSE(guard.forbids(kTypeA, bytes({10, 0, 0, 1})));
  EXPECT_FALSE(guard.forbids(kTypeTxt, bytes({127, 0, 0, 1})));
  EXPECT_FALSE(guard.forbids(kTypeA, bytes({127, 0, 0}))) << "no address, and nobody will take it for one";
  Message loopback(16, 0);
  loopback[15] = 1;
  EXPECT_TRUE(guard.forbids(kTypeAaaa, loopback));
  // HTTPS: priority 1, target ".", alpn=h2, ipv4hint, ipv6hint.
  Message head = bytes({0, 1, 0, 0, 1, 0, 3, 2, 'h', '2'});
  Message good4 = bytes({0, 4, 0, 4, 10, 0, 0, 1}), bad4 = bytes({0, 4, 0, 8, 10, 0, 0, 1, 127, 0, 0, 1});
  Message bad6 = bytes({0, 6, 0, 16}) + loopback;
  EXPECT_FALSE(guard.forbids(kTypeHttps, head + good4));
  EXPECT_TRUE(guard.forbids(kTypeHttps, head + bad4));
  EXPECT_TRUE(guard.forbids(kTypeSvcb, head + good4 + bad6));
  for (std::size_t size = 0; size < (head + bad6).size(); ++size) {
    Message cut = head + bad6;
    cut.resize(size);
    EXPECT_FALSE(guard.forbids(kTypeHttps, cut)) << size;
  }
}

}  // namespace
}  // namespace causeway::dns

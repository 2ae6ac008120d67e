#include "platform/host/resolv_conf.h"

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace causeway::platform {
namespace {

using packet::Address;

constexpr const char* kKeeper = "/var/lib/causeway/journal/resolver";

Address address(const char* text) { return *Address::parse(text); }

StandIn stub(const char* profile, const char* server) { return {profile, {address(server)}}; }

TEST(ResolvConf, IsReadAsTheCLibraryReadsIt) {
  ResolvConf conf = parse_resolv_conf(
      "# nameserver 1.1.1.1\n; nameserver 2.2.2.2\nnameserver 192.0.2.53\nnameserver\t2001:db8::53 \r\n"
      " nameserver 3.3.3.3\nnameserver\nnameservers 4.4.4.4\nnameserver fe80::1%eth0\nnameserver nonsense\n"
      "domain first.example\nsearch a.example\tb.example  c.example\noptions ndots:5");
  EXPECT_EQ(conf.servers, (std::vector<Address>{address("192.0.2.53"), address("2001:db8::53")}));
  EXPECT_EQ(conf.search, (std::vector<std::string>{"a.example", "b.example", "c.example"}));
}

TEST(ResolvConf, TheLastOfSearchAndDomainCounts) {
  EXPECT_EQ(parse_resolv_conf("search a b\ndomain c d\n").search, std::vector<std::string>{"c"});
  EXPECT_TRUE(parse_resolv_conf("").search.empty());
  EXPECT_TRUE(parse_resolv_conf("\n\n\n").servers.empty());
}

TEST(ResolvConf, TheStandInNamesTheFirstStubAloneAndKeepsTheRest) {
  std::string text = render_stand_in("# hello\nnameserver 192.0.2.53\nsearch home.example\noptions ndots:5 rotate\n",
                                     {stub("demo", "10.96.255.1"), stub("stage", "10.200.255.1")}, kKeeper);
  ResolvConf conf = parse_resolv_conf(text);
  EXPECT_EQ(conf.servers, std::vector<Address>{address("10.96.255.1")});
  EXPECT_EQ(conf.search, std::vector<std::string>{"home.example"});
  EXPECT_NE(text.find("\noptions ndots:5 rotate\n"), std::string::npos);
  EXPECT_NE(text.find("demo, stage"), std::string::npos);
}

TEST(ResolvConf, TheOriginalCanBeHadBackFromTheStandIn) {
  for (std::string original :
       {"nameserver 1.2.3.4\n", "", "\n\n# x\n#= nameserver 9.9.9.9\nsearch a\n", "\t odd \r\n"}) {
    std::string text = render_stand_in(original, {stub("demo", "10.96.255.1")}, kKeeper);
    EXPECT_TRUE(is_stand_in(text, kKeeper));
    EXPECT_EQ(original_of_stand_in(text), original);
  }
}

TEST(ResolvConf, AStandInOfAnotherKeeperIsAFileLikeAnyOther) {
  std::string theirs = render_stand_in("nameserver 1.2.3.4\n", {stub("demo", "10.96.255.1")}, "/elsewhere/resolver");
  EXPECT_FALSE(is_stand_in(theirs, kKeeper));
  EXPECT_FALSE(is_stand_in("nameserver 1.2.3.4\n", kKeeper));
  // Not even when it stands behind one of ours.
  std::string ours = render_stand_in(theirs, {stub("stage", "10.200.255.1")}, kKeeper);
  EXPECT_FALSE(is_stand_in(ours, "/elsewhere/resolver"));
  EXPECT_EQ(original_of_stand_in(ours), theirs);
}

TEST(ResolvConf, WhatSomebodyAddedToTheStandInStaysWhenOursIsTakenOut) {
  std::string original = "nameserver 192.0.2.53\nnameserver 192.0.2.54\nsearch home.example\n";
  std::string text = render_stand_in(original, {stub("demo", "10.96.255.1")}, kKeeper) + "options timeout:1\n";
  EXPECT_EQ(take_out(text, {address("10.96.255.1")}, original), original + "options timeout:1\n");
  std::string foreign = "nameserver 8.8.8.8\n";
  EXPECT_EQ(take_out(foreign, {address("10.96.255.1")}, original), foreign);
}

TEST(ResolvConf, AnythingAtAllCanBeReadAndStoodInFor) {
  SeededRandom random(7);
  constexpr std::string_view kParts[]{
      "nameserver", "search", " ", "\t", "\n", "#= ", "# causeway: ", "10.0.0.1", "::1", "x", "\0", "\r"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint64_t n = random.below(40); n > 0; --n) text += kParts[random.below(std::size(kParts))];
    parse_resolv_conf(text);
    take_out(text, {address("10.0.0.1")}, text);
    std::string stand_in = render_stand_in(text, {stub("demo", "10.96.255.1")}, kKeeper);
    EXPECT_EQ(parse_resolv_conf(stand_in).servers, std::vector<Address>{address("10.96.255.1")}) << text;
    if (!text.empty() && text.back() != '\n') text += '\n';
    EXPECT_EQ(original_of_stand_in(stand_in), text);
  }
}

}  // namespace
}  // namespace causeway::platform

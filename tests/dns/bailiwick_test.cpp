#include "dns/bailiwick.h"

#include <gtest/gtest.h>

#include "dns/record.h"
#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace test;
using Verdict = Bailiwick::Verdict;

constexpr std::string_view kOrders = "orders.shop.svc.cluster.local";

class BailiwickTest : public testing::Test {
 protected:
  static Rules make_rules() {
    RulesConfig config;
    config.profile = "demo";
    config.namespaces = {"shop"};
    config.routes = {*packet::Cidr::parse("10.96.0.0/12")};
    config.include = {"corp.internal"};
    config.exclude = {"redis"};
    config.mappings = {{"pay.shop", {}, packet::Address::v4(127, 0, 0, 1)}};
    return *Rules::create(config);
  }

  Bailiwick check(const Parts& parts) {
    message = encode(parts);
    view = *parse_answer(message);
    return clusters_part(message, view, rules, guard);
  }
  static Parts answer(std::string_view name, std::vector<Rr> answers, std::uint16_t type = kTypeA, int rcode = 0) {
    Parts parts;
    parts.flags = std::uint16_t(kAnswer | kFlagAuthentic | rcode);
    parts.questions = {question(name, type)};
    parts.answers = std::move(answers);
    return parts;
  }
  // The owners of what was kept, in their order.
  static std::vector<std::string> owners(const Bailiwick& part) {
    std::vector<std::string> out;
    RecordReader records(part.message, part.view.head.end);
    Record record;
    while (records.next(record)) {
      std::size_t at = record.start;
      out.push_back(Name::read(part.message, at, Name::Compression::kAllowed)->text());
    }
    return out;
  }

  Rules rules = make_rules();
  AddressGuard guard;
  Message message;
  AnswerView view;
};

TEST_F(BailiwickTest, AnHonestAnswerIsLeftAsItIs) {
  Parts parts = answer(kOrders, {a(kOrders), a(kOrders, 2)});
  parts.authority = {soa("cluster.local", 60, 5)};
  parts.additional = {a("ns.dns.cluster.local"), opt(1232)};
  Bailiwick part = check(parts);
  EXPECT_EQ(part.verdict, Verdict::kWhole);
  EXPECT_TRUE(part.message.empty());
  EXPECT_EQ(part.foreign + part.blocked, 0u);
}

TEST_F(BailiwickTest, RecordsOfOtherNamesAreLeftOutOfTheAnswer) {
  Bailiwick part = check(answer(kOrders, {a("github.com", 66), a(kOrders), a("other.shop.svc.cluster.local", 67)}));
  EXPECT_EQ(part.verdict, Verdict::kPart);
  EXPECT_EQ(owners(part), std::vector<std::string>{std::string(kOrders)});
  EXPECT_EQ(part.foreign, 2u) << "also a name of the cluster that nobody asked for";
  EXPECT_EQ(part.view.answers, 1u);
  EXPECT_FALSE(part.view.head.flags & kFlagAuthentic);
}

TEST_F(BailiwickTest, AnAnswerAboutNothingButOtherNamesIsNone) {
  EXPECT_EQ(check(answer(kOrders, {a("github.com", 66)})).verdict, Verdict::kUnrelated);
  Bailiwick no = check(answer(kOrders, {a("github.com", 66)}, kTypeA, 3));
  EXPECT_EQ(no.verdict, Verdict::kPart);
  EXPECT_EQ(no.view.head.rcode, Rcode::kNxDomain);
  EXPECT_EQ(no.view.answers, 0u);
}

TEST_F(BailiwickTest, AuthorityAndAdditionalRecordsOutsideTheClusterAreLeftOut) {
  Parts parts = answer(kOrders, {a(kOrders)});
  parts.authority = {soa("com", 60, 5),
                     soa("cluster.local", 60, 5),
                     {wire("com"), kTypeNs, 60, wire("ns.evil.example")},
                     {wire("."), kTypeNs, 60, wire("ns.evil.example")},
                     {wire("cluster.local"), kTypeNs, 60, wire("ns.dns.cluster.local")}};
  parts.additional = {a("ns.evil.example", 66), a("ns.dns.cluster.local"), opt(1232), a("www.github.com", 67)};
  Bailiwick part = check(parts);
  EXPECT_EQ(part.verdict, Verdict::kPart);
  EXPECT_EQ(owners(part), (std::vector<std::string>{std::string(kOrders), "cluster.local", "cluster.local",
                                                    "ns.dns.cluster.local", "."}));
  EXPECT_EQ(part.foreign, 5u);
  EXPECT_NE(part.view.opt, 0u);
}

TEST_F(BailiwickTest, TheSoaOfAZoneThatTheNameLiesInIsNeededForANo) {
  Parts parts = answer("1.0.96.10.in-addr.arpa", {}, kTypePtr, 3);
  parts.authority = {soa("10.in-addr.arpa", 60, 5)};
  EXPECT_EQ(check(parts).verdict, Verdict::kWhole);
  parts.authority = {soa("11.in-addr.arpa", 60, 5)};
  EXPECT_EQ(check(parts).foreign, 1u);
}

TEST_F(BailiwickTest, AliasesAreFollowedWhileTheyStayInTheCluster) {
  Bailiwick part = check(
      answer("alias.infra.svc.cluster.local", {cname("alias.infra.svc.cluster.local", "b.infra.svc.cluster.local"),
                                               cname("b.infra.svc.cluster.local", kOrders), a(kOrders)}));
  EXPECT_EQ(part.verdict, Verdict::kWhole);
  part = check(answer("alias.infra.svc.cluster.local",
                      {a("github.com", 66), a(kOrders), cname("alias.infra.svc.cluster.local", kOrders)}));
  EXPECT_EQ(part.verdict, Verdict::kPart) << "in whatever order they stand";
  EXPECT_EQ(part.view.answers, 2u);
}

TEST_F(BailiwickTest, WhatTheProfileIncludesMayBeAnsweredToo) {
  EXPECT_EQ(check(answer("db.corp.internal", {a("db.corp.internal")})).verdict, Verdict::kWhole);
  EXPECT_EQ(check(answer(kOrders, {cname(kOrders, "db.corp.internal"), a("db.corp.internal")})).verdict,
            Verdict::kWhole);
}

TEST_F(BailiwickTest, AtANameThatIsNotTheClustersTheAnswerEnds) {
  // Outside; excluded; mapped; and short names, which mean what the rules say and not what the cluster does.
  for (const char* away : {"db.example.com", "redis.shop.svc.cluster.local", "pay.shop.svc.cluster.local",
                           "orders.shop", "wpad.shop.svc.cluster.local", "localhost"}) {
    Bailiwick part = check(answer("x.shop.svc.cluster.local",
                                  {cname("x.shop.svc.cluster.local", "y.shop.svc.cluster.local"),
                                   cname("y.shop.svc.cluster.local", away), a(away, 66), a("github.com", 67)}));
    EXPECT_EQ(part.verdict, Verdict::kLeadsAway) << away;
    ASSERT_EQ(part.aliases.size(), 2u) << away;
    EXPECT_EQ(part.aliases[0].target.text(), "y.shop.svc.cluster.local");
    EXPECT_EQ(part.aliases[1].owner.text(), "y.shop.svc.cluster.local");
    EXPECT_EQ(part.aliases[1].target.text(), away);
    EXPECT_EQ(part.aliases[1].ttl, 60u);
    EXPECT_EQ(part.foreign, 2u);
  }
}

TEST_F(BailiwickTest, WhoAsksForTheAliasItselfIsNotLedOn) {
  for (std::uint16_t type : {kTypeCname, kTypeAny}) {
    Bailiwick part = check(answer(kOrders, {cname(kOrders, "db.example.com"), a("db.example.com", 66)}, type));
    EXPECT_EQ(part.verdict, Verdict::kPart);
    EXPECT_EQ(part.view.answers, 1u);
  }
}

TEST_F(BailiwickTest, CirclesAndChainsWithoutEndAreFound) {
  EXPECT_EQ(check(answer(kOrders, {cname(kOrders, kOrders)})).verdict, Verdict::kEndless);
  EXPECT_EQ(
      check(answer(kOrders, {cname(kOrders, "b.shop.svc.cluster.local"), cname("b.shop.svc.cluster.local", kOrders)}))
          .verdict,
      Verdict::kEndless);
  auto chain = [&](std::size_t length) {
    std::vector<Rr> records;
    auto at = [](std::size_t i) { return "n" + std::to_string(i) + ".shop.svc.cluster.local"; };
    for (std::size_t i = 0; i < length; ++i) records.push_back(cname(at(i), at(i + 1)));
    records.push_back(a(at(length)));
    return check(answer("n0.shop.svc.cluster.local", std::move(records))).verdict;
  };
  EXPECT_EQ(chain(kMaxAliases), Verdict::kWhole);
  EXPECT_EQ(chain(kMaxAliases + 1), Verdict::kEndless);
}

TEST_F(BailiwickTest, ADnameOfTheClusterStaysWithTheAliasMadeOfIt) {
  Rr dname{wire("old.svc.cluster.local"), kTypeDname, 60, wire("shop.svc.cluster.local")};
  Rr other{wire("com"), kTypeDname, 60, wire("evil.example")};
  Bailiwick part = check(answer("orders.old.svc.cluster.local",
                                {dname, other, cname("orders.old.svc.cluster.local", kOrders), a(kOrders)}));
  EXPECT_EQ(part.verdict, Verdict::kPart);
  EXPECT_EQ(owners(part),
            (std::vector<std::string>{"old.svc.cluster.local", "orders.old.svc.cluster.local", std::string(kOrders)}));
}

TEST_F(BailiwickTest, AddressesThatNoClusterMayGiveAreLeftOut) {
  guard.set_own({packet::Address::v4(10, 96, 0, 9)});
  Rr loopback{wire(kOrders), kTypeA, 60, bytes({127, 0, 0, 1})};
  Bailiwick part = check(answer(kOrders, {loopback, a(kOrders, 8), a(kOrders, 9)}));
  EXPECT_EQ(part.verdict, Verdict::kPart);
  EXPECT_EQ(part.view.answers, 1u);
  EXPECT_EQ(part.blocked, 2u);
  part = check(answer(kOrders, {a(kOrders, 9), loopback}));
  EXPECT_EQ(part.verdict, Verdict::kBlocked) << "nothing is left";
  for (const char* text : {"::1", "::ffff:127.0.0.1", "fe80::1", "ff02::1", "::ffff:10.96.0.9"}) {
    EXPECT_EQ(check(answer(kOrders, {aaaa(kOrders, text)}, kTypeAaaa)).verdict, Verdict::kBlocked) << text;
  }
  Parts parts = answer(kOrders, {cname(kOrders, "b.shop.svc.cluster.local"), a("b.shop.svc.cluster.local", 9)});
  EXPECT_EQ(check(parts).verdict, Verdict::kBlocked) << "behind an alias";
}

TEST_F(BailiwickTest, AlsoFromTheAdditionalSectionWithoutHarmToTheAnswer) {
  Parts parts = answer(
      "_http._tcp.orders.shop.svc.cluster.local",
      {{wire("_http._tcp.orders.shop.svc.cluster.local"), kTypeSrv, 60, bytes({0, 0, 0, 0, 0, 80}) + wire(kOrders)}},
      kTypeSrv);
  parts.additional = {{wire(kOrders), kTypeA, 60, bytes({127, 0, 0, 1})}, a(kOrders, 8)};
  Bailiwick part = check(parts);
  EXPECT_EQ(part.verdict, Verdict::kPart);
  EXPECT_EQ(part.view.answers, 1u);
  EXPECT_EQ(part.blocked, 1u);
  Parts no = answer("nothing.shop.svc.cluster.local", {}, kTypeA, 3);
  no.additional = parts.additional;
  EXPECT_EQ(check(no).view.head.rcode, Rcode::kNxDomain) << "a no stays one";
}

TEST_F(BailiwickTest, OfAForeignAnswerOnlyTheAddressesAreLookedAt) {
  message = encode(
      answer("db.example.com", {cname("db.example.com", "x.example.net"), a("x.example.net"), a("y.example.org")}));
  view = *parse_answer(message);
  EXPECT_EQ(without_blocked(message, view, guard).verdict, Verdict::kWhole);
  guard.set_own({packet::Address::v4(10, 96, 0, 1)});
  EXPECT_EQ(without_blocked(message, view, guard).verdict, Verdict::kBlocked);
}

}  // namespace
}  // namespace causeway::dns

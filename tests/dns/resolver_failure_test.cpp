#include "tests/dns/resolving.h"

namespace causeway::dns {
namespace {

using namespace test;

TEST_F(ResolverTest, ServfailOfTheClusterIsNeverHidden) {
  ask("orders.shop");
  cluster_says(take(cluster), 2);
  EXPECT_EQ(outcome().rcode, Rcode::kServFail);
  expect_quiet();
}

TEST_F(ResolverTest, SilenceOfTheClusterIsServfailAfterFourSecondsAndIsExplained) {
  ask("orders.shop");
  Sent sent = take(cluster);
  pass(4s - 1ns);
  EXPECT_TRUE(outcomes.empty());
  pass(1ns);
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kServFail);
  EXPECT_TRUE(got.message.empty());
  ASSERT_TRUE(got.why);
  EXPECT_EQ(got.why->code, Explanation::kNoReachableAuthority);
  EXPECT_EQ(forgotten, std::vector<DnsRequestId>{sent.request});
  EXPECT_EQ(counters.timed_out, 1u);
  cluster_says(sent, 0, {a("orders.shop.svc.cluster.local")});
  expect_quiet();
}

TEST_F(ResolverTest, FailuresOfTheClusterAreToldAsTheyAre) {
  struct Case {
    DnsFailure failure;
    Explanation::Code code;
  };
  for (Case c :
       {Case{DnsFailure::kNoLink, Explanation::kNetworkError}, Case{DnsFailure::kRefused, Explanation::kNetworkError},
        Case{DnsFailure::kTimedOut, Explanation::kNoReachableAuthority},
        Case{DnsFailure::kUnreachable, Explanation::kNetworkError}}) {
    ask("orders.shop");
    Sent sent = take(cluster);
    resolver.cluster_failed(sent.request, c.failure, now);
    collect();
    Outcome got = outcome();
    EXPECT_EQ(got.rcode, Rcode::kServFail);
    EXPECT_EQ(got.why->code, c.code);
    resolver.cluster_failed(sent.request, c.failure, now);  // once more, late
    collect();
    expect_quiet();
  }
}

TEST_F(ResolverTest, MachineFailuresAndSilenceAreServfail) {
  ask("a.b.c.example");
  Sent sent = take(machine);
  resolver.machine_failed(sent.request, DnsFailure::kUnreachable, now);
  collect();
  EXPECT_EQ(outcome().rcode, Rcode::kServFail);
  ask("a.b.c.example");
  take(machine);
  pass(12s);
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kServFail);
  EXPECT_EQ(got.why->code, Explanation::kNoReachableAuthority);
  expect_quiet();
}

TEST_F(ResolverTest, AnAnswerThatCannotBeReadIsServfail) {
  ask("orders.shop");
  Sent sent = take(cluster);
  Message message = encode(reply(sent, 0, {a("orders.shop.svc.cluster.local")}));
  message.pop_back();
  resolver.cluster_answered(sent.request, message, now);
  ask("a.b.c.example");
  sent = take(machine);
  message = encode(reply(sent, 0, {a("a.b.c.example")}));
  message.pop_back();
  resolver.machine_answered(sent.request, message, now);
  collect();
  EXPECT_EQ(outcome().rcode, Rcode::kServFail);
  EXPECT_EQ(outcome().rcode, Rcode::kServFail);
  EXPECT_EQ(counters.malformed, 2u);
  expect_quiet();
}

TEST_F(ResolverTest, WhileTheLinkIsDownOnlyTheClustersNamesFail) {
  resolver.link_changed(false, now);
  ask("orders.shop");
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kServFail);
  EXPECT_EQ(got.why->code, Explanation::kNetworkError);
  ask("github.com");
  EXPECT_EQ(take(machine).asked, "github.com") << "at once, without waiting for the cluster";
  ask("printer");
  EXPECT_EQ(outcome().rcode, Rcode::kServFail);
}

TEST_F(ResolverTest, WhatWasUnderWayWhenTheLinkDiedIsSettledAtOnce) {
  ask("orders.shop");
  ask("github.com");
  ask("a.b.c.example");
  EXPECT_EQ(cluster.size(), 2u);
  Sent elsewhere = take(machine);
  resolver.link_changed(false, now);
  collect();
  EXPECT_EQ(outcome().rcode, Rcode::kServFail);
  EXPECT_EQ(forgotten.size(), 2u);
  EXPECT_EQ(take(machine).asked, "github.com");
  machine_says(elsewhere, 0);
  EXPECT_EQ(outcome().rcode, Rcode::kNoError) << "the machine's question goes on";
}

}  // namespace
}  // namespace causeway::dns

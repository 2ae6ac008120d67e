#include "tests/dns/resolving.h"

namespace causeway::dns {
namespace {

using namespace test;

TEST_F(ResolverTest, AListedNamespaceIsAskedOfTheClusterByItsFullName) {
  AskerId asker = ask("Orders.shop");
  Sent sent = take(cluster);
  EXPECT_EQ(sent.asked, "Orders.shop.svc.cluster.local");
  cluster_says(sent, 0, {a("orders.shop.svc.cluster.local", 7)});
  Outcome got = outcome();
  EXPECT_EQ(got.askers, std::vector<AskerId>{asker});
  EXPECT_EQ(got.rcode, Rcode::kNoError);
  EXPECT_EQ(got.view.head.question->name.text(), "Orders.shop");
  EXPECT_EQ(got.view.answers, 1u);
  expect_quiet();
}

TEST_F(ResolverTest, ANegativeAnswerOutsideTheClusterDomainGoesToTheMachine) {
  for (int rcode : {3, 5, 9}) {
    ask("orders.shop");
    cluster_says(take(cluster), rcode);
    Sent sent = take(machine);
    EXPECT_EQ(sent.asked, "orders.shop") << "as it was asked";
    machine_says(sent, 0, {a("orders.shop", 9)});
    EXPECT_EQ(outcome().rcode, Rcode::kNoError);
  }
  EXPECT_EQ(counters.fell_through, 3u);
  expect_quiet();
}

TEST_F(ResolverTest, TheMachinesNoIsTheLastWord) {
  ask("nosuch.shop");
  cluster_says(take(cluster), 3);
  machine_says(take(machine), 3);
  EXPECT_EQ(outcome().rcode, Rcode::kNxDomain);
  expect_quiet();
}

TEST_F(ResolverTest, ANegativeAnswerUnderTheClusterDomainStands) {
  ask("nosuch.shop.svc.cluster.local");
  cluster_says(take(cluster), 3);
  EXPECT_EQ(outcome().rcode, Rcode::kNxDomain);
  expect_quiet();
}

TEST_F(ResolverTest, NoDataIsAnAnswer) {
  ask("orders.shop", kTypeAaaa);
  cluster_says(take(cluster), 0);
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kNoError);
  EXPECT_EQ(got.view.answers, 0u);
  expect_quiet();
}

TEST_F(ResolverTest, SingleLabelsAndReverseNamesFallThroughToo) {
  ask("printer");
  Sent sent = take(cluster);
  EXPECT_EQ(sent.asked, "printer.team.svc.cluster.local");
  cluster_says(sent, 3);
  EXPECT_EQ(take(machine).asked, "printer");
  ask("1.0.96.10.in-addr.arpa", kTypePtr);
  sent = take(cluster);
  EXPECT_EQ(sent.asked, "1.0.96.10.in-addr.arpa");
  cluster_says(sent, 3);
  EXPECT_EQ(take(machine).asked, "1.0.96.10.in-addr.arpa");
}

TEST_F(ResolverTest, NobodysNamesAreAnsweredWithoutAskingAnyone) {
  ask("wpad");
  ask("wpad.shop");
  EXPECT_EQ(outcome().rcode, Rcode::kNxDomain);
  EXPECT_EQ(outcome().rcode, Rcode::kNxDomain);
  EXPECT_EQ(counters.nobody, 2u);
  expect_quiet();
}

TEST_F(ResolverTest, AnyTypeGoesToTheCluster) {
  struct Case {
    std::uint16_t type;
    Message data;
  };
  for (const Case& c : {Case{kTypeSrv, bytes({0, 0, 0, 0, 0, 80, 0})}, Case{kTypeTxt, bytes({1, 'x'})},
                        Case{kTypeMx, bytes({0, 1, 0})}, Case{65280, bytes({0xc0})}}) {
    ask("orders.shop", c.type);
    Sent sent = take(cluster);
    EXPECT_EQ(sent.query.question.type, c.type);
    cluster_says(sent, 0, {{wire("orders.shop.svc.cluster.local"), c.type, 5, c.data}});
    EXPECT_EQ(outcome().view.answers, 1u);
  }
}

}  // namespace
}  // namespace causeway::dns

#include "tests/dns/resolving.h"

namespace causeway::dns {
namespace {

using namespace test;

TEST_F(ResolverTest, ComIsAskedOnceAndGithubComNever) {
  ask("github.com");
  Sent probe = take(cluster);
  EXPECT_EQ(probe.asked, "com.svc.cluster.local");
  EXPECT_TRUE(machine.empty()) << "nothing leaves before it is known";
  cluster_says(probe, 3);
  Sent sent = take(machine);
  EXPECT_EQ(sent.asked, "github.com");
  machine_says(sent, 0, {a("github.com")});
  EXPECT_EQ(outcome().rcode, Rcode::kNoError);
  for (int i = 0; i < 29; ++i) {
    pass(1s);
    ask("host" + std::to_string(i) + ".com");
    EXPECT_TRUE(cluster.empty());
    machine_says(take(machine), 0);
    outcome();
  }
  pass(1s);
  ask("github.com");
  EXPECT_EQ(take(cluster).asked, "com.svc.cluster.local") << "asked again after 30 s";
  EXPECT_EQ(counters.namespaces, 2u);
  EXPECT_EQ(counters.cluster, 0u);
}

TEST_F(ResolverTest, ANamespaceThatIsFoundIsKnownFromThenOn) {
  ask("orders.other");
  cluster_says(take(cluster), 0);
  EXPECT_EQ(take(cluster).asked, "orders.other.svc.cluster.local");
  ask("db.other");
  EXPECT_EQ(take(cluster).asked, "db.other.svc.cluster.local");
  EXPECT_EQ(counters.namespaces, 1u);
}

TEST_F(ResolverTest, ManyWaitForOneQuestionAboutTheSameNamespace) {
  for (int i = 0; i < 20; ++i) ask("s" + std::to_string(i) + ".other");
  Sent probe = take(cluster);
  EXPECT_TRUE(cluster.empty());
  cluster_says(probe, 0);
  EXPECT_EQ(cluster.size(), 20u);
}

TEST_F(ResolverTest, AskingForTheNamespaceIsPartOfTheFourSeconds) {
  ask("orders.other");
  Sent probe = take(cluster);
  now += 900ms;
  cluster_says(probe, 0);
  take(cluster);
  pass(3100ms - 1ns);
  EXPECT_TRUE(outcomes.empty());
  pass(1ns);
  EXPECT_EQ(outcome().rcode, Rcode::kServFail);
  expect_quiet();
}

TEST_F(ResolverTest, ANamespaceThatWasThereStaysTheClustersWhileTheLinkIsDown) {
  ask("orders.other");
  cluster_says(take(cluster), 0);
  cluster_says(take(cluster), 0);
  outcome();
  resolver.link_changed(false, now);
  pass(1h);
  ask("orders.other");
  EXPECT_EQ(outcome().rcode, Rcode::kServFail);
  EXPECT_TRUE(machine.empty()) << "a stranger may own that name outside";
}

TEST_F(ResolverTest, ANewLinkMayLeadToAnotherClusterSoNamespacesAreAskedAgain) {
  ask("github.com");
  cluster_says(take(cluster), 3);
  resolver.link_changed(false, now);
  resolver.link_changed(true, now);
  ask("x.com");
  EXPECT_EQ(take(cluster).asked, "com.svc.cluster.local");
}

TEST_F(ResolverTest, ADeadClusterDelaysOtherNamesByASecondAtMostAndThenNotAtAll) {
  ask("github.com");
  take(cluster);
  pass(1s);
  EXPECT_EQ(take(machine).asked, "github.com");
  ask("example.com");
  EXPECT_EQ(take(machine).asked, "example.com") << "com is taken for absent for now";
  ask("debian.org");
  take(cluster);
  pass(1s);
  EXPECT_EQ(take(machine).asked, "debian.org");
  // Two questions without an answer: now nobody waits.
  ask("kernel.net");
  EXPECT_EQ(take(machine).asked, "kernel.net");
  Sent probe = take(cluster);
  EXPECT_EQ(probe.asked, "net.svc.cluster.local") << "but the cluster is still asked";
  ask("gnu.net");
  EXPECT_EQ(take(machine).asked, "gnu.net");
  EXPECT_TRUE(cluster.empty());
  cluster_says(probe, 3);
  ask("lwn.io");
  EXPECT_TRUE(machine.empty()) << "it answers again, so its answer is waited for";
}

TEST_F(ResolverTest, AServfailAboutANamespaceLetsTheMachineAnswer) {
  ask("github.com");
  cluster_says(take(cluster), 2);
  EXPECT_EQ(take(machine).asked, "github.com");
}

TEST_F(ResolverTest, SilenceAboutAKnownNamespaceDoesNotHandItsNamesToTheMachine) {
  ask("orders.other");
  cluster_says(take(cluster), 0);
  cluster_says(take(cluster), 0);
  outcome();
  pass(31s);
  ask("orders.other");
  EXPECT_EQ(take(cluster).asked, "other.svc.cluster.local");
  pass(1s);
  EXPECT_EQ(take(cluster).asked, "orders.other.svc.cluster.local");
  EXPECT_TRUE(machine.empty());
}

}  // namespace
}  // namespace causeway::dns

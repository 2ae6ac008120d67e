#include "dns/resolver.h"

#include <gtest/gtest.h>

#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace std::chrono_literals;
using namespace test;
using engine::DnsAction;
using engine::DnsFailure;
using engine::DnsRequestId;
using Kind = DnsAction::Kind;

// A message that the resolver wants sent.
struct Sent {
  DnsRequestId request = 0;
  Query query;
  std::string asked;
};

class ResolverTest : public testing::Test {
 protected:
  static RulesConfig rules() {
    RulesConfig config;
    config.namespaces = {"shop"};
    config.short_namespace = "team";
    config.routes = {*packet::Cidr::parse("10.96.0.0/12")};
    return config;
  }

  void SetUp() override { resolver.link_changed(true, now); }

  AskerId ask(std::string_view text, std::uint16_t type = kTypeA) { return ask(query(text, type)); }
  AskerId ask(const Query& asked) {
    resolver.ask(++last_asker, asked, now);
    collect();
    return last_asker;
  }

  // Sorts the actions into what goes where.
  void collect() {
    for (DnsAction& action : actions) {
      if (action.kind == Kind::kForget) {
        forgotten.push_back(action.request);
        continue;
      }
      ParsedQuery parsed = parse_query(action.message);
      ASSERT_EQ(parsed.verdict, ParsedQuery::Verdict::kGood);
      Sent sent{action.request, parsed.query, parsed.query.question.name.text()};
      (action.kind == Kind::kAskCluster ? cluster : machine).push_back(std::move(sent));
    }
    actions.clear();
    std::vector<Outcome> fresh;
    resolver.take_outcomes(fresh);
    for (Outcome& outcome : fresh) outcomes.push_back(std::move(outcome));
  }

  Sent take(std::vector<Sent>& from) {
    if (from.empty()) {
      ADD_FAILURE() << "nothing was asked";
      return {};
    }
    Sent first = from.front();
    from.erase(from.begin());
    return first;
  }

  static Parts reply(const Sent& to, int rcode = 0, std::vector<Rr> answers = {}) {
    Parts parts;
    parts.id = to.query.id;
    parts.flags = std::uint16_t(kAnswer | rcode);
    parts.questions = {to.query.question};
    parts.answers = std::move(answers);
    return parts;
  }
  void cluster_says(const Sent& to, int rcode, std::vector<Rr> answers = {}) {
    resolver.cluster_answered(to.request, encode(reply(to, rcode, std::move(answers))), now);
    collect();
  }
  void machine_says(const Sent& to, int rcode, std::vector<Rr> answers = {}) {
    resolver.machine_answered(to.request, encode(reply(to, rcode, std::move(answers))), now);
    collect();
  }
  void pass(Duration time) {
    now += time;
    resolver.advance(now);
    collect();
  }

  Outcome outcome() {
    if (outcomes.empty()) {
      ADD_FAILURE() << "no outcome";
      return {};
    }
    Outcome first = std::move(outcomes.front());
    outcomes.erase(outcomes.begin());
    return first;
  }
  void expect_quiet() {
    EXPECT_TRUE(cluster.empty());
    EXPECT_TRUE(machine.empty());
    EXPECT_TRUE(outcomes.empty());
    EXPECT_EQ(resolver.deadline(), kNever) << "nothing is under way";
  }

  SeededRandom random{1};
  Counters counters;
  std::vector<DnsAction> actions;
  Resolver resolver{*Rules::create(rules()), ResolverConfig{}, random, counters, actions};
  Instant now{1h};
  AskerId last_asker = 0;
  std::vector<Sent> cluster, machine;
  std::vector<DnsRequestId> forgotten;
  std::vector<Outcome> outcomes;
};

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

TEST_F(ResolverTest, AnAliasWhoseTargetDoesNotExistIsAnAnswer) {
  ask("ext.shop");
  cluster_says(take(cluster), 3, {cname("ext.shop.svc.cluster.local", "gone.example.com")});
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kNxDomain);
  EXPECT_EQ(got.view.answers, 1u);
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

TEST_F(ResolverTest, EqualQuestionsAreAskedOnceAndEachAskerIsAnsweredOnce) {
  AskerId first = ask("orders.shop");
  AskerId second = ask("ORDERS.shop");
  AskerId third = ask("orders.shop", kTypeAaaa);
  Query with_edns = query("orders.shop");
  with_edns.edns = Edns{1232, false};
  AskerId fourth = ask(with_edns);
  EXPECT_EQ(cluster.size(), 3u) << "another type and EDNS make another question";
  EXPECT_EQ(counters.coalesced, 1u);
  cluster_says(take(cluster), 0, {a("orders.shop.svc.cluster.local")});
  EXPECT_EQ(outcome().askers, (std::vector<AskerId>{first, second}));
  cluster_says(take(cluster), 0);
  EXPECT_EQ(outcome().askers, std::vector<AskerId>{third});
  cluster_says(take(cluster), 0);
  EXPECT_EQ(outcome().askers, std::vector<AskerId>{fourth});
  ask("orders.shop");
  EXPECT_EQ(cluster.size(), 1u) << "an answer is not kept";
}

TEST_F(ResolverTest, MismatchedAnswersAreIgnoredAndTheRightOneStillCounts) {
  ask("orders.shop");
  Sent sent = take(cluster);
  Parts wrong_id = reply(sent, 0, {a("orders.shop.svc.cluster.local", 66)});
  wrong_id.id ^= 1;
  Parts wrong_name = reply(sent);
  wrong_name.questions = {question("orders.shop")};
  Parts wrong_type = reply(sent);
  wrong_type.questions[0].type = kTypeAaaa;
  Parts no_question = reply(sent, 3);
  no_question.questions.clear();
  for (const Message& message : {encode(wrong_id), encode(wrong_name), encode(wrong_type), encode(no_question),
                                 Message{}, encode_query(sent.query, 512), Message(11, 0)}) {
    resolver.cluster_answered(sent.request, message, now);
  }
  resolver.machine_answered(sent.request, encode(reply(sent)), now);  // from the wrong place
  resolver.machine_failed(sent.request, DnsFailure::kRefused, now);
  resolver.cluster_answered(sent.request + 1, encode(reply(sent)), now);
  collect();
  EXPECT_TRUE(outcomes.empty());
  EXPECT_EQ(counters.mismatched, 8u);
  cluster_says(sent, 0, {a("orders.shop.svc.cluster.local")});
  EXPECT_EQ(outcome().rcode, Rcode::kNoError);
  cluster_says(sent, 0, {a("orders.shop.svc.cluster.local")});  // twice
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

TEST_F(ResolverTest, IdsAreNotTheAskersAndNotCounted) {
  std::vector<std::uint16_t> ids;
  for (int i = 0; i < 32; ++i) {
    ask("s" + std::to_string(i) + ".shop");
    ids.push_back(take(cluster).query.id);
  }
  int steps_of_one = 0;
  for (std::size_t i = 1; i < ids.size(); ++i) steps_of_one += std::uint16_t(ids[i] - ids[i - 1]) == 1;
  EXPECT_LT(steps_of_one, 3);
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

TEST_F(ResolverTest, WhateverTheOrderOfEventsEveryAskerIsAnsweredExactlyOnce) {
  const char* names[] = {"orders.shop", "github.com", "x.other",     "printer",
                         "a.b.c.d.e",   "wpad",       "y.other.svc", "shop.svc.cluster.local"};
  SeededRandom dice(42);
  std::vector<int> answered(1);
  auto drain = [&] {
    collect();
    for (Outcome& got : outcomes) {
      for (AskerId asker : got.askers) ++answered[std::size_t(asker)];
    }
    outcomes.clear();
  };
  for (int step = 0; step < 50000; ++step) {
    switch (dice.below(7)) {
      case 0:
      case 1:
        answered.push_back(0);
        ask(query(names[dice.below(std::size(names))], dice.below(2) ? kTypeA : kTypeAaaa));
        break;
      case 2:
      case 3: {
        bool of_cluster = dice.below(2);
        auto& from = of_cluster ? cluster : machine;
        if (from.empty()) break;
        const int rcodes[] = {0, 0, 2, 3, 5};
        std::swap(from.front(), from[dice.below(from.size())]);
        Sent sent = take(from);
        (of_cluster ? cluster_says(sent, rcodes[dice.below(5)]) : machine_says(sent, rcodes[dice.below(5)]));
        break;
      }
      case 4:
        if (!cluster.empty()) resolver.cluster_failed(take(cluster).request, DnsFailure(dice.below(4)), now);
        break;
      case 5: pass(std::chrono::milliseconds(dice.below(1500))); break;
      case 6:
        if (dice.below(10) == 0) resolver.link_changed(dice.below(3) != 0, now);
        break;
    }
    drain();
  }
  for (int i = 0; i < 3; ++i) {
    pass(20s);
    drain();
  }
  for (std::size_t asker = 1; asker < answered.size(); ++asker) ASSERT_EQ(answered[asker], 1) << asker;
  EXPECT_EQ(resolver.deadline(), kNever);
}

}  // namespace
}  // namespace causeway::dns

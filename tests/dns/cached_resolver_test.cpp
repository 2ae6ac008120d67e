// What the resolver keeps of the cluster's answers, and for how long.
#include "tests/dns/resolving.h"

namespace causeway::dns {
namespace {

using namespace test;

constexpr const char* kFull = "orders.shop.svc.cluster.local";

class CachedResolverTest : public ResolverTest {
 protected:
  // Asks and lets the cluster answer.
  Outcome learn(std::string_view text, int rcode, std::vector<Rr> answers, std::vector<Rr> authority = {}) {
    ask(text);
    return settle(rcode, std::move(answers), std::move(authority));
  }
  Outcome settle(int rcode, std::vector<Rr> answers, std::vector<Rr> authority = {}) {
    Sent sent = take(cluster);
    Parts parts = reply(sent, rcode, std::move(answers));
    parts.authority = std::move(authority);
    resolver.cluster_answered(sent.request, encode(parts), now);
    collect();
    return outcome();
  }
  int last_byte(const Outcome& of) { return of.message.empty() ? -1 : of.message.back(); }
};

TEST_F(CachedResolverTest, ASecondQuestionIsAnsweredWithoutTheLink) {
  Outcome first = learn("Orders.shop", 0, {a(kFull, 7, 30)});
  AskerId second = ask("orders.SHOP");
  Outcome got = outcome();
  EXPECT_EQ(got.askers, std::vector<AskerId>{second});
  EXPECT_EQ(got.message, first.message);
  EXPECT_EQ(got.view.ttl, 4u);
  EXPECT_EQ(counters.cache_hits, 1u);
  EXPECT_EQ(counters.cache_misses, 1u);
  EXPECT_EQ(counters.cache_entries, 1u);
  EXPECT_GT(counters.cache_bytes, 0u);
  expect_quiet();
}

TEST_F(CachedResolverTest, ProgramsAreToldAFewSecondsAndNeverMoreThanIsLeft) {
  EXPECT_EQ(learn("orders.shop", 0, {a(kFull, 7, 3600)}).view.ttl, 4u) << "also when it comes from the cluster";
  EXPECT_EQ(learn("db.shop", 0, {a("db.shop.svc.cluster.local", 7, 3)}).view.ttl, 3u);
  now += 1500ms;
  ask("db.shop");
  Outcome got = outcome();
  EXPECT_EQ(got.view.ttl, 1u);
  EXPECT_EQ(parse_answer(got.message)->ttl, 1u);
  now += 1500ms;
  ask("db.shop");
  EXPECT_EQ(take(cluster).asked, "db.shop.svc.cluster.local") << "what it said is over";
}

TEST_F(CachedResolverTest, AnAnswerIsNeverServedLongerThanSixtySeconds) {
  learn("orders.shop", 0, {a(kFull, 7, 86400)});
  now += 60s - 1ns;
  ask("orders.shop");
  EXPECT_EQ(outcome().view.ttl, 0u);
  take(cluster);  // it was renewed meanwhile: without an answer, though
  pass(4s);
  outcome();
  ask("orders.shop");
  EXPECT_TRUE(outcomes.empty());
  EXPECT_EQ(cluster.size(), 1u);
}

TEST_F(CachedResolverTest, AServiceThatWasCreatedAgainHasItsNewAddressWithTheNextQuestion) {
  learn("orders.shop", 0, {a(kFull, 7, 60)});
  now += 4s - 1ns;
  ask("orders.shop");
  EXPECT_EQ(last_byte(outcome()), 7);
  expect_quiet();
  now += 1ns;
  ask("orders.shop");
  ask("orders.shop");
  EXPECT_EQ(last_byte(outcome()), 7) << "at once, though older than programs are told";
  EXPECT_EQ(last_byte(outcome()), 7);
  EXPECT_EQ(cluster.size(), 1u) << "and asked for anew, once";
  EXPECT_EQ(counters.cache_renewals, 1u);
  EXPECT_TRUE(settle(0, {a(kFull, 8, 60)}).askers.empty());
  ask("orders.shop");
  EXPECT_EQ(last_byte(outcome()), 8);
  expect_quiet();
}

TEST_F(CachedResolverTest, AServiceThatIsGoneIsGoneWithTheNextQuestion) {
  learn("x.shop.svc.cluster.local", 0, {a("x.shop.svc.cluster.local", 7, 60)});
  now += 5s;
  ask("x.shop.svc.cluster.local");
  EXPECT_EQ(outcome().rcode, Rcode::kNoError);
  settle(3, {}, {soa("cluster.local", 30, 30)});
  ask("x.shop.svc.cluster.local");
  EXPECT_EQ(outcome().rcode, Rcode::kNxDomain);
  expect_quiet();
}

TEST_F(CachedResolverTest, AFailedRenewalLeavesWhatIsThere) {
  learn("orders.shop", 0, {a(kFull, 7, 60)});
  now += 5s;
  ask("orders.shop");
  outcome();
  settle(2, {});
  ask("orders.shop");
  EXPECT_EQ(last_byte(outcome()), 7);
  take(cluster);
  pass(4s);
  outcome();
  ask("orders.shop");
  EXPECT_EQ(last_byte(outcome()), 7) << "silence does not take it away either";
}

TEST_F(CachedResolverTest, ARenewalThatTheClusterDeniesAsksNobodyElse) {
  learn("orders.shop", 0, {a(kFull, 7, 60)});
  now += 5s;
  ask("orders.shop");
  outcome();
  settle(3, {}, {soa("cluster.local", 30, 30)});
  EXPECT_TRUE(machine.empty()) << "no program is waiting for it";
  ask("orders.shop");
  EXPECT_EQ(take(machine).asked, "orders.shop");
}

TEST_F(CachedResolverTest, WhoAsksDuringARenewalAndFindsNothingJoinsIt) {
  learn("orders.shop", 0, {a(kFull, 7, 6)});
  now += 5s;
  ask("orders.shop");
  outcome();
  now += 1s;
  AskerId asker = ask("orders.shop");
  EXPECT_EQ(cluster.size(), 1u);
  EXPECT_EQ(settle(0, {a(kFull, 8, 6)}).askers, std::vector<AskerId>{asker});
  expect_quiet();
}

TEST_F(CachedResolverTest, NoSuchNameAndNoSuchTypeAreKeptFiveSeconds) {
  for (int rcode : {0, 3}) {
    std::string name = "x" + std::to_string(rcode) + ".shop.svc.cluster.local";
    Outcome first = learn(name, rcode, {}, {soa("cluster.local", 30, 30)});
    EXPECT_EQ(first.view.negative_ttl, 4u);
    now += 4500ms;
    ask(name);
    Outcome got = outcome();
    EXPECT_EQ(int(got.rcode), rcode);
    EXPECT_EQ(got.view.negative_ttl, 0u);
    if (!cluster.empty()) settle(2, {});
    now += 500ms;
    ask(name);
    EXPECT_TRUE(outcomes.empty()) << "somebody may have created it";
    settle(2, {});
  }
}

TEST_F(CachedResolverTest, ANameThatTheClusterDeniesGoesToTheMachineWithoutAskingTheClusterAgain) {
  ask("orders.shop");
  Sent sent = take(cluster);
  Parts no = reply(sent, 3);
  no.authority = {soa("cluster.local", 30, 30)};
  resolver.cluster_answered(sent.request, encode(no), now);
  collect();
  machine_says(take(machine), 0, {a("orders.shop", 9, 600)});
  EXPECT_EQ(outcome().view.ttl, 600u) << "the machine's answers are passed as they are";
  ask("orders.shop");
  ask("orders.shop");
  EXPECT_TRUE(cluster.empty());
  EXPECT_EQ(machine.size(), 1u) << "not kept, but asked once";
  EXPECT_EQ(counters.fell_through, 2u);
  machine_says(take(machine), 0, {a("orders.shop", 9, 600)});
  EXPECT_EQ(outcome().askers.size(), 2u);
  now += 5s;
  ask("orders.shop");
  EXPECT_EQ(cluster.size(), 1u);
}

TEST_F(CachedResolverTest, FailuresAndWhatIsNoRecordAreNotKept) {
  learn("orders.shop", 2, {});
  ask("orders.shop", kTypeAny);
  settle(0, {a(kFull)});
  learn("zero.shop", 0, {a("zero.shop.svc.cluster.local", 1, 0)});
  learn("no.shop.svc.cluster.local", 3, {});
  EXPECT_EQ(counters.cache_entries, 0u);
  ask("orders.shop");
  ask("orders.shop", kTypeAny);
  ask("zero.shop");
  ask("no.shop.svc.cluster.local");
  EXPECT_EQ(cluster.size(), 4u);
}

TEST_F(CachedResolverTest, QuestionsThatDifferInFlagsDoNotShareAnAnswer) {
  learn("orders.shop", 0, {a(kFull)});
  Query edns = query("orders.shop");
  edns.edns = Edns{1232, false};
  ask(edns);
  EXPECT_EQ(outcome().rcode, Rcode::kNoError) << "whether they have EDNS does not matter";
  Query dnssec = edns, checking_disabled = edns, not_recursive = edns;
  dnssec.edns->wants_dnssec = true;
  checking_disabled.checking_disabled = true;
  not_recursive.recursion_desired = false;
  for (const Query& other : {dnssec, checking_disabled, not_recursive, not_recursive}) {
    ask(other);
    settle(0, {a(kFull)});
  }
}

TEST_F(CachedResolverTest, AnswersOutliveTheLinkButNotTheNextOne) {
  learn("orders.shop", 0, {a(kFull, 7, 30)});
  resolver.link_changed(false, now);
  now += 10s;
  ask("orders.shop");
  EXPECT_EQ(last_byte(outcome()), 7);
  EXPECT_TRUE(cluster.empty()) << "there is nobody to renew it";
  resolver.link_changed(true, now);
  EXPECT_EQ(counters.cache_entries, 0u);
  EXPECT_EQ(counters.cache_flushes, 2u);
  ask("orders.shop");
  EXPECT_EQ(cluster.size(), 1u);
}

TEST_F(CachedResolverTest, ItCanBeSwitchedOff) {
  ResolverConfig config;
  config.cache = false;
  Resolver plain{*Rules::create(rules()), config, random, counters, actions};
  plain.link_changed(true, now);
  for (int i = 0; i < 2; ++i) {
    plain.ask(1, query("orders.shop"), now);
    collect();
    Sent sent = take(cluster);
    plain.cluster_answered(sent.request, encode(reply(sent, 0, {a(kFull)})), now);
    std::vector<Outcome> got;
    plain.take_outcomes(got);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].view.ttl, 4u) << "programs keep it no longer for that";
  }
  EXPECT_EQ(counters.cache_misses + counters.cache_hits, 0u);
}

}  // namespace
}  // namespace causeway::dns

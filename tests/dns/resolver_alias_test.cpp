// Names that stand for other names: the cluster's aliases that lead out of it, and those of the profile.
#include "dns/record.h"
#include "tests/dns/resolving.h"

namespace causeway::dns {
namespace {

using namespace test;

class ResolverAlias : public ResolverTest {
 protected:
  static RulesConfig config() {
    RulesConfig config = rules();
    config.profile = "demo";
    config.include = {"corp.internal"};
    config.exclude = {"redis"};
    config.mappings = {{"db.shop", "db.infra.svc.cluster.local", {}},
                       {"pay.test", {}, packet::Address::v4(127, 0, 0, 1)},
                       {"way.test", "pay.test", {}},
                       {"out.test", "www.a.b.example", {}}};
    return config;
  }
  ResolverAlias() : ResolverTest(config()) {}

  // "orders.shop CNAME db.example.com", "db.example.com A".
  static std::vector<std::string> records(const Outcome& got) {
    std::vector<std::string> out;
    RecordReader reader(got.message, got.view.head.end);
    Record record;
    while (reader.next(record)) {
      std::size_t at = record.start;
      std::string text = Name::read(got.message, at, Name::Compression::kAllowed)->text();
      if (record.type == kTypeCname) {
        at = record.rdata;
        text += " CNAME " + Name::read(got.message, at, Name::Compression::kAllowed)->text();
      } else {
        text += " " + std::to_string(record.type);
      }
      out.push_back(text);
    }
    return out;
  }
  using Texts = std::vector<std::string>;
};

TEST_F(ResolverAlias, AnExternalNameIsResolvedByTheMachineAndTheClustersWordForItDoesNotCount) {
  ask("partner.shop");
  Sent sent = take(cluster);
  cluster_says(sent, 0,
               {cname("partner.shop.svc.cluster.local", "api.partner.example.com"), a("api.partner.example.com", 66)});
  EXPECT_TRUE(outcomes.empty());
  sent = take(machine);
  EXPECT_EQ(sent.asked, "api.partner.example.com");
  machine_says(sent, 0, {cname("api.partner.example.com", "cdn.example.net"), a("cdn.example.net", 7)});
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kNoError);
  EXPECT_EQ(got.view.head.question->name.text(), "partner.shop");
  EXPECT_EQ(records(got), (Texts{"partner.shop CNAME api.partner.example.com",
                                 "api.partner.example.com CNAME cdn.example.net", "cdn.example.net 1"}));
  EXPECT_EQ(counters.led_away, 1u);
  EXPECT_EQ(counters.foreign, 1u);
  expect_quiet();
}

TEST_F(ResolverAlias, AnAliasWhoseTargetDoesNotExistIsAnAnswerAndTheMachineSaysSo) {
  ask("ext.shop");
  cluster_says(take(cluster), 3, {cname("ext.shop.svc.cluster.local", "gone.a.b.example.com")});
  machine_says(take(machine), 3);
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kNxDomain);
  EXPECT_EQ(records(got), Texts{"ext.shop CNAME gone.a.b.example.com"});
  expect_quiet();
}

TEST_F(ResolverAlias, AChainInTheClusterThatLeadsOutIsGivenWhole) {
  ask("a.shop");
  cluster_says(take(cluster), 0,
               {cname("a.shop.svc.cluster.local", "b.infra.svc.cluster.local"),
                cname("b.infra.svc.cluster.local", "x.y.z.example")});
  machine_says(take(machine), 0, {a("x.y.z.example")});
  EXPECT_EQ(records(outcome()), (Texts{"a.shop CNAME b.infra.svc.cluster.local",
                                       "b.infra.svc.cluster.local CNAME x.y.z.example", "x.y.z.example 1"}));
}

TEST_F(ResolverAlias, AnAliasToAnIncludedNameIsAnsweredByTheCluster) {
  ask("db.eu.shop.svc.cluster.local");
  cluster_says(take(cluster), 0, {cname("db.eu.shop.svc.cluster.local", "db.corp.internal"), a("db.corp.internal")});
  EXPECT_EQ(records(outcome()), (Texts{"db.eu.shop.svc.cluster.local CNAME db.corp.internal", "db.corp.internal 1"}));
  expect_quiet();
}

TEST_F(ResolverAlias, AnAliasToAnExcludedOrNobodysNameGoesWhereThatGoes) {
  ask("x.shop");
  cluster_says(take(cluster), 0,
               {cname("x.shop.svc.cluster.local", "redis.shop.svc.cluster.local"), a("redis.shop.svc.cluster.local")});
  EXPECT_EQ(take(machine).asked, "redis.shop.svc.cluster.local");
  ask("y.shop");
  cluster_says(take(cluster), 0,
               {cname("y.shop.svc.cluster.local", "wpad.shop.svc.cluster.local"), a("wpad.shop.svc.cluster.local")});
  EXPECT_EQ(outcome().rcode, Rcode::kNxDomain);
  EXPECT_TRUE(machine.empty());
}

TEST_F(ResolverAlias, TheMachineIsNotUsedToSmuggleThisMachinesAddress) {
  ask("evil.shop");
  cluster_says(take(cluster), 0, {cname("evil.shop.svc.cluster.local", "local.rebind.example.com")});
  machine_says(take(machine), 0, {{wire("local.rebind.example.com"), kTypeA, 60, bytes({127, 0, 0, 1})}});
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kNoError);
  EXPECT_TRUE(got.message.empty());
  EXPECT_EQ(got.why->code, Explanation::kBlocked);
  EXPECT_EQ(counters.blocked, 1u);
  ask("local.rebind.example.com");
  machine_says(take(machine), 0, {{wire("local.rebind.example.com"), kTypeA, 60, bytes({127, 0, 0, 1})}});
  EXPECT_EQ(outcome().view.answers, 1u) << "who asks for it himself gets it";
}

TEST_F(ResolverAlias, ThisMachinesAddressesAreNoAnswerOfTheCluster) {
  resolver.set_own_addresses({packet::Address::v4(10, 96, 0, 1)});
  ask("orders.shop");
  cluster_says(take(cluster), 0, {a("orders.shop.svc.cluster.local", 1)});
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kNoError) << "no data: nobody asks again for that";
  EXPECT_TRUE(got.message.empty());
  ASSERT_TRUE(got.why);
  EXPECT_EQ(got.why->code, Explanation::kBlocked);
  EXPECT_TRUE(machine.empty()) << "nor is anybody else asked";
  ask("orders.shop");
  cluster_says(take(cluster), 0, {a("orders.shop.svc.cluster.local", 1), a("orders.shop.svc.cluster.local", 2)});
  EXPECT_EQ(outcome().view.answers, 1u);
  EXPECT_EQ(counters.blocked, 2u);
}

TEST_F(ResolverAlias, AnAnswerAboutOtherNamesIsAFailure) {
  ask("orders.shop");
  cluster_says(take(cluster), 0, {a("github.com")});
  EXPECT_EQ(outcome().rcode, Rcode::kServFail);
  ask("nothing.shop");
  cluster_says(take(cluster), 3, {a("nothing.shop.example")});
  EXPECT_EQ(take(machine).asked, "nothing.shop") << "a no with rubbish is still a no";
  EXPECT_EQ(counters.foreign, 2u);
}

TEST_F(ResolverAlias, AMappedNameIsAnsweredWithoutAskingAnyone) {
  AskerId asker = ask("Pay.test");
  Outcome got = outcome();
  EXPECT_EQ(got.askers, std::vector<AskerId>{asker});
  EXPECT_EQ(records(got), Texts{"Pay.test 1"});
  ask("pay.test", kTypeAaaa);
  got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kNoError);
  EXPECT_EQ(got.view.answers, 0u);
  EXPECT_EQ(counters.mapped, 2u);
  resolver.link_changed(false, now);
  ask("pay.test");
  EXPECT_EQ(outcome().view.answers, 1u) << "nor a link";
  expect_quiet();
}

TEST_F(ResolverAlias, AnAliasOfTheProfileIsResolvedByItsOwnRules) {
  ask("db.shop");
  Sent sent = take(cluster);
  EXPECT_EQ(sent.asked, "db.infra.svc.cluster.local");
  cluster_says(sent, 0, {a("db.infra.svc.cluster.local")});
  EXPECT_EQ(records(outcome()), (Texts{"db.shop CNAME db.infra.svc.cluster.local", "db.infra.svc.cluster.local 1"}));
  ask("db.shop.svc.cluster.local");
  EXPECT_EQ(take(cluster).asked, "db.infra.svc.cluster.local");
  ask("out.test", kTypeTxt);
  sent = take(machine);
  EXPECT_EQ(sent.asked, "www.a.b.example");
  EXPECT_EQ(sent.query.question.type, kTypeTxt);
  machine_says(sent, 0, {{wire("www.a.b.example"), kTypeTxt, 5, bytes({1, 'x'})}});
  EXPECT_EQ(records(outcome()), (Texts{"out.test CNAME www.a.b.example", "www.a.b.example 16"}));
  ask("way.test");
  EXPECT_EQ(records(outcome()), (Texts{"way.test CNAME pay.test", "pay.test 1"}));
  ask("way.test", kTypeCname);
  EXPECT_EQ(records(outcome()), Texts{"way.test CNAME pay.test"});
}

TEST_F(ResolverAlias, AliasesOfTheProfileAndOfTheClusterMayNotChaseEachOther) {
  ask("db.shop");
  for (int turn = 0; turn < 20 && outcomes.empty(); ++turn) {
    cluster_says(take(cluster), 0, {cname("db.infra.svc.cluster.local", "db.shop.svc.cluster.local")});
  }
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kServFail);
  expect_quiet();
}

TEST_F(ResolverAlias, AnIncludedNameIsAskedAsItIsWhereItsLastLabelIsNoNamespace) {
  ask("db.corp.internal");
  cluster_says(take(cluster), 3);  // internal.svc.cluster.local
  Sent sent = take(cluster);
  EXPECT_EQ(sent.asked, "db.corp.internal");
  cluster_says(sent, 0, {a("db.corp.internal")});
  EXPECT_EQ(outcome().view.answers, 1u);
  ask("gone.corp.internal");
  cluster_says(take(cluster), 3);
  EXPECT_EQ(take(machine).asked, "gone.corp.internal") << "what the cluster does not know the machine may";
  resolver.link_changed(false, now);
  ask("another.corp.internal");
  EXPECT_EQ(outcome().rcode, Rcode::kServFail);
}

TEST_F(ResolverAlias, TheNoOfAProfilesNameIsTheLastWord) {
  ask("nothing.shop.demo");
  Sent sent = take(cluster);
  EXPECT_EQ(sent.asked, "nothing.shop.svc.cluster.local");
  cluster_says(sent, 3);
  EXPECT_EQ(outcome().rcode, Rcode::kNxDomain);
  ask("redis.shop.demo");
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kNxDomain);
  EXPECT_EQ(got.why->text, "the profile excludes this name");
  EXPECT_TRUE(machine.empty());
  expect_quiet();
}

}  // namespace
}  // namespace causeway::dns

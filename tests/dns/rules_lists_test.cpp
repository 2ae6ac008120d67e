// What a profile includes and excludes.
#include "tests/dns/deciding.h"

namespace causeway::dns {
namespace {

using namespace test;

RulesConfig with(std::vector<std::string> include, std::vector<std::string> exclude) {
  RulesConfig config = usual();
  config.profile = "demo";
  config.include = std::move(include);
  config.exclude = std::move(exclude);
  return config;
}

TEST(RulesLists, AnIncludedSuffixIsAskedOfTheClusterAsItIs) {
  check(with({"corp.internal"}, {}),
        {
            {"db.corp.internal", Owner::kIfNamespace, "db.corp.internal.svc.cluster.local", true, "internal"},
            {"a.b.eu.corp.internal", Owner::kCluster, "a.b.eu.corp.internal", true},
            {"A.B.EU.Corp.Internal", Owner::kCluster, "a.b.eu.corp.internal", true},
            {"xcorp.internal", Owner::kIfNamespace, "xcorp.internal.svc.cluster.local", true, "internal"},
        });
  Rules rules = *Rules::create(with({"corp.internal"}, {}));
  EXPECT_TRUE(rules.decide(question("db.corp.internal")).included) << "where `internal` is no namespace";
  EXPECT_FALSE(rules.decide(question("db.other.internal")).included);
  EXPECT_TRUE(rules.is_clusters(name("db.corp.internal")));
  EXPECT_FALSE(rules.is_clusters(name("db.other.internal")));
}

TEST(RulesLists, AStarCoversWhatIsBelowOnly) {
  RulesConfig config = with({"*.k.l.m.corp"}, {});
  config.mode = Mode::kSplit;
  check(config, {
                    {"a.k.l.m.corp", Owner::kCluster, "a.k.l.m.corp", true},
                    {"a.b.k.l.m.corp", Owner::kCluster, "a.b.k.l.m.corp", true},
                    {"k.l.m.corp", Owner::kRefused},
                });
}

TEST(RulesLists, AReverseZoneCanBeIncludedAndExcluded) {
  check(with({"8.10.in-addr.arpa"}, {"0.96.10.in-addr.arpa"}),
        {
            {"1.2.8.10.in-addr.arpa", Owner::kCluster, "1.2.8.10.in-addr.arpa", true},
            {"1.0.96.10.in-addr.arpa", Owner::kMachine},
            {"1.1.96.10.in-addr.arpa", Owner::kCluster, "1.1.96.10.in-addr.arpa", true},
        },
        kTypePtr);
}

TEST(RulesLists, AnExcludedServiceIsNeverAskedOfTheClusterByAnyFormOfItsName) {
  for (std::string shorts : {"", "shop"}) {
    RulesConfig config = with({}, {"redis"});
    config.short_namespace = shorts;
    check(config, {
                      {"redis", Owner::kMachine},
                      {"Redis", Owner::kMachine},
                      {"redis.shop", Owner::kMachine},
                      {"redis.never-seen", Owner::kMachine},
                      {"redis.shop.svc", Owner::kMachine},
                      {"redis.shop.svc.cluster.local", Owner::kMachine},
                      {"REDIS.other.svc.cluster.local", Owner::kMachine},
                      {"redis-0.redis.shop", Owner::kMachine},
                      {"_redis._tcp.redis.shop.svc.cluster.local", Owner::kMachine},
                      {"_redis._tcp.redis", Owner::kMachine},
                      {"redis.shop.demo", Owner::kNobody},
                      {"redis.shop.svc.demo", Owner::kNobody},
                      {"redis.shop.svc.cluster.local.demo", Owner::kNobody},
                      {"orders.redis", Owner::kIfNamespace, "orders.redis.svc.cluster.local", true, "redis"},
                      {"myredis.shop", Owner::kCluster, "myredis.shop.svc.cluster.local", true},
                      {"redis.com.example.org.net", Owner::kMachine},
                  });
  }
}

TEST(RulesLists, AServiceOfOneNamespaceCanBeExcluded) {
  for (const char* form : {"redis.shop", "redis.shop.svc", "redis.shop.svc.cluster.local"}) {
    RulesConfig config = with({}, {form});
    config.short_namespace = "shop";
    check(config, {
                      {"redis", Owner::kMachine},
                      {"redis.shop", Owner::kMachine},
                      {"redis.shop.svc", Owner::kMachine},
                      {"redis.shop.svc.cluster.local", Owner::kMachine},
                      {"redis-0.redis.shop", Owner::kMachine},
                      {"redis.shop.demo", Owner::kNobody},
                      {"redis.com-shop", Owner::kCluster, "redis.com-shop.svc.cluster.local", true},
                      {"orders", Owner::kCluster, "orders.shop.svc.cluster.local", true},
                  });
  }
}

TEST(RulesLists, AnExcludedSuffixIsTheMachines) {
  check(with({}, {"*.com", "foo.example"}),
        {
            {"github.com", Owner::kMachine},  // and the cluster is not asked for `com`
            {"www.github.com", Owner::kMachine},
            {"foo.example", Owner::kMachine},
            {"a.foo.example", Owner::kMachine},
            {"bar.example", Owner::kIfNamespace, "bar.example.svc.cluster.local", true, "example"},
        });
}

TEST(RulesLists, TheMoreSpecificWinsAndIncludeWhereTheyTie) {
  check(with({"a.b.corp.example.org", "x.y.z.corp.example.org"}, {"corp.example.org", "q.a.b.corp.example.org"}),
        {
            {"w.corp.example.org", Owner::kMachine},
            {"v.w.corp.example.org", Owner::kMachine},
            {"a.b.corp.example.org", Owner::kCluster, "a.b.corp.example.org", true},
            {"p.a.b.corp.example.org", Owner::kCluster, "p.a.b.corp.example.org", true},
            {"q.a.b.corp.example.org", Owner::kMachine},
            {"r.q.a.b.corp.example.org", Owner::kMachine},
            {"x.y.z.corp.example.org", Owner::kCluster, "x.y.z.corp.example.org", true},
        });
  check(with({"a.b.corp.example.org"}, {"a.b.corp.example.org"}),
        {{"a.b.corp.example.org", Owner::kCluster, "a.b.corp.example.org", true}});
  check(with({"a.b.corp.example.org"}, {"*.a.b.corp.example.org"}),
        {{"a.b.corp.example.org", Owner::kCluster, "a.b.corp.example.org", true},
         {"c.a.b.corp.example.org", Owner::kMachine}});
}

TEST(RulesLists, AnIncludeTakesOneServiceOutOfAnExclude) {
  check(with({"redis.shop"}, {"redis"}), {
                                             {"redis.shop", Owner::kCluster, "redis.shop.svc.cluster.local", true},
                                             {"redis.com-shop", Owner::kMachine},
                                             {"redis", Owner::kMachine},
                                         });
}

TEST(RulesLists, NothingIncludesWhatIsNobodys) {
  check(with({"corp.example", "wpad"}, {}), {{"wpad", Owner::kNobody}, {"wpad.corp.example", Owner::kNobody}});
}

TEST(RulesLists, WhereTheSystemRoutesByNameWhatIsExcludedOfTheClustersIsAskedOfTheMachine) {
  RulesConfig config = with({}, {"redis", "*.com"});
  config.mode = Mode::kSplit;
  check(config, {
                    {"redis.shop.svc.cluster.local", Owner::kMachine},
                    {"redis.shop", Owner::kMachine},
                    {"redis", Owner::kRefused},
                    {"github.com", Owner::kRefused},
                });
}

TEST(RulesLists, WhatIsNoPatternIsRefusedWithAReason) {
  for (const char* text : {"", ".", "*", "*.", "a..b", "a.*.b", "**.a", "x*.a"}) {
    EXPECT_FALSE(Rules::create(with({text}, {}))) << text;
    auto rules = Rules::create(with({}, {text}));
    ASSERT_FALSE(rules) << text;
    EXPECT_NE(rules.error().message.find("'" + std::string(text) + "'"), std::string::npos) << rules.error().message;
  }
}

}  // namespace
}  // namespace causeway::dns

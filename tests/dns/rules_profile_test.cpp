// Names below the profile's own.
#include "tests/dns/deciding.h"

namespace causeway::dns {
namespace {

using namespace test;

RulesConfig demo() {
  RulesConfig config = usual();
  config.profile = "demo";
  return config;
}

TEST(RulesOfAProfile, ANameBelowTheProfileIsItsClustersWhateverItAnswers) {
  for (Mode mode : {Mode::kStandIn, Mode::kSplit}) {
    RulesConfig config = demo();
    config.mode = mode;
    check(config,
          {
              {"orders.shop.demo", Owner::kCluster, "orders.shop.svc.cluster.local"},
              {"Orders.Shop.DEMO", Owner::kCluster, "orders.shop.svc.cluster.local"},
              {"orders.never-seen.demo", Owner::kCluster, "orders.never-seen.svc.cluster.local"},
              {"orders.shop.svc.demo", Owner::kCluster, "orders.shop.svc.cluster.local"},
              {"web-0.web.shop.demo", Owner::kCluster, "web-0.web.shop.svc.cluster.local"},
              {"web-0.web.shop.svc.demo", Owner::kCluster, "web-0.web.shop.svc.cluster.local"},
              {"_http._tcp.orders.shop.demo", Owner::kCluster, "_http._tcp.orders.shop.svc.cluster.local"},
              {"_http._tcp.web-0.web.shop.svc.demo", Owner::kCluster, "_http._tcp.web-0.web.shop.svc.cluster.local"},
              {"a.b.c.d.e.demo", Owner::kCluster, "a.b.c.d.e.svc.cluster.local"},
          });
  }
}

TEST(RulesOfAProfile, AFullNameMayStandBeforeIt) {
  check(demo(), {
                    {"orders.shop.svc.cluster.local.demo", Owner::kCluster, "orders.shop.svc.cluster.local"},
                    {"dns-version.cluster.local.demo", Owner::kCluster, "dns-version.cluster.local"},
                    {"10-1-2-3.shop.pod.cluster.local.demo", Owner::kCluster, "10-1-2-3.shop.pod.cluster.local"},
                });
  RulesConfig config = demo();
  config.cluster_domain = "k8s.corp.example";
  check(config, {
                    {"orders.shop.demo", Owner::kCluster, "orders.shop.svc.k8s.corp.example"},
                    {"orders.shop.svc.k8s.corp.example.demo", Owner::kCluster, "orders.shop.svc.k8s.corp.example"},
                });
}

TEST(RulesOfAProfile, ANamespaceThatIsCalledAsTheProfileKeepsItsServices) {
  check(demo(), {
                    {"orders.demo", Owner::kCluster, "orders.demo.svc.cluster.local"},
                    {"_http._tcp.orders.demo", Owner::kCluster, "_http._tcp.orders.demo.svc.cluster.local"},
                    {"orders.demo.svc", Owner::kIfNamespace, "orders.demo.svc.cluster.local", true, "demo"},
                });
}

TEST(RulesOfAProfile, TheBareNameAndWhatOnlyEndsAlikeAreNotTheProfiles) {
  check(demo(), {
                    {"demo", Owner::kMachine},
                    {"orders.shop.xdemo", Owner::kIfNamespace, "orders.shop.xdemo.svc.cluster.local", true, "xdemo"},
                    {"orders.shop.demo.example", Owner::kMachine},
                });
  RulesConfig config = demo();
  config.short_namespace = "shop";
  check(config, {{"demo", Owner::kCluster, "demo.shop.svc.cluster.local", true}});
}

TEST(RulesOfAProfile, ANameThatWouldBecomeTooLongIsNobodys) {
  std::string label(63, 'x');
  std::string longest = label + "." + label + "." + label + "." + label.substr(0, 50) + ".demo";
  Decision got = Rules::create(demo())->decide(question(longest));
  EXPECT_EQ(got.owner, Owner::kNobody) << "never the machine's";
}

TEST(RulesOfAProfile, SpecialNamesAreNoSuffix) {
  for (const char* special : {"local", "localhost", "arpa", "invalid", "onion"}) {
    RulesConfig config = demo();
    config.profile = special;
    check(config, {{(std::string("a.b.c.") + special).c_str(), Owner::kMachine}});
  }
}

TEST(RulesOfAProfile, NamesOfAnotherProfileAreNeverTaken) {
  RulesConfig config = demo();
  config.namespaces = {"shop", "prod"};
  Rules rules = *Rules::create(config);
  auto owner = [&](std::string_view name) { return rules.decide(question(name)).owner; };
  EXPECT_EQ(owner("orders.shop.prod"), Owner::kCluster) << "a pod's name, while there is no other profile";
  rules.set_others({{"prod", "k8s.corp.example"}});
  EXPECT_EQ(owner("orders.shop.prod"), Owner::kMachine);
  EXPECT_EQ(owner("orders.shop.svc.prod"), Owner::kMachine);
  EXPECT_EQ(owner("_http._tcp.orders.shop.prod"), Owner::kMachine);
  EXPECT_EQ(owner("corp.example"), Owner::kIfNamespace);
  EXPECT_EQ(owner("k8s.corp.example"), Owner::kMachine) << "the other's domain";
  EXPECT_EQ(owner("x.svc.k8s.corp.example"), Owner::kMachine);
  EXPECT_EQ(owner("orders.prod"), Owner::kCluster) << "a short name goes to the first that has it";
  EXPECT_EQ(owner("_http._tcp.orders.prod"), Owner::kCluster);
  EXPECT_EQ(owner("orders.shop.demo"), Owner::kCluster);
  EXPECT_EQ(owner("orders.shop"), Owner::kCluster);
  rules.set_others({{"prod", "cluster.local"}});
  EXPECT_EQ(owner("orders.shop.svc.cluster.local"), Owner::kCluster)
      << "both have this domain: the first has the names";
  rules.set_others({});
  EXPECT_EQ(owner("orders.shop.prod"), Owner::kCluster);
}

}  // namespace
}  // namespace causeway::dns

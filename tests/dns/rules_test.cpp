#include "tests/dns/deciding.h"

namespace causeway::dns {
namespace {

using namespace test;

TEST(Rules, NoDotAtAll) {
  std::vector<Row> machine{{".", Owner::kMachine},     {"orders", Owner::kMachine}, {"shop", Owner::kMachine},
                           {"svc", Owner::kMachine},   {"com", Owner::kMachine},    {"localhost", Owner::kMachine},
                           {"local", Owner::kMachine}, {"_tcp", Owner::kMachine}};
  check(usual(), machine);
}

TEST(Rules, ASingleLabelIsAServiceWhereThereIsAShortNamespace) {
  RulesConfig config = usual();
  config.short_namespace = "team";
  check(config,
        {
            {"orders", Owner::kCluster, "orders.team.svc.cluster.local", true},
            {"ORDERS", Owner::kCluster, "orders.team.svc.cluster.local", true},
            {"_http._tcp.orders", Owner::kCluster, "_http._tcp.orders.team.svc.cluster.local", true},
            {"_tcp.orders", Owner::kMachine},
            {"orders.team", Owner::kCluster, "orders.team.svc.cluster.local", true},  // the short namespace is known
            {"web-0.web", Owner::kIfNamespace, "web-0.web.svc.cluster.local", true, "web"},
            {".", Owner::kMachine},
            {"localhost", Owner::kMachine},
            {"local", Owner::kMachine},
            {"arpa", Owner::kMachine},
            {"12345", Owner::kMachine},
            {"-x", Owner::kMachine},
            {"my_host", Owner::kMachine},
            {"x\\.y", Owner::kMachine},
            {"wpad", Owner::kNobody},
        });
}

TEST(Rules, OneToFiveDots) {
  check(
      usual(),
      {
          {"orders.shop", Owner::kCluster, "orders.shop.svc.cluster.local", true},
          {"Orders.SHOP", Owner::kCluster, "orders.shop.svc.cluster.local", true},
          {"orders.com-shop", Owner::kCluster, "orders.com-shop.svc.cluster.local", true},
          {"orders.other", Owner::kIfNamespace, "orders.other.svc.cluster.local", true, "other"},
          {"orders.OTHER", Owner::kIfNamespace, "orders.other.svc.cluster.local", true, "other"},
          {"github.com", Owner::kIfNamespace, "github.com.svc.cluster.local", true, "com"},
          {"shop.svc", Owner::kIfNamespace, "shop.svc.svc.cluster.local", true, "svc"},
          {"orders.shop.svc", Owner::kCluster, "orders.shop.svc.cluster.local", true},
          {"orders.shop.SVC", Owner::kCluster, "orders.shop.svc.cluster.local", true},
          {"orders.other.svc", Owner::kIfNamespace, "orders.other.svc.cluster.local", true, "other"},
          {"web-0.web.shop", Owner::kCluster, "web-0.web.shop.svc.cluster.local", true},
          {"web-0.web.other", Owner::kIfNamespace, "web-0.web.other.svc.cluster.local", true, "other"},
          {"www.github.com", Owner::kIfNamespace, "www.github.com.svc.cluster.local", true, "com"},
          {"web-0.web.shop.svc", Owner::kCluster, "web-0.web.shop.svc.cluster.local", true},
          {"web-0.web.other.svc", Owner::kIfNamespace, "web-0.web.other.svc.cluster.local", true, "other"},
          {"_http._tcp.orders.shop", Owner::kCluster, "_http._tcp.orders.shop.svc.cluster.local", true},
          {"_http._tcp.orders.shop.svc", Owner::kCluster, "_http._tcp.orders.shop.svc.cluster.local", true},
          {"_http._tcp.web-0.web.shop", Owner::kCluster, "_http._tcp.web-0.web.shop.svc.cluster.local", true},
          {"_http._tcp.web-0.web.shop.svc", Owner::kCluster, "_http._tcp.web-0.web.shop.svc.cluster.local", true},
          {"_ldap._tcp.dc.corp", Owner::kIfNamespace, "_ldap._tcp.dc.corp.svc.cluster.local", true, "corp"},
          // More labels than Kubernetes puts below a namespace: not the cluster's, even where the namespace is listed.
          {"a.b.c.shop", Owner::kMachine},
          {"api.eu.www.github.com", Owner::kMachine},
          {"www.eu.github.com", Owner::kMachine},
          {"a.b.c.shop.svc", Owner::kMachine},
          {"_a._b._c.d.e.shop", Owner::kMachine},
          {"orders.shop.svc.cluster", Owner::kMachine},
          {"1.2.3.4", Owner::kMachine},
          {"orders.12", Owner::kMachine},
          {"orders.-x", Owner::kMachine},
          {"_http._tcp", Owner::kMachine},
      });
}

TEST(Rules, WhatLiesUnderTheClusterDomainIsTheClustersAndNeverFallsThrough) {
  check(usual(),
        {
            {"cluster.local", Owner::kCluster, "cluster.local"},
            {"orders.shop.svc.cluster.local", Owner::kCluster, "orders.shop.svc.cluster.local"},
            {"10-1-2-3.shop.pod.cluster.local", Owner::kCluster, "10-1-2-3.shop.pod.cluster.local"},
            {"a.b.c.d.e.f.Cluster.LOCAL", Owner::kCluster, "a.b.c.d.e.f.cluster.local"},
            {"_http._tcp.orders.shop.svc.cluster.local", Owner::kCluster, "_http._tcp.orders.shop.svc.cluster.local"},
            {"xcluster.local", Owner::kMachine},
            {"orders.shop.svc.cluster.local.example", Owner::kMachine},
        });
}

TEST(Rules, AClusterDomainOtherThanTheUsual) {
  RulesConfig config = usual();
  config.cluster_domain = "k8s.corp.example.";
  check(config, {
                    {"orders.shop.svc.k8s.corp.example", Owner::kCluster, "orders.shop.svc.k8s.corp.example"},
                    {"orders.shop", Owner::kCluster, "orders.shop.svc.k8s.corp.example", true},
                    {"orders.shop.svc.cluster.local", Owner::kMachine},
                    {"www.corp.example", Owner::kIfNamespace, "www.corp.example.svc.k8s.corp.example", true, "example"},
                    {"cluster.local", Owner::kMachine},
                });
}

TEST(Rules, SpecialNamesAreNeverTakenForNamespacesUnlessListed) {
  check(usual(), {
                     {"printer.local", Owner::kMachine},
                     {"x.localhost", Owner::kMachine},
                     {"x.LocalHost", Owner::kMachine},
                     {"abc.onion", Owner::kMachine},
                     {"x.invalid", Owner::kMachine},
                     {"x.arpa", Owner::kMachine},
                     {"x.local.svc", Owner::kMachine},
                 });
  RulesConfig config = usual();
  config.namespaces = {"local"};
  check(config, {{"printer.local", Owner::kCluster, "printer.local.svc.cluster.local", true}});
}

TEST(Rules, NamesThatConfigureTheLaptopAreNobodys) {
  for (Mode mode : {Mode::kStandIn, Mode::kSplit}) {
    RulesConfig config = usual();
    config.profile = "demo";
    config.short_namespace = "shop";
    config.include = {"corp.example"};
    config.mode = mode;
    check(config, {
                      {"wpad", Owner::kNobody},
                      {"WPAD", Owner::kNobody},
                      {"wpad.shop", Owner::kNobody},
                      {"wpad.shop.svc.cluster.local", Owner::kNobody},
                      {"wpad.corp.example", Owner::kNobody},
                      {"isatap", Owner::kNobody},
                      {"isatap.shop", Owner::kNobody},
                      {"lb._dns-sd._udp", Owner::kNobody},
                      {"b._dns-sd._udp.shop.svc.cluster.local", Owner::kNobody},
                      {"lb._dns-sd._udp.0.0.96.10.in-addr.arpa", Owner::kNobody},
                      {"_http._tcp.wpad.shop", Owner::kNobody},
                      {"wpad.shop.svc", Owner::kNobody},
                      {"isatap.shop.svc.cluster.local", Owner::kNobody},
                      {"_dns-sd", Owner::kNobody},
                      {"_services._dns-sd._udp.shop", Owner::kNobody},
                      {"_DNS-Update._udp.shop.svc.cluster.local", Owner::kNobody},
                      {"_dns-llq-tls._tcp.corp.example", Owner::kNobody},
                      {"_wpad._tcp.corp.example", Owner::kNobody},
                      {"wpad.demo", Owner::kNobody},
                      {"wpad.shop.demo", Owner::kNobody},
                      {"isatap.svc.demo", Owner::kNobody},
                      {"my-wpad.shop", Owner::kCluster, "my-wpad.shop.svc.cluster.local", true},
                  });
  }
}

TEST(Rules, ReverseNamesOfRoutedAddressesAreTheClusters) {
  std::string v6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa";
  std::string other_v6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa";
  check(usual(),
        {
            {"1.0.96.10.in-addr.arpa", Owner::kCluster, "1.0.96.10.in-addr.arpa", true},
            {"1.0.111.10.IN-ADDR.ARPA", Owner::kCluster, "1.0.111.10.in-addr.arpa", true},
            {"1.0.112.10.in-addr.arpa", Owner::kMachine},
            {"1.0.95.10.in-addr.arpa", Owner::kMachine},
            {"96.10.in-addr.arpa", Owner::kCluster, "96.10.in-addr.arpa", true},
            {"10.in-addr.arpa", Owner::kMachine},  // wider than what is routed
            {"1.63.20.172.in-addr.arpa", Owner::kCluster, "1.63.20.172.in-addr.arpa", true},
            {"1.64.20.172.in-addr.arpa", Owner::kMachine},
            {"in-addr.arpa", Owner::kMachine},
            {"300.0.96.10.in-addr.arpa", Owner::kCluster, "300.0.96.10.in-addr.arpa",
             true},  // RFC 2317: below 10.96.0/24
            {v6.c_str(), Owner::kCluster, v6.c_str(), true},
            {other_v6.c_str(), Owner::kMachine},
            {"ip6.arpa", Owner::kMachine},
            {"home.arpa", Owner::kMachine},
        },
        kTypePtr);
}

TEST(Rules, OtherClassesAreTheMachines) {
  Rules rules = *Rules::create(usual());
  EXPECT_EQ(rules.decide({test::name("orders.shop"), kTypeTxt, 3}).owner, Owner::kMachine);
  EXPECT_EQ(rules.decide({test::name("orders.shop"), kTypeTxt, kClassAny}).owner, Owner::kCluster);
}

TEST(Rules, WhereTheSystemRoutesByNameOnlyTheClustersNamesAreTaken) {
  RulesConfig config = usual();
  config.mode = Mode::kSplit;
  check(config, {
                    {"orders.shop", Owner::kCluster, "orders.shop.svc.cluster.local", true},
                    {"orders.shop.svc.cluster.local", Owner::kCluster, "orders.shop.svc.cluster.local"},
                    {"orders.other.svc", Owner::kIfNamespace, "orders.other.svc.cluster.local", true, "other"},
                    {"orders.other", Owner::kRefused},
                    {"github.com", Owner::kRefused},
                    {"localhost", Owner::kRefused},
                    {".", Owner::kRefused},
                    {"1.1.168.192.in-addr.arpa", Owner::kRefused},
                });
}

TEST(Rules, ANameThatWouldBecomeTooLongIsTheMachines) {
  std::string label(63, 'x');
  std::string longest = "_" + label.substr(1) + "._" + label.substr(1) + "." + label + ".shop";
  EXPECT_EQ(Rules::create(usual())->decide(question(longest)).owner, Owner::kCluster);
  longest.insert(longest.size() - 5, "." + label.substr(0, 40));
  EXPECT_EQ(Rules::create(usual())->decide(question(longest)).owner, Owner::kMachine);
}

TEST(Rules, ConfiguredNamesThatAreNoneAreRefusedWithAReason) {
  auto message_for = [](auto change) {
    RulesConfig config = usual();
    change(config);
    Result<Rules> rules = Rules::create(config);
    return rules ? std::string() : rules.error().message;
  };
  EXPECT_EQ(message_for([](RulesConfig&) {}), "");
  EXPECT_NE(message_for([](RulesConfig& c) { c.cluster_domain = "a..b"; }).find("'a..b'"), std::string::npos);
  EXPECT_NE(message_for([](RulesConfig& c) { c.cluster_domain = ""; }), "");
  EXPECT_NE(message_for([](RulesConfig& c) { c.cluster_domain = "."; }), "");
  EXPECT_NE(message_for([](RulesConfig& c) { c.cluster_domain = std::string(250, 'x'); }), "");
  EXPECT_NE(message_for([](RulesConfig& c) { c.namespaces = {"a.b"}; }), "");
  EXPECT_NE(message_for([](RulesConfig& c) { c.namespaces = {""}; }), "");
  EXPECT_NE(message_for([](RulesConfig& c) { c.short_namespace = "-a"; }), "");
}

}  // namespace
}  // namespace causeway::dns

// What MachineHost does with routes, in a network namespace: who wins, what stays out, what is found in the way, and what follows a
// network that changes.
#include <gtest/gtest.h>

#include <algorithm>

#include "platform/host/machine_host.h"
#include "tests/platform/host/in_namespace.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;
using test::in_namespace;
using test::network_snapshot;
using test::run;
using test::wait_for_local_route;
using test::write_text;

Address address(const char* text) { return *Address::parse(text); }

std::vector<Cidr> cidrs(std::initializer_list<const char*> texts) {
  std::vector<Cidr> list;
  for (const char* text : texts) list.push_back(*Cidr::parse(text));
  return list;
}

// 192.0.2.0/24 on `up0`, the default gateway at .1; 10.9.0.0/24 on `vpn0`.
void make_networks() {
  run("ip link add up0 type veth peer name far0 && ip link add vpn0 type veth peer name far1");
  run("for d in up0 far0 vpn0 far1; do ip link set $d addrgenmode none && ip link set $d up; done");
  run("ip addr add 192.0.2.2/24 dev up0 && ip route add default via 192.0.2.1");
  run("ip -6 addr add 2001:db8::2/64 dev up0 nodad && ip -6 route add default via 2001:db8::1");
  run("ip addr add 10.9.0.2/24 dev vpn0");
  run("for i in $(seq 200); do [ \"$(ip -6 route show table local ff00::/8 | grep -c -e up0 -e far0 -e vpn0 -e far1)\" = 4 ] "
      "&& exit 0; sleep 0.02; done; exit 1");
  write_text("/run/resolv.conf", "nameserver 192.0.2.53\n");
}

std::unique_ptr<MachineHost> make_host() {
  auto host = MachineHost::create({"/run/state", "/run/profiles", "/run/resolv.conf"});
  EXPECT_TRUE(host) << host.error().message;
  return host ? std::move(*host) : nullptr;
}

NetworkRequest demo() {
  NetworkRequest request;
  request.profile = "demo";
  request.addresses = {address("198.19.0.1"), address("fd63:6175:7365::1")};
  request.routes = cidrs({"10.96.0.0/16", "10.244.0.0/16", "fd00:96::/112"});
  request.keep = {address("203.0.113.7")};
  return request;
}

RoutesRequest demo_routes() {
  NetworkRequest network = demo();
  return {network.profile, network.routes, network.exclude, network.keep};
}

AttachedNetwork attach(MachineHost& host, const NetworkRequest& request = demo()) {
  auto attached = host.attach(request);
  EXPECT_TRUE(attached) << attached.error().message;
  return attached ? std::move(*attached) : AttachedNetwork{};
}

ChangedRoutes change(MachineHost& host, const RoutesRequest& request = demo_routes()) {
  auto changed = host.change_routes(request);
  EXPECT_TRUE(changed) << changed.error().message;
  return changed ? *changed : ChangedRoutes{};
}

std::vector<std::string> conflicts(MachineHost& host, const char* profile = "demo") {
  NetworkRequest network = demo();
  auto found = host.conflicts({profile, network.routes, {}, network.exclude});
  EXPECT_TRUE(found) << found.error().message;
  std::vector<std::string> texts;
  for (const RouteConflict& each : found ? *found : std::vector<RouteConflict>()) texts.push_back(each.text());
  return texts;
}

// What the kernel does with a packet; why not, where it does nothing.
std::string way_to(const std::string& destination) { return run("ip route get " + destination + " 2>&1 || true"); }
bool into_device(const std::string& destination) { return way_to(destination).find("dev cw-demo") != std::string::npos; }

TEST(MachineRoutes, AnExcludedPrefixKeepsItsGatewayItsDeviceAndItsSourceAddress) {
  in_namespace([] {
    make_networks();
    run("ip addr add 192.0.2.77/24 dev up0");
    run("ip route add 10.96.8.0/24 via 192.0.2.9 src 192.0.2.77");
    std::string before = network_snapshot(), way = way_to("10.96.8.8"), far = way_to("10.96.9.9");
    NetworkRequest request = demo();
    request.exclude = cidrs({"10.96.8.0/24", "10.96.9.0/24"});
    auto host = make_host();
    AttachedNetwork network = attach(*host, request);
    EXPECT_NE(way.find("via 192.0.2.9 dev up0 src 192.0.2.77"), std::string::npos) << way;
    EXPECT_EQ(way_to("10.96.8.8"), way);
    EXPECT_EQ(way_to("10.96.9.9"), far) << "by the default route";
    EXPECT_TRUE(into_device("10.96.7.255"));
    EXPECT_TRUE(into_device("10.96.10.0"));
    ASSERT_TRUE(host->detach("demo"));
    EXPECT_EQ(network_snapshot(), before);
  });
}

TEST(MachineRoutes, WhatIsIncludedInsideAnExcludedPrefixGoesInAgain) {
  in_namespace([] {
    make_networks();
    NetworkRequest request = demo();
    request.routes.push_back(*Cidr::parse("10.96.8.64/26"));
    request.exclude = cidrs({"10.96.8.0/24"});
    auto host = make_host();
    AttachedNetwork network = attach(*host, request);
    EXPECT_TRUE(into_device("10.96.7.7"));
    EXPECT_FALSE(into_device("10.96.8.63"));
    EXPECT_TRUE(into_device("10.96.8.64"));
    EXPECT_TRUE(into_device("10.96.8.127"));
    EXPECT_FALSE(into_device("10.96.8.128"));
  });
}

TEST(MachineRoutes, AnExcludedPrefixWithoutAWayHasNone) {
  in_namespace([] {
    make_networks();
    run("ip route del default && ip -6 route del default");
    std::string way = way_to("10.96.8.8"), way6 = way_to("fd00:96::7");
    EXPECT_NE(way.find("unreachable"), std::string::npos);
    NetworkRequest request = demo();
    request.exclude = cidrs({"10.96.8.0/24", "fd00:96::7/128"});
    auto host = make_host();
    AttachedNetwork network = attach(*host, request);
    EXPECT_EQ(way_to("10.96.8.8"), way);
    EXPECT_EQ(way_to("fd00:96::7"), way6);
    EXPECT_TRUE(into_device("fd00:96::8"));
  });
}

TEST(MachineRoutes, TheFirstAndTheLastAddressOfARouteGoIn) {
  in_namespace([] {
    make_networks();
    auto host = make_host();
    AttachedNetwork network = attach(*host);
    for (const char* each : {"10.96.0.0", "10.96.255.255", "10.244.0.0", "10.244.255.255", "fd00:96::", "fd00:96::ffff"})
      EXPECT_TRUE(into_device(each)) << each;
    EXPECT_EQ(way_to("10.96.255.255").find("broadcast"), std::string::npos);
    EXPECT_FALSE(into_device("10.97.0.0"));
    EXPECT_FALSE(into_device("fd00:96::1:0"));
  });
}

TEST(MachineRoutes, NullRoutesOfTheMachineAreInNobodysWay) {
  in_namespace([] {
    make_networks();
    run("ip route add blackhole 10.96.0.0/16 && ip route add unreachable 10.244.0.0/16");
    run("ip route add prohibit 10.244.7.0/24 && ip -6 route add blackhole fd00:96::/112 && ip route add throw 10.0.0.0/8");
    std::string before = network_snapshot();
    auto host = make_host();
    EXPECT_TRUE(conflicts(*host).empty());
    AttachedNetwork network = attach(*host);
    for (const char* each : {"10.96.1.1", "10.244.1.1", "10.244.7.7", "fd00:96::1"}) EXPECT_TRUE(into_device(each)) << each;
    ASSERT_TRUE(host->detach("demo"));
    EXPECT_EQ(network_snapshot(), before);
  });
}

TEST(MachineRoutes, ARouteInTheWayIsFoundAndWhatIsHiddenOfItComesBack) {
  in_namespace([] {
    make_networks();
    run("ip route add 10.96.0.0/16 via 10.9.0.1 && ip route add 10.244.7.0/24 dev vpn0 && ip route add 0.0.0.0/1 via 10.9.0.1");
    std::string before = network_snapshot(), way = way_to("10.96.1.1");
    auto host = make_host();
    EXPECT_EQ(conflicts(*host), (std::vector<std::string>{"10.96.0.0/16: vpn0, by 10.9.0.1 has 10.96.0.0/16",
                                                          "10.244.0.0/16: vpn0 has 10.244.7.0/24"}));
    EXPECT_EQ(network_snapshot(), before) << "it was only looked at";
    AttachedNetwork network = attach(*host);
    for (const char* each : {"10.96.1.1", "10.244.7.7"}) EXPECT_TRUE(into_device(each)) << each;
    EXPECT_EQ(conflicts(*host).size(), 2u) << "our own are no conflict, theirs still are";
    ASSERT_TRUE(host->detach("demo"));
    EXPECT_EQ(way_to("10.96.1.1"), way);
    EXPECT_EQ(network_snapshot(), before);
  });
}

TEST(MachineRoutes, AConflictIsLookedForInEveryTableThatARuleNames) {
  in_namespace([] {
    make_networks();
    run("ip route add 10.0.0.0/8 dev vpn0 table 52");
    auto host = make_host();
    EXPECT_TRUE(conflicts(*host).empty()) << "nobody asks that table";
    run("ip rule add pref 5270 lookup 52");
    EXPECT_EQ(conflicts(*host).size(), 2u);
    AttachedNetwork network = attach(*host);
    EXPECT_TRUE(into_device("10.96.1.1"));
  });
}

TEST(MachineRoutes, AnotherProfilesRoutesAreInTheWay) {
  in_namespace([] {
    make_networks();
    auto host = make_host();
    AttachedNetwork first = attach(*host);
    EXPECT_TRUE(conflicts(*host).empty());
    EXPECT_EQ(conflicts(*host, "stage").front(), "10.96.0.0/16: cw-demo (the profile demo) has 10.96.0.0/16");
  });
}

TEST(MachineRoutes, WhatIsKeptFollowsTheMachineToAnotherNetwork) {
  in_namespace([] {
    make_networks();
    auto host = make_host();
    NetworkRequest request = demo();
    request.routes.push_back(*Cidr::parse("203.0.113.0/24"));
    AttachedNetwork network = attach(*host, request);
    EXPECT_NE(way_to("203.0.113.7").find("via 192.0.2.1 dev up0"), std::string::npos);
    run("ip route replace default via 10.9.0.1");
    EXPECT_NE(way_to("203.0.113.7").find("via 10.9.0.1 dev vpn0"), std::string::npos) << "with nothing done by anybody";
    EXPECT_TRUE(into_device("203.0.113.8"));
  });
}

TEST(MachineRoutes, ANewDefaultGatewayOrResolverInsideARouteIsKeptOut) {
  in_namespace([] {
    make_networks();
    std::string before = network_snapshot();
    auto host = make_host();
    AttachedNetwork network = attach(*host);
    run("ip addr add 10.96.3.2/24 dev vpn0 && ip route add default via 10.96.3.1 dev vpn0 metric 5");
    write_text("/run/resolv.conf", "nameserver 10.96.3.53\n");
    EXPECT_TRUE(into_device("10.96.3.1"));
    EXPECT_TRUE(change(*host).lost.empty());
    EXPECT_NE(way_to("10.96.3.1").find("dev vpn0"), std::string::npos);
    EXPECT_NE(way_to("10.96.3.53").find("dev vpn0"), std::string::npos);
    EXPECT_TRUE(into_device("10.96.3.54"));
    run("ip route del default metric 5 && ip addr del 10.96.3.2/24 dev vpn0");
    write_text("/run/resolv.conf", "nameserver 192.0.2.53\n");
    EXPECT_TRUE(change(*host).lost.empty());
    EXPECT_TRUE(into_device("10.96.3.1"));
    ASSERT_TRUE(host->detach("demo"));
    EXPECT_EQ(network_snapshot(), before);
  });
}

TEST(MachineRoutes, AskedAgainChangesNothing) {
  in_namespace([] {
    make_networks();
    auto host = make_host();
    AttachedNetwork network = attach(*host);
    wait_for_local_route("fd63:6175:7365::1");
    std::string before = network_snapshot();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(change(*host).lost.empty());
    EXPECT_EQ(network_snapshot(), before);
  });
}

TEST(MachineRoutes, PrefixesComeAndGoWhileItIsUp) {
  in_namespace([] {
    make_networks();
    std::string before = network_snapshot();
    auto host = make_host();
    AttachedNetwork network = attach(*host);
    RoutesRequest request = demo_routes();
    request.routes = cidrs({"10.244.0.0/16", "198.18.0.0/20"});
    request.exclude = cidrs({"10.244.9.0/24"});
    EXPECT_TRUE(change(*host, request).lost.empty());
    EXPECT_FALSE(into_device("10.96.1.1"));
    EXPECT_TRUE(into_device("198.18.1.1"));
    EXPECT_FALSE(into_device("10.244.9.9"));
    // The same prefix the other way round.
    request.routes = cidrs({"10.244.0.0/16", "10.244.9.0/24"});
    request.exclude = {};
    change(*host, request);
    EXPECT_TRUE(into_device("10.244.9.9"));
    EXPECT_FALSE(into_device("198.18.1.1"));
    auto lines = host->detach("demo");
    ASSERT_TRUE(lines);
    EXPECT_EQ(lines->front(), "cw-demo removed, with 2 addresses and 2 routes");
    EXPECT_EQ(network_snapshot(), before);
  });
}

TEST(MachineRoutes, WhatAnotherProgramTakesAwayIsToldAndPutBack) {
  in_namespace([] {
    make_networks();
    auto host = make_host();
    AttachedNetwork network = attach(*host);
    wait_for_local_route("fd63:6175:7365::1");
    std::string before = network_snapshot();
    run("ip route del 10.96.0.0/16 table 7700 && ip rule del pref 5000 && ip -6 addr del fd63:6175:7365::1/128 dev cw-demo");
    EXPECT_EQ(change(*host).lost, (std::vector<std::string>{"the address fd63:6175:7365::1", "the route 10.96.0.0/16",
                                                            "the routing rule for IPv4"}));
    EXPECT_TRUE(into_device("10.96.1.1"));
    wait_for_local_route("fd63:6175:7365::1");
    auto in_order = [](std::string text) {
      std::sort(text.begin(), text.end());
      return text;
    };
    EXPECT_EQ(in_order(network_snapshot()), in_order(before));
    EXPECT_TRUE(change(*host).lost.empty());
    run("ip link set cw-demo down");
    EXPECT_FALSE(change(*host).lost.empty());
    for (const char* each : {"10.96.1.1", "10.244.1.1", "fd00:96::1"}) EXPECT_TRUE(into_device(each)) << each;
    EXPECT_TRUE(change(*host).lost.empty());
  });
}

TEST(MachineRoutes, WhatIsNotToBePutBackStaysAway) {
  in_namespace([] {
    make_networks();
    auto host = make_host();
    AttachedNetwork network = attach(*host);
    run("ip route del 10.96.0.0/16 table 7700");
    RoutesRequest request = demo_routes();
    request.repair = false;
    EXPECT_EQ(change(*host, request).lost, std::vector<std::string>{"the route 10.96.0.0/16"});
    EXPECT_FALSE(into_device("10.96.1.1"));
    EXPECT_EQ(change(*host, request).lost.size(), 1u) << "it is still told";
    run("ip link set cw-demo down");
    EXPECT_FALSE(change(*host, request).lost.empty());
    EXPECT_FALSE(into_device("10.244.1.1"));
  });
}

TEST(MachineRoutes, OfAProfileThatIsGoneNothingCanBeChanged) {
  in_namespace([] {
    make_networks();
    auto host = make_host();
    auto none = host->change_routes(demo_routes());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
    AttachedNetwork network = attach(*host);
    run("ip link del cw-demo");
    none = host->change_routes(demo_routes());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().message, "cw-demo is gone: another program removed it");
  });
}

}  // namespace
}  // namespace causeway::platform

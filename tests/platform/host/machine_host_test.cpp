#include "platform/host/machine_host.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/platform/host/in_namespace.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;
using test::in_namespace;
using test::network_snapshot;
using test::read_text;
using test::run;
using test::wait_for_local_route;
using test::write_text;

constexpr const char* kResolvConf = "/run/resolv.conf";
constexpr const char* kOriginal = "# by hand\nnameserver 192.0.2.53\nsearch home.example\noptions timeout:1\n";

Address address(const char* text) { return *Address::parse(text); }

std::unique_ptr<MachineHost> make_host() {
  auto host = MachineHost::create({"/run/state", "/run/profiles", kResolvConf});
  EXPECT_TRUE(host) << host.error().message;
  return host ? std::move(*host) : nullptr;
}

// A network with a way out: 192.0.2.0/24 on `up0`, the default gateway at .1.
void make_uplink() {
  run("ip link add up0 type veth peer name far0");
  run("ip link set up0 addrgenmode none && ip link set far0 addrgenmode none && ip link set far0 up && ip link set up0 "
      "up");
  run("ip addr add 192.0.2.2/24 dev up0 && ip route add default via 192.0.2.1");
  run("ip -6 addr add 2001:db8::2/64 dev up0 nodad && ip -6 route add default via 2001:db8::1");
  // The kernel tells of a carrier a moment later, and makes a route of it then: what is compared with later has to have it.
  run("for i in $(seq 200); do [ \"$(ip -6 route show table local ff00::/8 | grep -c -e 'dev up0' -e 'dev far0')\" = 2 ] && "
      "exit 0; sleep 0.02; done; exit 1");
  write_text(kResolvConf, kOriginal);
}

NetworkRequest demo() {
  NetworkRequest request;
  request.profile = "demo";
  request.mtu = 8500;
  request.addresses = {address("10.96.255.1"), address("fd00:96::1")};
  request.routes = {*Cidr::parse("10.96.0.0/16"), *Cidr::parse("10.244.0.0/16"), *Cidr::parse("fd00:96::/112")};
  request.keep = {address("203.0.113.7")};
  return request;
}

ResolverRequest demo_resolver() { return {"demo", {address("10.96.255.1")}, true}; }

std::string way_to(const std::string& destination) { return run("ip route get " + destination); }

bool mentions(const std::vector<std::string>& lines, const std::string& what) {
  for (const std::string& line : lines) {
    if (line.find(what) != std::string::npos) return true;
  }
  return false;
}

TEST(MachineHost, AttachMakesDeviceAddressesAndRoutesAndDetachLeavesTheNetworkAsItWas) {
  in_namespace([] {
    make_uplink();
    std::string before = network_snapshot();
    auto host = make_host();
    auto attached = host->attach(demo());
    ASSERT_TRUE(attached) << attached.error().message;
    EXPECT_EQ(attached->device, "cw-demo");
    EXPECT_TRUE(attached->skipped.empty());
    EXPECT_TRUE(::fcntl(attached->tun.get(), F_GETFL) & O_NONBLOCK);
    EXPECT_TRUE(::fcntl(attached->tun.get(), F_GETFD) & FD_CLOEXEC);
    EXPECT_NE(run("ip link show cw-demo").find("mtu 8500"), std::string::npos);
    EXPECT_NE(way_to("10.96.3.4").find("dev cw-demo"), std::string::npos);
    EXPECT_NE(way_to("fd00:96::55").find("dev cw-demo"), std::string::npos);
    EXPECT_NE(way_to("198.51.100.1").find("dev up0"), std::string::npos);
    std::string addresses = run("ip addr show cw-demo");
    EXPECT_NE(addresses.find("10.96.255.1/32"), std::string::npos);
    EXPECT_NE(addresses.find("fd00:96::1/128"), std::string::npos);
    EXPECT_EQ(addresses.find("fe80"), std::string::npos);

    auto lines = host->detach("demo");
    ASSERT_TRUE(lines) << lines.error().message;
    EXPECT_TRUE(mentions(*lines, "cw-demo removed, with 2 addresses and 3 routes"));
    EXPECT_EQ(network_snapshot(), before);
    EXPECT_EQ(run("ls /run/state/journal"), "lock\n");
    auto again = host->detach("demo");
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->empty());
  });
}

TEST(MachineHost, WhatTheTunnelNeedsItselfIsReachedOutsideIt) {
  in_namespace([] {
    make_uplink();
    run("ip route add 10.96.7.0/24 via 192.0.2.9");
    std::string before = network_snapshot();
    auto host = make_host();
    NetworkRequest request = demo();
    request.routes = {*Cidr::parse("203.0.113.0/24"), *Cidr::parse("192.0.0.0/16"), *Cidr::parse("10.96.0.0/16")};
    request.keep = {address("203.0.113.7"), address("10.96.7.7")};
    auto attached = host->attach(request);
    ASSERT_TRUE(attached) << attached.error().message;
    EXPECT_NE(way_to("203.0.113.8").find("dev cw-demo"), std::string::npos);
    EXPECT_NE(way_to("203.0.113.7").find("via 192.0.2.1 dev up0"), std::string::npos);
    EXPECT_NE(way_to("10.96.7.7").find("via 192.0.2.9 dev up0"), std::string::npos);
    EXPECT_NE(way_to("192.0.2.1").find("dev up0"), std::string::npos) << "the default gateway";
    EXPECT_NE(way_to("192.0.2.53").find("dev up0"), std::string::npos) << "the DNS server";
    ASSERT_TRUE(host->detach("demo"));
    EXPECT_EQ(network_snapshot(), before);
  });
}

TEST(MachineHost, TheServersBehindSystemdResolvedKeepTheirWay) {
  in_namespace([] {
    make_uplink();
    write_text(kResolvConf, "nameserver 127.0.0.53\n");
    run("mkdir -p /run/systemd/resolve");
    write_text("/run/systemd/resolve/resolv.conf", "nameserver 198.51.100.53\n");
    auto host = make_host();
    NetworkRequest request = demo();
    request.routes = {*Cidr::parse("198.51.100.0/24")};
    auto attached = host->attach(request);
    ASSERT_TRUE(attached) << attached.error().message;
    EXPECT_NE(way_to("198.51.100.53").find("dev up0"), std::string::npos);
    EXPECT_NE(way_to("198.51.100.54").find("dev cw-demo"), std::string::npos);
  });
}

TEST(MachineHost, AGatewayWithNoOtherWayIsRefusedAndLeavesNothing) {
  in_namespace([] {
    write_text(kResolvConf, "");
    std::string before = network_snapshot();
    auto host = make_host();
    NetworkRequest request = demo();
    request.keep = {address("10.96.0.9")};
    auto attached = host->attach(request);
    ASSERT_FALSE(attached);
    EXPECT_EQ(attached.error().code, ErrorCode::kConflict);
    EXPECT_NE(attached.error().message.find("10.96.0.9"), std::string::npos);
    EXPECT_EQ(network_snapshot(), before);
    EXPECT_EQ(run("ls /run/state/journal"), "lock\n");
  });
}

TEST(MachineHost, ADeviceOfTheSameNameThatIsNotOursStays) {
  in_namespace([] {
    make_uplink();
    run("ip link add cw-demo type veth peer name far1");
    std::string before = network_snapshot();
    auto host = make_host();
    auto attached = host->attach(demo());
    ASSERT_FALSE(attached);
    EXPECT_EQ(attached.error().code, ErrorCode::kConflict);
    EXPECT_FALSE(attached.error().advice.empty());
    EXPECT_EQ(network_snapshot(), before);
  });
}

TEST(MachineHost, AnErrorHalfWayUndoesTheFirstHalf) {
  in_namespace([] {
    make_uplink();
    run("ip addr add 10.96.255.1/32 dev up0");
    std::string before = network_snapshot();
    auto host = make_host();
    auto taken = host->attach(demo());
    ASSERT_FALSE(taken);
    EXPECT_NE(taken.error().message.find("up0"), std::string::npos);
    EXPECT_EQ(network_snapshot(), before);
    run("ip addr del 10.96.255.1/32 dev up0");
    ASSERT_TRUE(host->attach(demo()));
  });
}

TEST(MachineHost, TwoProfilesKeepEachOthersGateways) {
  in_namespace([] {
    make_uplink();
    std::string before = network_snapshot();
    auto host = make_host();
    auto first = host->attach(demo());
    ASSERT_TRUE(first) << first.error().message;
    NetworkRequest other;
    other.profile = "stage";
    other.addresses = {address("10.200.255.1")};
    other.routes = {*Cidr::parse("203.0.0.0/16")};
    other.keep = {address("203.0.113.9")};
    auto second = host->attach(other);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_NE(way_to("203.0.113.7").find("dev up0"), std::string::npos);
    EXPECT_NE(way_to("203.0.113.9").find("dev up0"), std::string::npos);
    EXPECT_NE(way_to("203.0.113.8").find("dev cw-stage"), std::string::npos);
    ASSERT_TRUE(host->detach("demo"));
    EXPECT_NE(way_to("203.0.113.9").find("dev up0"), std::string::npos);
    ASSERT_TRUE(host->detach("stage"));
    EXPECT_EQ(network_snapshot(), before);
  });
}

// Runs `work` in a process of its own, which it ends with crash().
[[noreturn]] void crash() {
  if (!::testing::Test::HasFailure()) ::kill(::getpid(), SIGKILL);
  ::_exit(1);
}

void in_crashing_process(const std::function<void()>& work) {
  pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    work();
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(MachineHost, AfterKillMinus9TheNextStartPutsEverythingBack) {
  in_namespace([] {
    make_uplink();
    ::chmod(kResolvConf, 0640);
    ASSERT_EQ(::chown(kResolvConf, 12, 34), 0);
    std::string before = network_snapshot();
    in_crashing_process([] {
      auto host = make_host();
      NetworkRequest request = demo();
      request.routes.push_back(*Cidr::parse("203.0.113.0/24"));
      auto attached = host->attach(request);
      ASSERT_TRUE(attached) << attached.error().message;
      ASSERT_TRUE(host->set_resolver(demo_resolver()));
      crash();
    });
    EXPECT_NE(read_text(kResolvConf), kOriginal);
    EXPECT_NE(network_snapshot(), before) << "the rules are there still";
    auto host = make_host();
    auto lines = host->recover();
    EXPECT_TRUE(mentions(lines, "resolv.conf restored"));
    EXPECT_TRUE(mentions(lines, "cw-demo is gone"));
    EXPECT_EQ(read_text(kResolvConf), kOriginal);
    EXPECT_EQ(network_snapshot(), before);
    EXPECT_EQ(run("ls /run/state/journal"), "lock\n");
    struct stat info {};
    ASSERT_EQ(::stat(kResolvConf, &info), 0);
    EXPECT_EQ(info.st_mode & 07777u, 0640u);
    EXPECT_EQ(info.st_uid, 12u);
    EXPECT_EQ(info.st_gid, 34u);
    EXPECT_TRUE(host->recover().empty());
  });
}

TEST(MachineHost, WhatAnotherProgramPutIntoOurTableStays) {
  in_namespace([] {
    make_uplink();
    auto host = make_host();
    NetworkRequest request = demo();
    request.exclude = {*Cidr::parse("10.96.8.0/24")};
    auto attached = host->attach(request);
    ASSERT_TRUE(attached) << attached.error().message;
    run("ip route add 198.51.100.0/24 via 192.0.2.9 table 7700");
    ASSERT_TRUE(host->detach("demo"));
    EXPECT_EQ(run("ip route show table 7700"), "198.51.100.0/24 via 192.0.2.9 dev up0 \n");
    EXPECT_EQ(run("ip rule").find("7700"), std::string::npos);
  });
}

TEST(MachineHost, OneStateDirectoryServesOneProcess) {
  in_namespace([] {
    auto host = make_host();
    ASSERT_TRUE(host);
    pid_t pid = ::fork();
    if (pid == 0) {
      auto second = MachineHost::create({"/run/state", "/run/profiles", kResolvConf});
      ::_exit(!second && second.error().code == ErrorCode::kConflict ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  });
}

TEST(MachineHost, AForkedCopyUndoesNothing) {
  in_namespace([] {
    make_uplink();
    auto host = make_host();
    auto attached = host->attach(demo());
    ASSERT_TRUE(attached) << attached.error().message;
    wait_for_local_route("fd00:96::1");
    std::string up = network_snapshot();
    pid_t pid = ::fork();
    if (pid == 0) {
      host.reset();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(network_snapshot(), up);
  });
}

TEST(MachineHost, WithoutIPv6TheRestIsMadeAndItsRoutesAreReported) {
  in_namespace([] {
    make_uplink();
    write_text("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    auto host = make_host();
    auto attached = host->attach(demo());
    ASSERT_TRUE(attached) << attached.error().message;
    ASSERT_EQ(attached->skipped.size(), 1u);
    EXPECT_EQ(attached->skipped[0].text(), "fd00:96::/112");
  });
}

}  // namespace
}  // namespace causeway::platform

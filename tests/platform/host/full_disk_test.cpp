// What cannot be journalled is not done, and what was done is undone also where there is no room left.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "platform/host/machine_host.h"
#include "tests/platform/host/in_namespace.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;
using test::in_namespace;
using test::network_snapshot;
using test::read_text;
using test::run;
using test::write_text;

constexpr const char* kResolvConf = "/run/etc/resolv.conf";
constexpr const char* kOriginal = "nameserver 192.0.2.53\n";

NetworkRequest demo() {
  NetworkRequest request;
  request.profile = "demo";
  request.addresses = {*Address::parse("10.96.255.1")};
  request.routes = {*Cidr::parse("10.96.0.0/16")};
  return request;
}

ResolverRequest demo_resolver() { return {"demo", {*Address::parse("10.96.255.1")}, true}; }

void make_small_disks() {
  for (const char* folder : {"/run/state", "/run/etc"}) {
    ::mkdir(folder, 0700);
    ASSERT_EQ(::mount("tmpfs", folder, "tmpfs", 0, "size=64k"), 0);
  }
  write_text(kResolvConf, kOriginal);
}

void fill(const std::string& folder) {
  run("cat /dev/zero >" + folder + "/filler 2>/dev/null || true");
}

std::unique_ptr<MachineHost> make_host() {
  auto host = MachineHost::create({"/run/state", "/run/profiles", kResolvConf});
  EXPECT_TRUE(host) << host.error().message;
  return host ? std::move(*host) : nullptr;
}

std::string files() { return run("cd /run && ls state/journal etc"); }

TEST(FullDisk, NothingIsChangedThatCannotBeJournalled) {
  in_namespace([] {
    make_small_disks();
    auto host = make_host();
    fill("/run/state");
    std::string before = network_snapshot(), there = files();
    auto attached = host->attach(demo());
    ASSERT_FALSE(attached);
    EXPECT_NE(attached.error().message.find("the journal of what is to be undone cannot be written"), std::string::npos);
    EXPECT_NE(attached.error().message.find("No space left"), std::string::npos);
    EXPECT_NE(attached.error().advice.find("df"), std::string::npos);
    EXPECT_EQ(network_snapshot(), before);
    EXPECT_EQ(files(), there);
  });
}

TEST(FullDisk, AResolverThatCannotBeJournalledIsLeftAlone) {
  in_namespace([] {
    make_small_disks();
    auto host = make_host();
    std::string before = network_snapshot();
    ASSERT_TRUE(host->attach(demo()));
    fill("/run/state");
    std::string there = files();
    auto resolver = host->set_resolver(demo_resolver());
    ASSERT_FALSE(resolver);
    EXPECT_NE(resolver.error().message.find("cannot be written"), std::string::npos);
    EXPECT_EQ(read_text(kResolvConf), kOriginal);
    EXPECT_EQ(files(), there);
    auto lines = host->detach("demo");
    EXPECT_TRUE(lines) << lines.error().message;
    EXPECT_EQ(network_snapshot(), before);
    EXPECT_TRUE(host->clean());
  });
}

TEST(FullDisk, WhatWasDoneBeforeIsUndone) {
  in_namespace([] {
    make_small_disks();
    auto host = make_host();
    std::string before = network_snapshot(), there = files();
    ASSERT_TRUE(host->attach(demo()));
    ASSERT_TRUE(host->set_resolver(demo_resolver()));
    fill("/run/state");
    fill("/run/etc");
    auto lines = host->detach("demo");
    EXPECT_TRUE(lines) << lines.error().message;
    EXPECT_EQ(read_text(kResolvConf), kOriginal);
    EXPECT_EQ(network_snapshot(), before);
    run("rm /run/etc/filler");
    EXPECT_EQ(files(), there);
    EXPECT_TRUE(host->clean());
  });
}

TEST(FullDisk, AStateFolderThatIsGoneChangesNothing) {
  in_namespace([] {
    make_small_disks();
    auto host = make_host();
    std::string before = network_snapshot();
    run("rm -r /run/state/journal");
    auto attached = host->attach(demo());
    ASSERT_FALSE(attached);
    EXPECT_NE(attached.error().message.find("/run/state/journal/demo.changes"), std::string::npos);
    EXPECT_EQ(network_snapshot(), before);
    EXPECT_FALSE(host->set_resolver(demo_resolver()));
    EXPECT_EQ(read_text(kResolvConf), kOriginal);
  });
}

}  // namespace
}  // namespace causeway::platform

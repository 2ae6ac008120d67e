// Several tunnels at once, each with a cluster of its own: whose stub answers what.
#include <causeway/tunnel.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "core/packet/build.h"
#include "core/packet/parse.h"
#include "dns/answer.h"
#include "fake_host.h"
#include "platform/loop/clock.h"
#include "test_gateway.h"
#include "tun/virtio_header.h"

namespace causeway::platform {
namespace {

using namespace std::chrono_literals;

// A cluster and the tunnel to it. Its DNS knows one namespace, called as the tunnel is, where every name has the same address.
struct Cluster {
  Cluster(Loop& loop, std::string called, std::uint8_t number) : name(std::move(called)), gateway(loop) {
    gateway.only = name + ".svc." + name + ".local";
    gateway.address = packet::Address::v4(10, number, 0, 1);
    routes = "10." + std::to_string(number) + ".0.0/16";
  }
  std::string name, routes;
  TestGateway gateway;
  std::unique_ptr<Tunnel> tunnel;
};

class SeveralTunnelsTest : public ::testing::Test {
 protected:
  SeveralTunnelsTest() {
    char folder[] = "/tmp/causeway-test-XXXXXX";
    state_ = mkdtemp(folder);
    Runtime::Options options;
    options.host = &host_;
    options.state_directory = state_;
    Failure failure;
    runtime_ = Runtime::create(options, failure);
    guard_ = std::make_unique<Timer>(runtime_->loop(), [this] {
      ADD_FAILURE() << "nothing happened for 10 s";
      runtime_->stop();
    });
    keys_ = noise::generate(random_);
    red_ = make("red", 101);
    blue_ = make("blue", 102);
    green_ = make("green", 103);
  }
  ~SeveralTunnelsTest() override {
    for (Cluster* each : {red_.get(), blue_.get(), green_.get()}) each->tunnel.reset();
    red_.reset(), blue_.reset(), green_.reset(), guard_.reset(), runtime_.reset();
    std::filesystem::remove_all(state_);
  }

  std::unique_ptr<Cluster> make(const std::string& name, std::uint8_t number) {
    auto cluster = std::make_unique<Cluster>(runtime_->loop(), name, number);
    cluster->gateway.authorise(keys_.public_key);
    return cluster;
  }

  void run() {
    guard_->set(boot_now() + 10s);
    runtime_->run();
    guard_->set(kNever);
  }
  void until(const std::function<bool()>& so) {
    Timer again(runtime_->loop(), [&] {
      if (so()) return runtime_->stop();
      again.set(boot_now() + 1ms);
    });
    again.set(boot_now());
    run();
  }

  void up(Cluster& cluster, const std::string& more = "") {
    Tunnel::Profile profile;
    profile.source = "/etc/causeway/" + cluster.name + ".toml";
    profile.toml = "gateways = [\"127.0.0.1:" + std::to_string(cluster.gateway.port()) + "\"]\ngateway_key = \"" +
                   noise::encode_key(cluster.gateway.key()) + "\"\nkey_file = \"laptop.key\"\nroutes = [\"" +
                   cluster.routes + "\"]\n[dns]\ndomain = \"" + cluster.name + ".local\"\n" + more;
    profile.key = noise::encode_key(keys_.private_key.bytes());
    Failure failure;
    cluster.tunnel = Tunnel::create(*runtime_, profile, failure);
    ASSERT_TRUE(cluster.tunnel) << failure.message;
    std::optional<Failure> failed;
    cluster.tunnel->up(nullptr, [&](const std::optional<Failure>& why) {
      failed = why;
      runtime_->stop();
    });
    run();
    ASSERT_FALSE(failed) << failed->step << ": " << failed->message;
  }
  void down(Cluster& cluster) {
    cluster.tunnel->down([&](const std::vector<std::string>&) { runtime_->stop(); });
    run();
  }

  // A program asks the stub of `of`; its answers come to heard().
  void ask(Cluster& of, std::string_view name, std::uint16_t id = 77) {
    dns::Query query;
    query.id = id;
    query.question.name = *dns::Name::parse(name);
    packet::Address stub = *packet::Address::parse(of.tunnel->status().dns_servers.at(0));
    packet::PacketBatch batch;
    std::vector<std::uint8_t> question = dns::encode_query(query, 512);
    packet::build_udp(batch, {*packet::Address::parse(of.tunnel->status().addresses.at(0)), 5353}, {stub, 53},
                      question);
    const packet::OutgoingPacket& packet = batch.packets().front();
    std::vector<std::uint8_t> bytes(tun::kVirtioHeaderSize);
    tun::encode_virtio_header(packet.offload, bytes);
    dns::append_bytes(bytes, batch.header(packet));
    for (Bytes piece : batch.pieces(packet)) dns::append_bytes(bytes, piece);
    ASSERT_EQ(write(host_.apps[of.name].get(), bytes.data(), bytes.size()), ssize_t(bytes.size()));
  }

  // The next answer that came out of the device of `of`: an address, or the code.
  std::optional<std::string> heard(Cluster& of) {
    std::vector<std::uint8_t> bytes(70000);
    ssize_t n = read(host_.apps[of.name].get(), bytes.data(), bytes.size());
    if (n <= ssize_t(tun::kVirtioHeaderSize)) return std::nullopt;
    auto parsed =
        packet::parse(Bytes(bytes).subspan(tun::kVirtioHeaderSize, std::size_t(n) - tun::kVirtioHeaderSize), true);
    EXPECT_TRUE(parsed);
    auto view = dns::parse_answer(parsed->payload);
    EXPECT_TRUE(view);
    if (view->answers == 0) return dns::rcode_text(view->head.rcode);
    return packet::Address::from_bytes(parsed->payload.last(4)).text();
  }
  std::string answer(Cluster& of, std::string_view name) {
    ask(of, name);
    std::optional<std::string> got;
    until([&] { return (got = heard(of)).has_value(); });
    return got.value_or("");
  }
  std::uint64_t counter(Cluster& of, std::string_view name) {
    for (const auto& [each, value] : of.tunnel->status().counters) {
      if (each == name) return value;
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }

  noise::SodiumRandom random_;
  FakeHost host_;
  std::string state_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Timer> guard_;
  noise::KeyPair keys_;
  std::unique_ptr<Cluster> red_, blue_, green_;
};

TEST_F(SeveralTunnelsTest, TheFirstStubAnswersForAllOfThem) {
  up(*red_), up(*blue_), up(*green_);
  EXPECT_EQ(answer(*red_, "orders.red"), "10.101.0.1");
  EXPECT_EQ(answer(*red_, "orders.blue"), "10.102.0.1");
  EXPECT_EQ(answer(*red_, "orders.green.svc.green.local"), "10.103.0.1");
  EXPECT_EQ(answer(*red_, "nothing.red.local"), "NXDOMAIN");
}

TEST_F(SeveralTunnelsTest, WhatNoneOfThemHasIsAskedOfTheMachineByTheLastAlone) {
  up(*red_), up(*blue_), up(*green_);
  EXPECT_EQ(answer(*red_, "www.example.org"), "SERVFAIL") << "this machine has no servers";
  EXPECT_EQ(counter(*green_, "dns_machine"), 1u);
  EXPECT_EQ(counter(*green_, "dns_cluster"), 0u);
  EXPECT_EQ(answer(*blue_, "orders.red"), "SERVFAIL") << "nobody asks the one before him";
  EXPECT_EQ(counter(*red_, "dns_questions"), 1u);
}

TEST_F(SeveralTunnelsTest, ANameThatTwoHaveIsTheFirstOnes) {
  blue_->gateway.only = "red.svc.blue.local";
  up(*red_), up(*blue_);
  EXPECT_EQ(answer(*red_, "orders.red"), "10.101.0.1");
  red_->gateway.only = "svc.red.local";
  down(*red_);
  EXPECT_EQ(answer(*blue_, "orders.red"), "10.102.0.1");
  up(*red_);
  EXPECT_EQ(answer(*blue_, "orders.red"), "10.102.0.1") << "who comes back is the last";
}

TEST_F(SeveralTunnelsTest, AQuestionUnderWayGoesOnToTheNextWhenOneGoesDown) {
  up(*red_), up(*blue_), up(*green_);
  blue_->gateway.dns = TestGateway::Dns::kSilent;
  ask(*red_, "orders.green");
  until([&] { return counter(*blue_, "dns_namespaces") > 0; });
  Instant began = boot_now();
  down(*blue_);
  std::optional<std::string> got;
  until([&] { return (got = heard(*red_)).has_value(); });
  EXPECT_EQ(got, "10.103.0.1");
  EXPECT_LT(boot_now() - began, 900ms);
}

TEST_F(SeveralTunnelsTest, WhoAskedTheOneThatGoesDownIsToldSoAtOnce) {
  up(*red_), up(*blue_);
  blue_->gateway.dns = TestGateway::Dns::kSilent;
  ask(*red_, "orders.blue.svc.blue.local");
  until([&] { return counter(*blue_, "dns_cluster") > 0; });
  red_->tunnel->down([&](const std::vector<std::string>&) { runtime_->stop(); });
  run();
  EXPECT_EQ(heard(*red_), "SERVFAIL");
}

TEST_F(SeveralTunnelsTest, WhereTheMachinesResolverIsLeftAloneOthersAskItNothing) {
  up(*red_), up(*blue_, "take_over = false\n"), up(*green_);
  EXPECT_EQ(answer(*red_, "orders.green"), "10.103.0.1");
  EXPECT_EQ(answer(*red_, "orders.blue.svc.blue.local"), "SERVFAIL");
  EXPECT_EQ(counter(*blue_, "dns_questions"), 0u);
  EXPECT_EQ(answer(*blue_, "orders.blue"), "10.102.0.1");
}

TEST_F(SeveralTunnelsTest, ANameBelowAProfilesOwnIsItsAloneWhoeverElseHasIt) {
  for (Cluster* each : {red_.get(), blue_.get()}) each->gateway.only = "shop.svc." + each->name + ".local";
  up(*red_), up(*blue_);
  EXPECT_EQ(answer(*red_, "orders.shop"), "10.101.0.1");
  EXPECT_EQ(answer(*red_, "orders.shop.red"), "10.101.0.1");
  EXPECT_EQ(answer(*red_, "orders.shop.blue"), "10.102.0.1");
  EXPECT_EQ(answer(*red_, "orders.shop.svc.blue"), "10.102.0.1");
  EXPECT_EQ(answer(*red_, "orders.none.blue"), "NXDOMAIN") << "the last word";
  red_->gateway.only = "shop.svc.none.local";
  down(*red_);
  EXPECT_EQ(answer(*blue_, "orders.shop.blue"), "10.102.0.1");
  EXPECT_EQ(answer(*blue_, "orders.shop"), "10.102.0.1");
}

}  // namespace
}  // namespace causeway::platform

// UDP, pings and names through the tunnel.
#include <gtest/gtest.h>

#include "tests/world/askers.h"
#include "tests/world/conversation.h"

namespace causeway::world {
namespace {

using namespace std::chrono_literals;

class Datagrams : public testing::Test {
 protected:
  void begin(WorldOptions options = {}) {
    options.chart = true;
    world_ = std::make_unique<World>(options);
    zone_.add("orders.shop.svc.cluster.local", packet::Address::v4(10, 96, 1, 1));
    machine_zone_.add("www.example.org", packet::Address::v4(192, 0, 2, 80));
    machine_zone_.add("printer", packet::Address::v4(192, 0, 2, 9));
    world_->cluster.set_dns([this](Bytes question) { return zone_.answer(question); });
    world_->set_machine_dns([this](Bytes question) { return machine_zone_.answer(question); });
    ASSERT_TRUE(world_->come_up()) << why();
  }
  std::string why() const { return world_->fault() + "\n" + world_->chart.text(); }

  std::optional<Answer> look_up(const std::string& name, unsigned tries = 5) {
    askers_.push_back(std::make_unique<NameAsker>(*world_, name, std::uint16_t(7 + askers_.size()), tries));
    NameAsker& asker = *askers_.back();
    asker.ask();
    world_->run_until([&] { return asker.ended(); }, 30s);
    return asker.answer();
  }

  Zone zone_, machine_zone_;
  std::unique_ptr<World> world_;
  std::vector<std::unique_ptr<NameAsker>> askers_;
};

TEST_F(Datagrams, OfEverySizeComeBackAsTheyWentThroughFragmentsAndReassembly) {
  begin();
  for (bool v6 : {false, true}) {
    UdpService& service = world_->cluster.add_udp(service_at(1, 7, v6));
    DatagramAsker asker(*world_, v6 ? 1 : 2, service_at(1, 7, v6));
    for (std::size_t size : {8u, 9u, 1400u, 1401u, 1472u, 1473u, 9000u, 16'384u, 65'000u, 65'507u}) {
      asker.send(size);
      world_->run_until([&] { return asker.answered() == asker.sent(); }, 2s);
      EXPECT_EQ(asker.answered(), asker.sent()) << size << why();
    }
    EXPECT_EQ(asker.fault(), "");
    EXPECT_EQ(service.largest, 65'507u);
    EXPECT_EQ(service.last_source, asker.socket().local);
  }
}

TEST_F(Datagrams, AnEmptyOneArrivesToo) {
  begin();
  UdpService& service = world_->cluster.add_udp(service_at(1, 7));
  std::size_t back = 0;
  Laptop::UdpSocket& socket = world_->laptop.open_udp(false, [&](const packet::Endpoint&, Bytes datagram) {
    EXPECT_TRUE(datagram.empty());
    ++back;
  });
  for (int i = 0; i < 3; ++i) world_->laptop.send_udp(socket, service_at(1, 7), {});
  world_->run_for(1s);
  EXPECT_EQ(service.received, 3u) << why();
  EXPECT_EQ(back, 3u);
}

TEST_F(Datagrams, AClosedPortIsToldAsPortUnreachable) {
  begin();
  DatagramAsker asker(*world_, 1, service_at(9, 9));
  asker.send(100);
  world_->run_for(1s);
  ASSERT_TRUE(asker.socket().error) << why();
  EXPECT_EQ(asker.socket().error->code, 3);
}

TEST_F(Datagrams, AFlowIsForgottenWhenItIsIdleAndMadeAgainWhenItIsNot) {
  begin();
  world_->cluster.add_udp(service_at(1, 7));
  DatagramAsker asker(*world_, 1, service_at(1, 7));
  asker.send(100);
  world_->run_for(70s);
  EXPECT_EQ(world_->client().status().datagram_flows, 0u);
  EXPECT_EQ(world_->gateway()->status().relays, 0u);
  asker.send(100);
  world_->run_for(1s);
  EXPECT_EQ(asker.answered(), 2u) << why();
}

TEST_F(Datagrams, PingsAreAnsweredByTheTargetAndOwnAddressesByOurselves) {
  begin();
  std::vector<std::uint8_t> payload(56, 0x5a);
  world_->laptop.ping(service_at(1).address, 77, 1, payload);
  world_->laptop.ping(service_at(1, 0, true).address, 78, 2, payload);
  world_->laptop.ping(kStub, 79, 3, payload);
  world_->run_for(1s);
  ASSERT_EQ(world_->laptop.echo_replies.size(), 3u) << why();
  for (const auto& reply : world_->laptop.echo_replies) EXPECT_EQ(reply.payload, payload);
}

TEST_F(Datagrams, AClusterNameIsAnsweredByTheCluster) {
  begin();
  for (const char* name :
       {"orders.shop", "orders", "orders.shop.svc", "orders.shop.svc.cluster.local", "OrDeRs.ShOp"}) {
    auto answer = look_up(name);
    ASSERT_TRUE(answer) << name << why();
    ASSERT_EQ(answer->addresses.size(), 1u) << name;
    EXPECT_EQ(answer->addresses[0], packet::Address::v4(10, 96, 1, 1));
  }
}

TEST_F(Datagrams, WhatIsNotTheClustersGoesToTheMachine) {
  begin();
  auto outside = look_up("www.example.org");
  ASSERT_TRUE(outside) << why();
  EXPECT_EQ(outside->addresses.size(), 1u);
  EXPECT_EQ(zone_.questions("www.example.org"), 0u);
  // A name that could have been the cluster's, and which it denies.
  auto fallen_through = look_up("printer");
  ASSERT_TRUE(fallen_through) << why();
  ASSERT_EQ(fallen_through->addresses.size(), 1u);
  EXPECT_EQ(fallen_through->addresses[0], packet::Address::v4(192, 0, 2, 9));
  EXPECT_EQ(zone_.questions("printer.shop.svc.cluster.local"), 1u);
}

TEST_F(Datagrams, AClusterNameIsServfailAtOnceWhileTheLinkIsDownAndOthersStillWork) {
  begin();
  world_->kill_gateway();
  world_->run_for(100ms);
  Instant before = world_->time.now();
  auto answer = look_up("orders.shop");
  ASSERT_TRUE(answer) << why();
  EXPECT_EQ(answer->rcode, dns::Rcode::kServFail);
  EXPECT_LT(world_->time.now() - before, 1s);
  auto outside = look_up("www.example.org");
  ASSERT_TRUE(outside);
  EXPECT_EQ(outside->addresses.size(), 1u);
}

TEST_F(Datagrams, NamesAreAnsweredOverTcpAlsoInPieces) {
  begin();
  std::vector<std::uint8_t> message = question("orders.shop", 99);
  std::uint8_t length[2];
  store16(length, std::uint16_t(message.size()));
  message.insert(message.begin(), length, length + 2);
  std::vector<std::uint8_t> received;
  bool sent = false;
  AppTcp& tcp = world_->laptop.connect({kStub, 53}, {}, [&](AppTcp& t) {
    if (t.state() == AppTcp::State::kOpen && !sent) {
      sent = true;
      t.write(Bytes(message).first(5));
      world_->time.after(10ms, [&] {
        t.write(Bytes(message).subspan(5));
        t.flush();
      });
    }
    std::uint8_t space[512];
    while (std::size_t n = t.read(space)) received.insert(received.end(), space, space + n);
    if (received.size() > 2) t.finish();
  });
  EXPECT_TRUE(world_->run_until([&] { return tcp.state() == AppTcp::State::kDone; }, 10s)) << why();
  EXPECT_EQ(tcp.end(), AppTcp::End::kClosed);
  ASSERT_GT(received.size(), 2u) << why();
  EXPECT_EQ(load16(received.data()), received.size() - 2);
  auto answer = read_answer(Bytes(received).subspan(2));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, 99);
  EXPECT_EQ(answer->addresses.size(), 1u);
  // Any other port of the stub is closed.
  AppTcp& other = world_->laptop.connect({kStub, 80}, {}, {});
  world_->run_for(100ms);
  EXPECT_EQ(other.end(), AppTcp::End::kRefused);
}

TEST_F(Datagrams, TheEchoAndTheQuestionOfUpAreAnswered) {
  begin();
  world_->client().echo(5, world_->time.now());
  world_->client().ask_cluster(6, question("orders.shop.svc.cluster.local", 1), world_->time.now());
  world_->call_client();
  world_->run_for(1s);
  EXPECT_TRUE(world_->client_said(engine::ClientEvent::Kind::kEcho)) << why();
  ASSERT_TRUE(world_->client_said(engine::ClientEvent::Kind::kClusterAnswer));
  for (const auto& event : world_->client_events) {
    if (event.kind != engine::ClientEvent::Kind::kClusterAnswer) continue;
    EXPECT_FALSE(event.message.empty());
  }
}

}  // namespace
}  // namespace causeway::world

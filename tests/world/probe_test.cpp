// How far would a connection get? Asked of the gateway without a program.
#include <gtest/gtest.h>

#include "tests/world/conversation.h"

namespace causeway::world {
namespace {

using namespace std::chrono_literals;
using engine::ClientEvent;
using link::Reason;

class Probes : public testing::Test {
 protected:
  void begin(WorldOptions options = {}) {
    options.chart = true;
    world_ = std::make_unique<World>(options);
    ASSERT_TRUE(world_->come_up()) << why();
  }
  std::string why() const { return world_->fault() + "\n" + world_->chart.text(); }

  void probe(std::uint64_t token, const packet::Endpoint& to) {
    world_->client().probe(token, to, world_->time.now());
    world_->call_client();
  }
  std::vector<ClientEvent> probed() const {
    std::vector<ClientEvent> out;
    for (const ClientEvent& event : world_->client_events) {
      if (event.kind == ClientEvent::Kind::kProbed) out.push_back(event);
    }
    return out;
  }
  // The one that is under way.
  ClientEvent ended(Duration limit = 10s) {
    const std::size_t before = probed().size();
    EXPECT_TRUE(world_->run_until([&] { return probed().size() > before; }, limit)) << why();
    return probed().empty() ? ClientEvent{} : probed().back();
  }

  std::unique_ptr<World> world_;
};

TEST_F(Probes, AServiceThatListensIsConnectedAndLeftAtOnce) {
  begin();
  TcpService& service = world_->cluster.add_tcp(service_at(1));
  service.answers_after = 40ms;
  probe(7, service_at(1));
  ClientEvent event = ended();
  EXPECT_EQ(event.token, 7u);
  EXPECT_EQ(event.reason, Reason::kNone);
  EXPECT_GE(event.elapsed, 40ms);
  EXPECT_LT(event.elapsed, 100ms);
  EXPECT_TRUE(world_->run_until([&] { return world_->cluster.sockets() == 0; }, 1s)) << why();
  EXPECT_EQ(service.dials, 1u);
  EXPECT_EQ(world_->client().status().tcp_flows, 0u);
  EXPECT_EQ(world_->client().status().datagram_flows, 0u);
  EXPECT_EQ(world_->fault(), "");
}

TEST_F(Probes, WhatTheDialMetIsTold) {
  begin();
  unsigned number = 10;
  for (Reason reason : {Reason::kConnectionRefused, Reason::kHostUnreachable, Reason::kNetworkUnreachable,
                        Reason::kForbidden, Reason::kTimedOut}) {
    world_->cluster.add_tcp(service_at(++number)).refuses = reason;
    probe(number, service_at(number));
    EXPECT_EQ(ended().reason, reason) << link::reason_name(reason);
  }
  EXPECT_EQ(world_->fault(), "");
}

TEST_F(Probes, SilenceIsATimeoutAfterFiveSeconds) {
  begin();
  world_->cluster.add_tcp(service_at(1)).silent = true;
  Instant before = world_->time.now();
  probe(1, service_at(1));
  EXPECT_EQ(ended().reason, Reason::kTimedOut);
  EXPECT_GE(world_->time.now() - before, 5s);
  EXPECT_LT(world_->time.now() - before, 6500ms);
  EXPECT_TRUE(world_->run_until([&] { return world_->cluster.sockets() == 0; }, 1s)) << "the dial is given up";
}

TEST_F(Probes, WithoutALinkItSaysSoAtOnceAndWhenTheLinkIsLost) {
  begin();
  world_->cluster.add_tcp(service_at(1)).silent = true;
  probe(1, service_at(1));
  world_->run_for(100ms);
  ASSERT_TRUE(world_->break_carrier());
  EXPECT_EQ(ended(1s).reason, Reason::kLinkLost) << why();
  world_->kill_gateway();
  world_->run_for(1s);
  probe(2, service_at(1));
  EXPECT_EQ(ended(1s).token, 2u);
  EXPECT_EQ(probed().back().reason, Reason::kLinkLost);
}

TEST_F(Probes, TheyAreBoundedAndABoundIsFreeAgainWhenOneEnds) {
  begin();
  world_->cluster.add_tcp(service_at(1)).silent = true;
  world_->cluster.add_tcp(service_at(2));
  for (unsigned i = 0; i < engine::Client::kMaxProbes + 3; ++i) probe(i, service_at(1));
  world_->run_for(100ms);
  ASSERT_EQ(probed().size(), 3u);
  for (const ClientEvent& event : probed()) EXPECT_EQ(event.reason, Reason::kLimit);
  world_->run_for(7s);
  EXPECT_EQ(probed().size(), engine::Client::kMaxProbes + 3);
  probe(99, service_at(2));
  EXPECT_EQ(ended().reason, Reason::kNone);
}

}  // namespace
}  // namespace causeway::world

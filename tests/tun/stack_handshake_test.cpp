#include "tests/tun/stack_harness.h"

namespace causeway::tun {
namespace {

using StackHandshake = StackHarness;

AppOptions without_scaling() {
  AppOptions options;
  options.window_scale = -1;
  options.window = 65535;
  return options;
}

TEST_F(StackHandshake, CompletesWithWindowScaling) {
  Peer& peer = connect();
  EXPECT_TRUE(peer.app.connected);
  EXPECT_EQ(peer.app.syn_acks, 1u);
  EXPECT_GE(peer.app.peer_scale, 0);
  EXPECT_GE(peer.app.peer_mss, 1460);
  EXPECT_EQ(tcp_->connections(), 1u);
  EXPECT_EQ(stack_->connections(), 1u);
  EXPECT_EQ(tcp_->deadline(), kNever) << "an idle connection has no timer";
}

TEST_F(StackHandshake, CompletesWithoutWindowScaling) {
  Peer& peer = connect(without_scaling());
  EXPECT_TRUE(peer.app.connected);
  EXPECT_EQ(peer.app.peer_scale, -1);
  EXPECT_EQ(peer.app.peer_window(), 65535u);
}

TEST_F(StackHandshake, CompletesOverIpv6) {
  AppOptions options;
  options.local = *packet::Endpoint::parse("[fd00::2]:40000");
  options.remote = *packet::Endpoint::parse("[fd00:10:96::a]:443");
  Peer& peer = connect(options);
  EXPECT_TRUE(peer.app.connected);
  EXPECT_EQ(write(peer, "from the service"), 16u);
  peer.app.send("from the app");
  settle();
  EXPECT_EQ(peer.app.received, "from the service");
  EXPECT_EQ(peer.received, "from the app");
}

TEST_F(StackHandshake, TheAnswerComesFromTheAddressAndPortThatWereAsked) {
  AppOptions options;
  options.remote = *packet::Endpoint::parse("192.0.2.77:61234");
  Peer& peer = begin(options);
  packet::PacketBatch batch;
  tcp_->flush(batch, now_);
  ASSERT_EQ(batch.packets().size(), 1u);
  const auto parsed = packet::parse(batch.header(batch.packets()[0]), true);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->tuple.source, options.remote);
  EXPECT_EQ(parsed->tuple.destination, options.local);
  EXPECT_EQ(parsed->flags, packet::kSyn | packet::kAck);
  EXPECT_EQ(parsed->acknowledgement, 1001u);
  EXPECT_EQ(peer.established, 0u);
}

TEST_F(StackHandshake, ARepeatedSynGetsTheSameAnswerAgain) {
  Peer& peer = begin();
  turn();
  const std::uint32_t first = peer.app.expected();
  deliver(peer, peer.app.syn());
  turn();
  deliver(peer, peer.app.syn());
  turn();
  EXPECT_EQ(peer.app.syn_acks, 3u);
  EXPECT_EQ(peer.app.expected(), first);
  settle();
  EXPECT_EQ(peer.established, 1u);
  peer.app.send("hello");
  settle();
  EXPECT_EQ(peer.received, "hello");
}

TEST_F(StackHandshake, ARepeatedSynCannotChangeWhatTheFirstSaid) {
  AppOptions options;
  Peer& peer = begin(options);
  turn();
  options.mss = 100;
  options.window_scale = -1;
  deliver(peer, App(options).syn());
  settle();
  check_wire_ = false;
  const std::string data = pattern(10000);
  EXPECT_EQ(write(peer, data), data.size());
  settle();
  EXPECT_EQ(peer.app.received, data);
  EXPECT_GT(peer.app.largest, 1460u);
}

TEST_F(StackHandshake, AnAnswerThatIsLostIsSentAgain) {
  drop_ = true;
  Peer& peer = begin();
  turn();
  drop_ = false;
  EXPECT_NE(tcp_->deadline(), kNever);
  pass(std::chrono::seconds(2));
  EXPECT_EQ(peer.established, 1u);
  EXPECT_EQ(tcp_->deadline(), kNever);
}

TEST_F(StackHandshake, AnAppThatNeverAnswersIsForgotten) {
  Peer& peer = begin();
  peer.app.silent = true;
  turn();
  pass(std::chrono::seconds(60));
  EXPECT_GT(peer.app.syn_acks, 3u);
  EXPECT_EQ(peer.established, 0u);
  EXPECT_EQ(peer.reset, 1u);
  EXPECT_EQ(peer.closed, 1u);
  EXPECT_EQ(tcp_->connections(), 0u);
  EXPECT_EQ(tcp_->deadline(), kNever);
  EXPECT_EQ(stack_->counters().timed_out, 1u);
}

TEST_F(StackHandshake, DataThatComesWithTheAppsAcknowledgementIsReceived) {
  Peer& peer = begin();
  turn();
  peer.app.send("early");
  settle();
  EXPECT_EQ(peer.established, 1u);
  EXPECT_EQ(peer.received, "early");
}

TEST_F(StackHandshake, AFinThatComesWithTheAppsAcknowledgementIsTaken) {
  Peer& peer = begin();
  turn();
  peer.app.send("all");
  peer.app.finish();
  settle();
  EXPECT_EQ(peer.received, "all");
  EXPECT_EQ(peer.finished, 1u);
}

TEST_F(StackHandshake, BytesAndFinWrittenBeforeTheHandshakeIsCompleteAreSentAfterIt) {
  Peer& peer = begin();
  EXPECT_EQ(write(peer, "first"), 5u);
  finish(peer);
  settle();
  EXPECT_EQ(peer.app.received, "first");
  EXPECT_TRUE(peer.app.got_fin);
}

TEST_F(StackHandshake, InitialSequenceNumbersDifferByConnectionAndGrowWithTime) {
  AppOptions options;
  Peer& first = connect(options);
  options.local.port = 40001;
  Peer& second = connect(options);
  const std::uint32_t a = first.app.expected(), b = second.app.expected();
  EXPECT_GT(std::uint32_t(a - b) + std::uint32_t(1000), 2000u) << "not one behind the other";

  first.app.reset();
  settle();
  now_ += std::chrono::seconds(1);
  options.local.port = 40000;
  Peer& again = connect(options);
  EXPECT_EQ(again.app.expected() - a, 250000u) << "a clock of 4 microseconds";
}

class StackLimit : public StackHarness {
 protected:
  StackLimit() : StackHarness({.max_connections = 3}) {}
};

TEST_F(StackLimit, ConnectionsBeyondTheBoundAreNotAcceptedUntilOneIsGone) {
  AppOptions options;
  for (int i = 0; i < 3; ++i) {
    options.local.port = std::uint16_t(40000 + i);
    connect(options);
  }
  options.local.port = 40003;
  EXPECT_EQ(begin(options).id, 0u);
  EXPECT_EQ(stack_->counters().over_limit, 1u);
  peers_[1]->app.reset();
  settle();
  EXPECT_EQ(peers_[1]->closed, 1u);
  connect(options);
  EXPECT_EQ(stack_->connections(), 3u);
}

}  // namespace
}  // namespace causeway::tun

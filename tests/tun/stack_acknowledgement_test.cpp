#include "tests/tun/stack_harness.h"

namespace causeway::tun {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class StackAcknowledgement : public StackHarness {
 protected:
  // What the app has to send arrives; the stack's turn is not ended.
  void arrive(Peer& peer) {
    for (const App::Packet& packet : peer.app.outgoing()) deliver(peer, packet);
  }
};

TEST_F(StackAcknowledgement, MoreThanTwoSegmentsAreAcknowledgedAtTheEndOfTheTurn) {
  Peer& peer = connect();
  peer.app.send(pattern(3 * 1460));
  arrive(peer);
  const std::size_t before = packets_;
  turn();
  EXPECT_EQ(packets_, before + 1) << "once, not for every segment";
  EXPECT_EQ(peer.app.unacknowledged(), 0u);
  EXPECT_EQ(tcp_->deadline(), kNever);
}

TEST_F(StackAcknowledgement, ASuperPacketIsAcknowledgedAtTheEndOfTheTurn) {
  AppOptions options;
  options.segment = 60'000;
  Peer& peer = connect(options);
  peer.app.send(pattern(60'000));
  arrive(peer);
  turn();
  EXPECT_EQ(peer.app.unacknowledged(), 0u);
}

TEST_F(StackAcknowledgement, ALittleDataWaitsAMillisecondForAReply) {
  Peer& peer = connect();
  peer.app.send("GET /");
  arrive(peer);
  turn();
  EXPECT_EQ(peer.app.unacknowledged(), 5u);
  EXPECT_EQ(tcp_->deadline(), now_ + milliseconds(1));
  pass(microseconds(900));
  EXPECT_EQ(peer.app.unacknowledged(), 5u);
  pass(microseconds(100));
  EXPECT_EQ(peer.app.unacknowledged(), 0u);
  EXPECT_EQ(peer.app.pure_acks, 1u);
  EXPECT_EQ(tcp_->deadline(), kNever);
}

TEST_F(StackAcknowledgement, AReplyCarriesIt) {
  Peer& peer = connect();
  peer.app.send("GET /");
  arrive(peer);
  turn();
  ASSERT_EQ(write(peer, "200 OK"), 6u);
  turn();
  EXPECT_EQ(peer.app.unacknowledged(), 0u);
  EXPECT_EQ(peer.app.received, "200 OK");
  settle();
  EXPECT_EQ(peer.app.pure_acks, 0u);
  EXPECT_EQ(tcp_->deadline(), kNever) << "nobody wakes up for an acknowledgement that has left";
}

TEST_F(StackAcknowledgement, SmallSegmentsAddUpToMoreThanTwo) {
  Peer& peer = connect();
  for (int i = 0; i < 4; ++i) {
    peer.app.send(pattern(700));
    arrive(peer);
    turn();
    EXPECT_EQ(peer.app.unacknowledged(), std::uint32_t(700 * (i + 1)));
  }
  peer.app.send(pattern(700));
  arrive(peer);
  turn();
  EXPECT_EQ(peer.app.unacknowledged(), 0u);
}

TEST_F(StackAcknowledgement, ManyConnectionsOweTheirsToTheirOwnTime) {
  std::vector<Peer*> all;
  for (int i = 0; i < 10; ++i) {
    AppOptions options;
    options.local.port = std::uint16_t(1000 + i);
    all.push_back(&connect(options));
  }
  for (Peer* peer : all) {
    peer->app.send("x");
    arrive(*peer);
    turn();
    now_ += microseconds(100);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    pass(tcp_->deadline() - now_);
    EXPECT_EQ(all[i]->app.unacknowledged(), 0u);
    if (i + 1 < all.size()) {
      EXPECT_EQ(all[i + 1]->app.unacknowledged(), 1u);
    }
  }
  EXPECT_EQ(tcp_->deadline(), kNever);
}

TEST_F(StackAcknowledgement, AConnectionThatEndsWhileItOwesOneLeavesNothingBehind) {
  Peer& peer = connect();
  peer.app.send("x");
  arrive(peer);
  turn();
  peer.app.reset();
  settle();
  EXPECT_EQ(peer.closed, 1u);
  pass(milliseconds(10));
  EXPECT_EQ(tcp_->deadline(), kNever);
}

TEST_F(StackAcknowledgement, BytesThatComeAgainAreAcknowledgedAgainAndHandedOnOnce) {
  Peer& peer = connect();
  peer.app.send("once");
  const auto packets = peer.app.outgoing();
  deliver(peer, packets[0]);
  turn();
  pass(milliseconds(2));
  const std::size_t acks = peer.app.pure_acks;
  deliver(peer, packets[0]);
  turn();
  EXPECT_EQ(peer.received, "once");
  EXPECT_EQ(peer.app.pure_acks, acks + 1);
}

TEST_F(StackAcknowledgement, AGapIsAnsweredAtOnceAndFilledByTheApp) {
  Peer& peer = connect();
  const std::string data = pattern(5 * 1460);
  peer.app.send(data);
  auto packets = peer.app.outgoing();
  ASSERT_EQ(packets.size(), 5u);
  for (const std::size_t i : {0u, 2u, 3u, 4u}) deliver(peer, packets[i]);
  turn();
  EXPECT_EQ(peer.received.size(), 1460u);
  EXPECT_EQ(peer.app.unacknowledged(), 4u * 1460);
  EXPECT_GE(peer.app.pure_acks, 3u) << "so that the app sends again without waiting";
  peer.app.resend();
  settle();
  EXPECT_EQ(peer.received, data);
}

TEST_F(StackAcknowledgement, AnAcknowledgementOfWhatWasNeverSentMovesNothing) {
  Peer& peer = connect();
  App::Packet packet = peer.app.segment(packet::kAck, peer.app.next(), {});
  store32(&packet[28], peer.app.expected() + 10'000);
  engine::StackSegment segment;
  segment.connection = peer.id;
  segment.owner = pool_.copy(packet).owner;
  segment.packet = *packet::parse(segment.owner.bytes().first(packet.size()), true);
  tcp_->input(std::span(&segment, 1), now_);
  segment = {};
  turn();
  EXPECT_EQ(peer.acknowledged, 0u);
  ASSERT_EQ(write(peer, "still here"), 10u);
  settle();
  EXPECT_EQ(peer.app.received, "still here");
}

using StackRetransmission = StackHarness;

TEST_F(StackRetransmission, LostBytesAreSentAgainUntilTheyArrive) {
  Peer& peer = connect();
  const std::string data = pattern(400'000);
  drop_ = true;
  ASSERT_EQ(write(peer, data), data.size());
  turn();
  EXPECT_NE(tcp_->deadline(), kNever);
  pass(seconds(3), false);
  drop_ = false;
  pass(seconds(60));
  EXPECT_EQ(peer.app.received, data);
  EXPECT_EQ(peer.acknowledged, data.size());
  EXPECT_EQ(tcp_->deadline(), kNever);
}

TEST_F(StackRetransmission, IsSoonAndThenSlower) {
  Peer& peer = connect();
  peer.app.silent = true;
  ASSERT_EQ(write(peer, "hello?"), 6u);
  turn();
  std::size_t before = packets_;
  pass(seconds(2), false);
  EXPECT_GE(packets_ - before, 1u);
  EXPECT_LE(packets_ - before, 4u);
  pass(seconds(58), false);
  before = packets_;
  pass(seconds(20), false);
  EXPECT_LE(packets_ - before, 3u);
}

TEST_F(StackRetransmission, AnAppThatNeverAnswersIsGivenUp) {
  Peer& peer = connect();
  peer.app.silent = true;
  ASSERT_EQ(write(peer, pattern(100'000)), 100'000u);
  turn();
  pass(std::chrono::minutes(2), false);
  EXPECT_EQ(peer.closed, 0u) << "not too soon";
  pass(std::chrono::minutes(60), false);
  EXPECT_EQ(peer.reset, 1u);
  EXPECT_EQ(peer.closed, 1u);
  EXPECT_EQ(stack_->counters().timed_out, 1u);
  EXPECT_EQ(tcp_->deadline(), kNever);
  turn();
  EXPECT_EQ(pool_.in_use(), 0u);
}

TEST_F(StackRetransmission, TwoAcknowledgementsForTheSameGapFillItWithoutATimer) {
  Peer& peer = connect();
  const std::string data = pattern(300'000);
  ASSERT_EQ(write(peer, data.substr(0, 60'000)), 60'000u);
  drop_ = true;
  turn();
  drop_ = false;
  ASSERT_EQ(write(peer, data.substr(60'000)), data.size() - 60'000);
  settle();
  EXPECT_GE(peer.app.out_of_order, 3u);
  pass(seconds(5));
  EXPECT_EQ(peer.app.received, data);
}

TEST_F(StackRetransmission, MemoryIsHeldUntilWholeSegmentsAreAcknowledged) {
  Peer& peer = connect();
  peer.app.silent = true;
  const std::string data = pattern(60'000);
  Slice slice = pool_.copy(as_bytes(data));
  const Buffer block = slice.owner;
  ASSERT_EQ(tcp_->write(peer.id, slice), data.size());
  slice = {};
  turn();
  EXPECT_FALSE(block.unique());

  // The app acknowledges all but the last byte: the segment with it may be sent again, so all of its bytes must stay.
  App::Packet packet = peer.app.segment(packet::kAck, peer.app.next(), {});
  store32(&packet[28], peer.app.expected() - 1);
  engine::StackSegment segment;
  segment.connection = peer.id;
  segment.owner = pool_.copy(packet).owner;
  segment.packet = *packet::parse(segment.owner.bytes().first(packet.size()), true);
  tcp_->input(std::span(&segment, 1), now_);
  segment = {};
  turn();
  EXPECT_FALSE(block.unique());
  const std::string before = peer.app.received;
  pass(seconds(3), false);
  EXPECT_EQ(peer.app.received, before);
  EXPECT_GE(peer.app.repeated, 1u);

  peer.app.silent = false;
  peer.app.acknowledge();
  settle();
  turn();
  EXPECT_TRUE(block.unique());
  EXPECT_EQ(peer.app.received, data);
}

TEST_F(StackRetransmission, LentBytesStayValidUntilTheNextCall) {
  Peer& peer = connect();
  const std::string data = pattern(60'000);
  ASSERT_EQ(write(peer, data), data.size());
  packet::PacketBatch batch;
  tcp_->flush(batch, now_);
  ASSERT_GE(batch.packets().size(), 1u);
  // The connection is gone by the time that the packets are looked at.
  std::string lent;
  for (const packet::OutgoingPacket& p : batch.packets()) {
    for (const Bytes piece : batch.pieces(p)) lent += as_text(piece);
  }
  EXPECT_EQ(lent, data);
  EXPECT_GT(pool_.in_use(), 0u);
  abort(peer);
  packet::PacketBatch reset;
  tcp_->flush(reset, now_);
  EXPECT_EQ(reset.packets().size(), 1u);
  turn();
  EXPECT_EQ(pool_.in_use(), 0u);
}

TEST_F(StackRetransmission, BytesOfAnAbortedConnectionStayWithThePacketsAlreadyMade) {
  Peer& peer = connect();
  ASSERT_EQ(write(peer, pattern(60'000)), 60'000u);
  // The segment of another packet makes lwIP send what is queued, before the turn ends.
  deliver(peer, peer.app.segment(packet::kAck, peer.app.next(), {}));
  abort(peer);
  turn();
  EXPECT_EQ(peer.app.received, pattern(60'000));
  EXPECT_TRUE(peer.app.got_reset);
  turn();
  EXPECT_EQ(pool_.in_use(), 0u);
}

}  // namespace
}  // namespace causeway::tun

#include <ctime>

#include "tests/tun/allocations.h"
#include "tests/tun/stack_harness.h"

namespace causeway::tun {
namespace {

using std::chrono::milliseconds;

// CPU time of this process: what others on the machine do does not count.
Duration spent() { return std::chrono::nanoseconds(std::int64_t(double(std::clock()) * 1e9 / CLOCKS_PER_SEC)); }

class StackScale : public StackHarness {
 protected:
  static AppOptions numbered(std::uint32_t i) {
    AppOptions options;
    options.local = {packet::Address::v4(10, 1, std::uint8_t(i >> 12), 2), std::uint16_t(1024 + (i & 0xfff))};
    options.segment = 20'000;
    return options;
  }

  // What one app has to send and what the stack answers; the others are not asked.
  void round(Peer& peer) {
    for (const App::Packet& packet : peer.app.outgoing()) deliver(peer, packet);
    turn();
  }

  Peer& connect_alone(std::uint32_t i) {
    Peer& peer = begin(numbered(i));
    turn();
    round(peer);
    EXPECT_EQ(peer.established, 1u);
    return peer;
  }

  // How long a request and its answer take.
  Duration exchange(Peer& peer, int times) {
    const Duration start = spent();
    for (int i = 0; i < times; ++i) {
      peer.app.send("request");
      round(peer);
      EXPECT_EQ(write(peer, "answer"), 6u);
      turn();
      round(peer);
    }
    return spent() - start;
  }
};

TEST_F(StackScale, FiftyThousandConnectionsCostOneNothing) {
  constexpr std::uint32_t kCount = 50'000;
  check_wire_ = false;
  Peer& first = connect_alone(0);
  exchange(first, 100);
  const Duration alone = exchange(first, 1000);
  for (std::uint32_t i = 1; i < kCount; ++i) connect_alone(i);
  EXPECT_EQ(tcp_->connections(), kCount);
  EXPECT_EQ(tcp_->deadline(), kNever) << "who is idle has no timer";
  EXPECT_EQ(pool_.in_use(), 0u) << "nor packet memory";

  exchange(first, 100);
  const std::size_t before = allocations_counted();
  const Duration among_many = exchange(first, 1000);
  EXPECT_EQ(allocations_counted(), before);
  // A walk over the others would be thousands of times as long.
  EXPECT_LT(among_many, alone * 20 + milliseconds(20));

  // Ticks are for those with something outstanding.
  first.app.silent = true;
  ASSERT_EQ(write(first, "unanswered"), 10u);
  turn();
  const Duration start = spent();
  for (int i = 0; i < 1000; ++i) {
    now_ += milliseconds(100);
    tcp_->advance(now_);
  }
  EXPECT_LT(spent() - start, std::chrono::seconds(1)) << "50,000,000 looks would take longer";
  turn();

  // Each still has its own bytes.
  for (std::uint32_t i = 1; i < kCount; i += 997) {
    Peer& peer = *peers_[i];
    peer.app.send("I am " + std::to_string(i));
    round(peer);
    EXPECT_EQ(peer.received, "I am " + std::to_string(i));
  }
}

TEST_F(StackScale, ConnectionsThatComeAndGoAllocateNothingAfterWarmUp) {
  const auto live = [&](std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i < to; ++i) {
      Peer& peer = connect_alone(i);
      peer.app.send("question");
      round(peer);
      EXPECT_EQ(write(peer, std::string(5000, 'a')), 5000u);
      finish(peer);
      turn();
      peer.app.finish();
      round(peer);
      round(peer);
      EXPECT_EQ(peer.closed, 1u);
    }
  };
  live(0, 200);
  const std::size_t before = allocations_counted();
  live(200, 400);
  EXPECT_EQ(allocations_counted(), before);
  EXPECT_EQ(tcp_->connections(), 0u);
}

using StackLife = StackHarness;

TEST_F(StackLife, TwoAttachmentsShareTheStackAndNothingElse) {
  const auto other = stack_->attach();
  Peer& mine = connect();
  // The same addresses and ports, on another device.
  App theirs{AppOptions{}, 5000};
  const App::Packet syn = theirs.syn();
  const engine::ConnectionId id = other->accept(*packet::parse(syn, true), 77, now_);
  ASSERT_NE(id, 0u);
  EXPECT_NE(id, mine.id);
  EXPECT_EQ(stack_->connections(), 2u);
  EXPECT_EQ(tcp_->connections(), 1u);
  EXPECT_EQ(other->connections(), 1u);

  packet::PacketBatch batch;
  tcp_->flush(batch, now_);
  EXPECT_TRUE(batch.empty()) << "packets leave by the device that they belong to";
  other->flush(batch, now_);
  ASSERT_EQ(batch.packets().size(), 1u);
  EXPECT_EQ(packet::parse(batch.header(batch.packets()[0]), true)->acknowledgement, 5001u);

  std::vector<engine::StackEvent> events;
  const App::Packet reset = theirs.segment(packet::kRst, 5001, {});
  engine::StackSegment segment;
  segment.connection = id;
  segment.owner = pool_.copy(reset).owner;
  segment.packet = *packet::parse(segment.owner.bytes().first(reset.size()), true);
  other->input(std::span(&segment, 1), now_);
  other->take_events(events);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, engine::StackEvent::Kind::kReset);
  EXPECT_EQ(events[0].cookie, 77u);
  EXPECT_EQ(events[1].kind, engine::StackEvent::Kind::kClosed);
  mine.app.send("still mine");
  settle();
  EXPECT_EQ(mine.received, "still mine");
}

TEST_F(StackLife, WhatOneAttachmentLentStaysWhileTheOtherIsCalled) {
  const auto other = stack_->attach();
  Peer& mine = connect();
  const std::string data = pattern(50'000);
  ASSERT_EQ(write(mine, data), data.size());
  packet::PacketBatch batch, none;
  tcp_->flush(batch, now_);
  other->advance(now_);
  other->flush(none, now_);
  std::string lent;
  for (const packet::OutgoingPacket& p : batch.packets()) {
    for (const Bytes piece : batch.pieces(p)) lent += as_text(piece);
  }
  EXPECT_EQ(lent, data);
}

TEST_F(StackLife, AnAttachmentThatGoesForgetsItsConnectionsOnly) {
  Peer& mine = connect();
  {
    const auto other = stack_->attach();
    App theirs{AppOptions{}, 5000};
    const App::Packet syn = theirs.syn();
    const engine::ConnectionId id = other->accept(*packet::parse(syn, true), 1, now_);
    EXPECT_EQ(other->write(id, pool_.copy(as_bytes(pattern(10'000)))), 10'000u);
    EXPECT_EQ(stack_->connections(), 2u);
  }
  EXPECT_EQ(stack_->connections(), 1u);
  EXPECT_EQ(pool_.in_use(), 0u);
  mine.app.send("still here");
  settle();
  EXPECT_EQ(mine.received, "still here");
}

TEST_F(StackLife, AStackCanBeDestroyedInTheMidstAndMadeAgain) {
  for (int i = 0; i < 3; ++i) {
    AppOptions options;
    options.local.port = 1;
    Peer& talking = connect(options);
    talking.app.silent = true;
    ASSERT_EQ(write(talking, pattern(500'000)), 500'000u);
    turn();
    options.local.port = 2;
    begin(options);
    options.local.port = 3;
    finish(connect(options));
    tcp_.reset();
    stack_.reset();
    EXPECT_EQ(pool_.in_use(), 0u);
    peers_.clear();
    stack_.emplace(pool_, random_, options_);
    tcp_ = stack_->attach();
    EXPECT_EQ(tcp_->connections(), 0u);
  }
  Peer& peer = connect();
  peer.app.send("again");
  settle();
  EXPECT_EQ(peer.received, "again");
}

TEST_F(StackLife, PacketsAreAppendedBehindThoseThatTheBatchHas) {
  Peer& peer = connect();
  const std::string data = pattern(50'000);
  ASSERT_EQ(write(peer, data), data.size());
  packet::PacketBatch batch;
  batch.begin(28)[0] = 0x45;
  tcp_->flush(batch, now_);
  ASSERT_EQ(batch.packets().size(), 2u);
  EXPECT_EQ(batch.header(batch.packets()[0]).size(), 28u);
  EXPECT_EQ(batch.packets()[1].size, 40 + data.size());
  EXPECT_EQ(as_text(batch.pieces(batch.packets()[1])[0]).substr(0, 100), data.substr(0, 100));
}

}  // namespace
}  // namespace causeway::tun

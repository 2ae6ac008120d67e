#include "tests/tun/allocations.h"
#include "tests/tun/stack_harness.h"

namespace causeway::tun {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using StackTransfer = StackHarness;

AppOptions super_packets() {
  AppOptions options;
  options.segment = 64000;
  return options;
}

TEST_F(StackTransfer, BytesArriveUnchangedInBothDirections) {
  Peer& peer = connect();
  const std::string up = pattern(300'000, 1), down = pattern(300'000, 2);
  peer.app.send(up);
  write_all(peer, down);
  settle();
  EXPECT_EQ(peer.received, up);
  EXPECT_EQ(peer.app.received, down);
  EXPECT_EQ(peer.acknowledged, down.size());
  EXPECT_EQ(peer.app.beyond_window, 0u);
  EXPECT_EQ(peer.app.repeated, 0u);
  EXPECT_EQ(peer.app.unacknowledged(), 0u);
}

TEST_F(StackTransfer, LargeWritesLeaveAsSuperPacketsOfWholeSegmentsOfTheApp) {
  Peer& peer = connect();
  const std::string data = pattern(200'000);
  EXPECT_EQ(write(peer, data), data.size());
  turn();
  ASSERT_GE(offloads_.size(), 3u);
  for (std::size_t i = 0; i + 1 < offloads_.size(); ++i) {
    EXPECT_EQ(offloads_[i].segmentation, packet::Segmentation::kTcp4);
    EXPECT_EQ(offloads_[i].segment_size, 1460u);
    EXPECT_EQ(offloads_[i].header_size, 40u);
    EXPECT_TRUE(offloads_[i].needs_checksum);
  }
  settle();
  EXPECT_EQ(peer.app.received, data);
  EXPECT_GT(peer.app.largest, 50'000u);
  EXPECT_EQ(peer.app.largest % 1460, 0u);
  EXPECT_LE(peer.app.data_packets, 5u);
}

TEST_F(StackTransfer, ASmallPacketIsNotMarkedForSegmentation) {
  Peer& peer = connect();
  EXPECT_EQ(write(peer, pattern(1460)), 1460u);
  turn();
  ASSERT_EQ(offloads_.size(), 1u);
  EXPECT_EQ(offloads_[0].segmentation, packet::Segmentation::kNone);
  EXPECT_TRUE(offloads_[0].needs_checksum);
}

TEST_F(StackTransfer, SuperPacketsFromTheAppAreHandedOnWithoutACopy) {
  Peer& peer = connect(super_packets());
  peer.keep_slices = true;
  const std::string data = pattern(64000);
  peer.app.send(data);
  const std::uint64_t before = copied_bytes;
  settle();
  ASSERT_EQ(peer.slices.size(), 1u);
  EXPECT_EQ(peer.slices[0].size, data.size());
  EXPECT_EQ(peer.received, data);
  // The harness copies the packet into its block; nobody else copies.
  EXPECT_LT(copied_bytes - before, 65'000u);
  peer.slices.clear();
}

TEST_F(StackTransfer, LargeSlicesAreLentAndSmallOnesCopiedTogether) {
  Peer& peer = connect();
  const Slice large = pool_.copy(as_bytes(pattern(50'000)));
  check_wire_ = false;
  const std::uint64_t before = copied_bytes;
  EXPECT_EQ(tcp_->write(peer.id, large), 50'000u);
  packet::PacketBatch batch;
  tcp_->flush(batch, now_);
  EXPECT_EQ(copied_bytes, before);
  ASSERT_FALSE(batch.empty());
  const Bytes piece = batch.pieces(batch.packets()[0])[0];
  EXPECT_EQ(piece.data(), large.data);

  for (int i = 0; i < 100; ++i) EXPECT_EQ(write(peer, "0123456789"), 10u);
  turn();
  EXPECT_EQ(offloads_.size(), 1u) << "small writes of one turn leave together";
}

TEST_F(StackTransfer, Ipv6SuperPacketsPass) {
  AppOptions options = super_packets();
  options.local = *packet::Endpoint::parse("[fd00::2]:40000");
  options.remote = *packet::Endpoint::parse("[fd00:10:96::a]:443");
  options.mss = 1440;
  Peer& peer = connect(options);
  const std::string up = pattern(500'000, 1), down = pattern(500'000, 2);
  peer.app.send(up);
  write_all(peer, down);
  EXPECT_EQ(peer.received, up);
  EXPECT_EQ(peer.app.received, down);
  EXPECT_EQ(peer.app.largest % 1440, 0u);
  EXPECT_EQ(peer.app.beyond_window, 0u);
}

TEST_F(StackTransfer, AnAppWithoutWindowScalingGetsAllItsBytes) {
  AppOptions options;
  options.window_scale = -1;
  options.window = 65535;
  options.segment = 32000;
  Peer& peer = connect(options);
  const std::string up = pattern(1'000'000, 1), down = pattern(1'000'000, 2);
  peer.app.send(up);
  write_all(peer, down);
  EXPECT_EQ(peer.received, up);
  EXPECT_EQ(peer.app.received, down);
  EXPECT_EQ(peer.app.beyond_window, 0u);
}

TEST_F(StackTransfer, TinyWindowsAndTinySegmentsPass) {
  AppOptions options;
  options.mss = 536;
  options.window = 900;
  options.window_scale = 0;
  Peer& peer = connect(options);
  const std::string down = pattern(20'000, 2);
  ASSERT_EQ(write(peer, down), down.size());
  settle();
  pass(seconds(30));
  EXPECT_EQ(peer.app.received, down);
  EXPECT_EQ(peer.app.beyond_window, 0u);
}

TEST_F(StackTransfer, AnMssTooSmallToBeMeantIsNotKeptTo) {
  AppOptions options;
  options.mss = 1;
  check_wire_ = true;
  Peer& peer = connect(options);
  const std::string down = pattern(10'000, 2);
  ASSERT_EQ(write(peer, down), down.size());
  settle();
  EXPECT_EQ(peer.app.received, down);
}

TEST_F(StackTransfer, AnAppThatIsNotReadIsStoppedByTheWindow) {
  Peer& peer = connect(super_packets());
  peer.consume = false;
  const std::string data = pattern(6'000'000);
  peer.app.send(data);
  settle();
  EXPECT_EQ(peer.received.size(), 65535u) << "nothing was consumed: the window is as it began";
  EXPECT_EQ(peer.app.peer_window(), 0u);

  // A probe of a full window is answered and takes nothing in.
  deliver(peer, peer.app.segment(packet::kAck, peer.app.next() - 1, {}));
  const std::size_t acks = peer.app.pure_acks;
  turn();
  EXPECT_EQ(peer.app.pure_acks, acks + 1);
  EXPECT_EQ(peer.app.peer_window(), 0u);

  std::size_t given_back = 0, most = 0;
  while (given_back < data.size()) {
    const std::size_t n = std::min<std::size_t>(100'000, peer.received.size() - given_back);
    ASSERT_GT(n, 0u) << "the window never opened again";
    consumed(peer, n);
    given_back += n;
    settle();
    most = std::max(most, peer.received.size() - given_back);
  }
  EXPECT_EQ(peer.received, data);
  EXPECT_LE(most, options_.receive_window);
  EXPECT_GT(most, options_.receive_window - 128) << "it grows as it is used, and is told of in steps of 128 bytes";
}

TEST_F(StackTransfer, AWindowIsNotAnnouncedForAFewBytes) {
  Peer& peer = connect(super_packets());
  peer.consume = false;
  peer.app.send(pattern(3'000'000));
  settle();
  ASSERT_EQ(peer.app.peer_window(), 0u);
  consumed(peer, 1000);
  settle();
  EXPECT_EQ(peer.app.peer_window(), 0u) << "the app would answer with silly little segments";
  consumed(peer, 64 * 1024 / 8);
  turn();
  EXPECT_GE(peer.app.peer_window(), 64u * 1024 / 8);
}

TEST_F(StackTransfer, BytesBeyondTheWindowAreNotTakenIn) {
  Peer& peer = connect();
  peer.consume = false;
  const std::string data = pattern(60'000);
  for (int i = 0; i < 60; ++i) {
    deliver(peer, peer.app.segment(packet::kAck, 1001 + std::uint32_t(i) * 60'000, data));
  }
  turn();
  EXPECT_LE(peer.received.size(), options_.receive_window);
}

TEST_F(StackTransfer, AnAppThatDoesNotReadStopsTheWriter) {
  Peer& peer = connect();
  peer.app.reading = false;
  const std::string data = pattern(200'000);
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) {
    taken += write(peer, data);
    settle();
  }
  EXPECT_LE(peer.app.received.size(), AppOptions().window);
  EXPECT_EQ(taken, options_.send_buffer + peer.acknowledged);
  EXPECT_EQ(write(peer, "x"), 0u);

  // Probes ask whether there is room.
  const std::size_t before = peer.app.data_packets;
  pass(seconds(20));
  EXPECT_GT(peer.app.data_packets, before + 3);
  EXPECT_EQ(peer.app.beyond_window, 0u);
  EXPECT_EQ(peer.closed, 0u);

  peer.app.reading = true;
  peer.app.acknowledge();
  settle();
  EXPECT_EQ(peer.app.received.size(), taken);
  EXPECT_EQ(peer.acknowledged, taken);
  EXPECT_EQ(write(peer, "x"), 1u) << "kWritable means what it says";
}

TEST_F(StackTransfer, AWindowThatOpensALittleIsUsed) {
  Peer& peer = connect();
  peer.app.reading = false;
  const std::string data = pattern(1'500'000);
  ASSERT_EQ(write(peer, data), data.size());
  settle();
  ASSERT_LT(peer.app.received.size(), data.size());
  peer.app.reading = true;
  peer.app.window = 4096;
  pass(seconds(600));
  EXPECT_EQ(peer.app.received, data);
  EXPECT_EQ(peer.app.beyond_window, 0u);
}

TEST_F(StackTransfer, APersonWhoReadsAfterAnHourFindsTheConnectionAlive) {
  Peer& peer = connect();
  peer.app.reading = false;
  const std::string data = pattern(1'500'000);
  ASSERT_EQ(write(peer, data), data.size());
  settle();
  ASSERT_LT(peer.app.received.size(), data.size());
  pass(std::chrono::hours(1));
  EXPECT_EQ(peer.closed, 0u);
  peer.app.reading = true;
  peer.app.acknowledge();
  settle();
  EXPECT_EQ(peer.app.received, data);
}

TEST_F(StackTransfer, NothingIsAllocatedPerPacketAfterWarmUp) {
  Peer& peer = connect(super_packets());
  const auto talk = [&](std::size_t rounds) {
    for (std::size_t i = 0; i < rounds; ++i) {
      peer.app.send(std::string(20'000, 'u'));
      ASSERT_EQ(write(peer, std::string(30'000, 'd')), 30'000u);
      ASSERT_EQ(write(peer, "little"), 6u);
      settle();
      now_ += milliseconds(1);
    }
  };
  talk(50);
  const std::size_t before = allocations_counted();
  talk(200);
  EXPECT_EQ(allocations_counted(), before);
}

TEST_F(StackTransfer, AnIdleConnectionHoldsNoPacketMemory) {
  Peer& peer = connect(super_packets());
  peer.app.send(pattern(100'000));
  ASSERT_EQ(write(peer, pattern(100'000)), 100'000u);
  ASSERT_EQ(write(peer, "little"), 6u);
  settle();
  turn();
  EXPECT_EQ(pool_.in_use(), 0u);
  EXPECT_EQ(tcp_->deadline(), kNever);
}

TEST_F(StackTransfer, AReaderThatTakesNothingAnyMoreKeepsTheWindowItHad) {
  Peer& peer = connect(super_packets());
  peer.app.send(pattern(40'000));
  settle();
  ASSERT_EQ(peer.received.size(), 40'000u);
  peer.consume = false;
  peer.app.send(pattern(6'000'000));
  settle();
  EXPECT_LE(peer.received.size() - 40'000, 128u * 1024) << "doubled once";
}

class StackBudget : public StackHarness {
 protected:
  StackBudget() : StackHarness({.receive_window = 1024 * 1024, .receive_budget = 4 * 1024 * 1024}) {}
};

TEST_F(StackBudget, ManyUploadsThatWaitShareWhatAFewMayHaveEach) {
  constexpr std::size_t kUploads = 32;
  std::vector<Peer*> peers;
  for (std::size_t i = 0; i < kUploads; ++i) {
    AppOptions options;
    options.local.port = std::uint16_t(41000 + i);
    options.segment = 32 * 1024;
    peers.push_back(&connect(options));
    peers.back()->consume = false;
  }
  // Little from each first: from then on all of them have something waiting.
  for (Peer* peer : peers) peer->app.send(pattern(1000));
  settle();
  for (Peer* peer : peers) peer->app.send(pattern(4 * 1024 * 1024));
  settle();
  std::size_t most = 0;
  // As the engine gives bytes back, a window that was wide goes down to its share.
  for (int round = 0; round < 200; ++round) {
    most = 0;
    for (Peer* peer : peers) {
      std::size_t waiting = peer->received.size() - peer->consumed;
      most = std::max(most, waiting);
      if (waiting > 1) consumed(*peer, std::min<std::size_t>(waiting - 1, 16 * 1024));
    }
    settle();
  }
  EXPECT_LE(most, 4u * 1024 * 1024 / kUploads);
  EXPECT_GE(most, 64u * 1024);
}

TEST_F(StackBudget, UploadsThatAreTakenAtOnceShareItAsWell) {
  constexpr std::size_t kUploads = 32;
  std::vector<Peer*> peers;
  for (std::size_t i = 0; i < kUploads; ++i) {
    AppOptions options;
    options.local.port = std::uint16_t(42000 + i);
    options.segment = 32 * 1024;
    peers.push_back(&connect(options));
  }
  std::size_t widest = 0;
  for (int round = 0; round < 100; ++round) {
    for (Peer* peer : peers) peer->app.send(pattern(64 * 1024));
    settle();
    for (Peer* peer : peers) widest = std::max<std::size_t>(widest, peer->app.peer_window());
  }
  EXPECT_LE(widest, 4u * 1024 * 1024 / kUploads);
  EXPECT_GE(widest, 64u * 1024 - 128);
}

}  // namespace
}  // namespace causeway::tun

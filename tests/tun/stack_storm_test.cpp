// Everything at once, from a seed: bytes both ways, lost, repeated and reordered packets, stalls, half-closes, resets.
#include "tests/tun/stack_harness.h"

namespace causeway::tun {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StackStorm : public StackHarness, public testing::WithParamInterface<int> {
 protected:
  struct Talk {
    Peer* peer = nullptr;
    std::string up, down;  // handed over for sending
    bool up_finished = false, down_finished = false, torn = false;
  };

  void start(std::uint16_t number) {
    AppOptions options;
    if (random_.below(4) == 0) {
      options.local = *packet::Endpoint::parse("[fd00::2]:1");
      options.remote = *packet::Endpoint::parse("[fd00:10:96::a]:443");
    }
    options.local.port = number;
    options.mss = std::uint16_t(random_.below(3) == 0 ? 100 + random_.below(1000) : 1400);
    options.window_scale = int(random_.below(9)) - 1;
    options.window = std::uint32_t(2000 + random_.below(500'000));
    options.segment = 1 + random_.below(60'000);
    Talk talk;
    talk.peer = &begin(options);
    ASSERT_NE(talk.peer->id, 0u);
    turn();
    talks_.push_back(std::move(talk));
  }

  void act(Talk& talk) {
    Peer& peer = *talk.peer;
    if (peer.closed) return;
    switch (random_.below(40)) {
      case 0: peer.app.reading = !peer.app.reading; break;
      case 1: peer.consume = true; break;
      case 2: peer.consume = false; break;
      case 3:
        peer.app.finish();
        talk.up_finished = true;
        break;
      case 4:
        if (!talk.down_finished) finish(peer);
        talk.down_finished = true;
        break;
      case 5:
        if (random_.below(10) == 0) {
          abort(peer);
          talk.torn = true;
        }
        break;
      case 6:
        if (random_.below(10) == 0) {
          peer.app.reset();
          talk.torn = true;
        }
        break;
      case 7: deliver(peer, peer.app.syn()); break;
      case 8: deliver(peer, peer.app.segment(packet::kAck, std::uint32_t(random_.next()), "stray")); break;
      case 9: deliver(peer, peer.app.segment(packet::kRst, std::uint32_t(random_.next()) | 0x40000000, {})); break;
      default: exchange(talk);
    }
  }

  void exchange(Talk& talk) {
    Peer& peer = *talk.peer;
    if (!talk.up_finished && random_.below(2) == 0) {
      const std::string data = pattern(random_.below(50'000), std::uint32_t(random_.next()));
      talk.up += data;
      peer.app.send(data);
    }
    if (!talk.down_finished && random_.below(2) == 0) {
      const std::string data = pattern(random_.below(50'000), std::uint32_t(random_.next()));
      talk.down += data.substr(0, write(peer, data));
    }
  }

  // What the apps send arrives, mostly.
  void carry(Talk& talk, bool well) {
    Peer& peer = *talk.peer;
    std::vector<App::Packet> packets = peer.app.outgoing();
    if (!well && packets.size() > 1 && random_.below(10) == 0) std::swap(packets.front(), packets.back());
    for (const App::Packet& packet : packets) {
      if (peer.closed) return;
      if (!well && random_.below(20) == 0) continue;
      deliver(peer, packet);
      if (!well && random_.below(20) == 0) deliver(peer, packet);
    }
    if (!well && random_.below(5) == 0) peer.app.resend();
  }

  void check(const Talk& talk) {
    const Peer& peer = *talk.peer;
    ASSERT_TRUE(talk.up.compare(0, peer.received.size(), peer.received) == 0);
    ASSERT_TRUE(talk.down.compare(0, peer.app.received.size(), peer.app.received) == 0);
    ASSERT_EQ(peer.app.beyond_window, 0u);
    ASSERT_LE(peer.established, 1u);
    ASSERT_LE(peer.finished, 1u);
    ASSERT_LE(peer.reset, 1u);
  }

  // Lets everybody come to an end in a network that loses nothing.
  void calm(Talk& talk) {
    Peer& peer = *talk.peer;
    peer.app.reading = peer.consume = true;
    if (!peer.closed) consumed(peer, peer.received.size() - peer.consumed);
    peer.app.finish();
    if (!peer.closed && !talk.down_finished) finish(peer);
    talk.down_finished = true;
  }

  std::vector<Talk> talks_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, StackStorm, testing::Range(1, 11));

TEST_P(StackStorm, EveryByteIsInItsPlaceAndNothingStaysBehind) {
  random_ = SeededRandom(std::uint64_t(GetParam()));
  for (std::uint16_t i = 1; i <= 20; ++i) start(i);
  for (int round = 0; round < 150; ++round) {
    for (Talk& talk : talks_) {
      act(talk);
      carry(talk, false);
      check(talk);
      if (HasFatalFailure()) return;
    }
    drop_ = random_.below(15) == 0;
    turn();
    drop_ = false;
    pass(milliseconds(random_.below(30)), false);
  }
  for (Talk& talk : talks_) calm(talk);
  for (int round = 0; round < 2000; ++round) {
    for (Talk& talk : talks_) {
      talk.peer->app.resend();
      talk.peer->app.acknowledge();
      if (!talk.peer->closed) carry(talk, true);
    }
    turn();
    pass(seconds(1), false);
    if (tcp_->connections() == 0) break;
  }
  turn();
  turn();
  for (const Talk& talk : talks_) {
    check(talk);
    const Peer& peer = *talk.peer;
    EXPECT_EQ(peer.closed, 1u);
    if (talk.torn || peer.reset) continue;
    EXPECT_TRUE(peer.received == talk.up);
    EXPECT_TRUE(peer.app.received == talk.down);
    EXPECT_TRUE(peer.app.got_fin);
  }
  EXPECT_EQ(tcp_->connections(), 0u);
  EXPECT_EQ(stack_->connections(), 0u);
  EXPECT_EQ(tcp_->deadline(), kNever);
  EXPECT_EQ(pool_.in_use(), 0u);
}

}  // namespace
}  // namespace causeway::tun

#include "tests/tun/stack_harness.h"

namespace causeway::tun {
namespace {

using std::chrono::seconds;

class StackClosing : public StackHarness {
 protected:
  void expect_gone(const Peer& peer, std::size_t resets) {
    turn();
    turn();  // an id is free once the events that name it were worked through
    EXPECT_EQ(peer.closed, 1u);
    EXPECT_EQ(peer.reset, resets);
    EXPECT_EQ(tcp_->connections(), 0u);
    EXPECT_EQ(stack_->connections(), 0u);
    EXPECT_EQ(tcp_->deadline(), kNever);
    EXPECT_EQ(pool_.in_use(), 0u);
  }
};

TEST_F(StackClosing, TheAppFinishesFirstAndStillReceives) {
  Peer& peer = connect();
  peer.app.send("question");
  peer.app.finish();
  settle();
  EXPECT_EQ(peer.finished, 1u);
  EXPECT_EQ(peer.closed, 0u);
  const std::string answer = pattern(200'000);
  ASSERT_EQ(write(peer, answer), answer.size());
  settle();
  EXPECT_EQ(peer.app.received, answer);
  EXPECT_FALSE(peer.app.got_fin);
  finish(peer);
  settle();
  EXPECT_TRUE(peer.app.got_fin);
  EXPECT_FALSE(peer.app.got_reset);
  expect_gone(peer, 0);
}

TEST_F(StackClosing, TheServiceFinishesFirstAndStillReceives) {
  Peer& peer = connect();
  ASSERT_EQ(write(peer, "banner"), 6u);
  finish(peer);
  settle();
  EXPECT_EQ(peer.app.received, "banner");
  EXPECT_TRUE(peer.app.got_fin);
  EXPECT_EQ(peer.closed, 0u);
  const std::string upload = pattern(3'000'000);
  peer.app.send(upload);
  settle();
  EXPECT_EQ(peer.received, upload);
  pass(std::chrono::hours(2));
  EXPECT_EQ(peer.closed, 0u) << "a half-closed connection may live long";
  peer.app.finish();
  settle();
  EXPECT_EQ(peer.finished, 1u);
  EXPECT_FALSE(peer.app.got_reset);
  EXPECT_EQ(peer.app.unacknowledged(), 0u) << "the app's FIN is acknowledged";
  expect_gone(peer, 0);
}

TEST_F(StackClosing, TimeWaitDoesNotStayBehind) {
  Peer& peer = connect();
  finish(peer);
  settle();
  peer.app.finish();
  settle();
  expect_gone(peer, 0);
  // The same ports may be used again at once.
  Peer& again = connect();
  again.app.send("again");
  settle();
  EXPECT_EQ(again.received, "again");
}

TEST_F(StackClosing, BothFinishAtOnce) {
  Peer& peer = connect();
  peer.app.finish();
  const auto fin = peer.app.outgoing();
  ASSERT_EQ(fin.size(), 1u);
  finish(peer);
  turn();
  deliver(peer, fin[0]);
  settle();
  EXPECT_EQ(peer.finished, 1u);
  EXPECT_TRUE(peer.app.got_fin);
  expect_gone(peer, 0);
}

TEST_F(StackClosing, AFinIsBehindEverythingWritten) {
  Peer& peer = connect();
  peer.app.window = 10'000;
  peer.app.acknowledge();
  settle();
  const std::string data = pattern(100'000);
  ASSERT_EQ(write(peer, data), data.size());
  finish(peer);
  pass(seconds(20));
  settle();
  EXPECT_EQ(peer.app.received, data);
  EXPECT_TRUE(peer.app.got_fin);
}

TEST_F(StackClosing, AWindowThatCutsTheLastSegmentDoesNotBringTheFinForward) {
  AppOptions options;
  options.window_scale = -1;
  options.window = 30'000;
  Peer& peer = connect(options);
  peer.app.reading = false;
  const std::string data = pattern(45'000);
  ASSERT_EQ(write(peer, data), data.size());
  finish(peer);
  settle();
  // The app reads a little now and then, always less than what waits.
  peer.app.reading = true;
  peer.app.window = 700;
  for (int i = 0; i < 100 && !peer.app.got_fin; ++i) pass(seconds(10));
  EXPECT_TRUE(peer.app.got_fin);
  EXPECT_EQ(peer.app.received, data);
}

TEST_F(StackClosing, FinishingWithUnconsumedBytesIsNoReset) {
  Peer& peer = connect();
  peer.consume = false;
  peer.app.send("not read yet");
  settle();
  finish(peer);
  settle();
  EXPECT_TRUE(peer.app.got_fin);
  EXPECT_FALSE(peer.app.got_reset);
  consumed(peer, peer.received.size());
  peer.app.finish();
  settle();
  expect_gone(peer, 0);
}

TEST_F(StackClosing, ALostFinIsSentAgain) {
  Peer& peer = connect();
  drop_ = true;
  finish(peer);
  turn();
  drop_ = false;
  pass(seconds(5));
  EXPECT_TRUE(peer.app.got_fin);
}

TEST_F(StackClosing, AFinThatComesAgainIsAcknowledgedAgain) {
  Peer& peer = connect();
  peer.app.finish();
  const auto fin = peer.app.outgoing();
  deliver(peer, fin[0]);
  turn();
  const std::size_t acks = peer.app.pure_acks;
  deliver(peer, fin[0]);
  turn();
  EXPECT_EQ(peer.app.pure_acks, acks + 1);
  EXPECT_EQ(peer.finished, 1u);
}

TEST_F(StackClosing, TheAppsResetIsToldOnce) {
  Peer& peer = connect();
  ASSERT_EQ(write(peer, pattern(50'000)), 50'000u);
  turn();
  peer.app.reset();
  settle();
  EXPECT_FALSE(peer.app.got_reset);
  expect_gone(peer, 1);
}

TEST_F(StackClosing, AResetInTheHandshakeEndsIt) {
  Peer& peer = begin();
  turn();
  peer.app.reset();
  settle();
  EXPECT_EQ(peer.established, 0u);
  expect_gone(peer, 1);
}

TEST_F(StackClosing, AResetAfterTheAppsFinEndsTheConnection) {
  Peer& peer = connect();
  peer.app.finish();
  settle();
  peer.app.reset();
  settle();
  expect_gone(peer, 1);
}

TEST_F(StackClosing, AResetAfterOurFinEndsTheConnection) {
  Peer& peer = connect();
  finish(peer);
  settle();
  peer.app.reset();
  settle();
  expect_gone(peer, 1);
}

TEST_F(StackClosing, AResetInTheLastAcknowledgementsPlaceEndsTheConnection) {
  Peer& peer = connect();
  peer.app.finish();
  settle();
  peer.app.silent = true;
  finish(peer);
  turn();
  peer.app.reset();
  settle();
  expect_gone(peer, 1);
}

TEST_F(StackClosing, AResetOutsideOfTheWindowMovesNothing) {
  Peer& peer = connect();
  deliver(peer, peer.app.segment(packet::kRst, peer.app.next() - 1, {}));
  turn();
  EXPECT_EQ(peer.closed, 0u);
  // Inside of it, but not exact: RFC 5961 has it challenged.
  const std::size_t acks = peer.app.pure_acks;
  deliver(peer, peer.app.segment(packet::kRst, peer.app.next() + 100, {}));
  turn();
  EXPECT_EQ(peer.closed, 0u);
  EXPECT_EQ(peer.app.pure_acks, acks + 1);
  peer.app.send("alive");
  settle();
  EXPECT_EQ(peer.received, "alive");
}

TEST_F(StackClosing, ASynOnALivingConnectionIsChallenged) {
  Peer& peer = connect();
  const std::size_t acks = peer.app.pure_acks;
  deliver(peer, peer.app.segment(packet::kSyn, peer.app.next() + 1000, {}));
  turn();
  EXPECT_EQ(peer.closed, 0u);
  EXPECT_EQ(peer.app.pure_acks, acks + 1);
}

TEST_F(StackClosing, AbortResetsTheAppAndForgetsWhatWasQueued) {
  Peer& peer = connect();
  peer.app.silent = true;
  ASSERT_EQ(write(peer, pattern(500'000)), 500'000u);
  turn();
  abort(peer);
  turn();
  EXPECT_TRUE(peer.app.got_reset);
  expect_gone(peer, 0);
}

TEST_F(StackClosing, AbortLeavesBehindTheBytesThatFitTheAppsWindow) {
  Peer& peer = connect();
  const std::string data = pattern(60'000);
  ASSERT_EQ(write(peer, data), data.size());
  abort(peer);
  EXPECT_EQ(peer.closed, 0u) << "with the end of the turn";
  turn();
  EXPECT_EQ(peer.app.received, data);
  EXPECT_TRUE(peer.app.got_reset);
  expect_gone(peer, 0);
}

TEST_F(StackClosing, AnIdIsNotUsedAgainBeforeTheEventsThatNameItWereWorkedThrough) {
  Peer& first = connect();
  deliver(first, first.app.segment(packet::kRst, first.app.next(), {}));
  std::vector<engine::StackEvent> events;
  tcp_->take_events(events);
  ASSERT_EQ(events.back().kind, engine::StackEvent::Kind::kClosed);
  AppOptions options;
  options.local.port = 40001;
  EXPECT_NE(begin(options).id, first.id);
}

TEST_F(StackClosing, AbortInTheHandshakeResetsTheApp) {
  Peer& peer = begin();
  turn();
  abort(peer);
  turn();
  EXPECT_TRUE(peer.app.got_reset);
  expect_gone(peer, 0);
}

TEST_F(StackClosing, AbortAfterEitherFinResetsTheApp) {
  for (const bool app_first : {true, false}) {
    AppOptions options;
    options.local.port = app_first ? 1 : 2;
    Peer& peer = connect(options);
    if (app_first) {
      peer.app.finish();
    } else {
      finish(peer);
    }
    settle();
    abort(peer);
    turn();
    EXPECT_TRUE(peer.app.got_reset);
    expect_gone(peer, 0);
  }
}

TEST_F(StackClosing, CallsForAConnectionThatHasEndedAreHarmlessUntilItsEventIsTaken) {
  Peer& peer = connect();
  peer.consume = false;
  peer.app.send("some");
  settle();
  deliver(peer, peer.app.segment(packet::kRst, peer.app.next(), {}));
  EXPECT_EQ(write(peer, "late"), 0u);
  finish(peer);
  consumed(peer, 4);
  abort(peer);
  deliver(peer, peer.app.segment(packet::kAck, peer.app.next(), "late"));
  EXPECT_GE(stack_->counters().segments_dropped, 1u);
  turn();
  expect_gone(peer, 1);
}

TEST_F(StackClosing, DataAfterTheAppsFinIsNotHandedOn) {
  Peer& peer = connect();
  peer.app.finish();
  settle();
  deliver(peer, peer.app.segment(packet::kAck, peer.app.next(), "more"));
  turn();
  EXPECT_EQ(peer.received, "");
  EXPECT_EQ(peer.closed, 0u);
}

TEST_F(StackClosing, AnIdUsedAgainIsAnotherConnection) {
  Peer& first = connect();
  const engine::ConnectionId id = first.id;
  first.app.reset();
  settle();
  AppOptions options;
  options.local.port = 40001;
  Peer& second = connect(options);
  EXPECT_EQ(second.id, id);
  second.app.send("mine");
  settle();
  EXPECT_EQ(second.received, "mine");
  EXPECT_EQ(first.received, "");
}

}  // namespace
}  // namespace causeway::tun

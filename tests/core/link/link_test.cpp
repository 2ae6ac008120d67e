// The session above a carrier: acknowledgement, liveness, echoes, violations and the end.
#include "core/link/link.h"

#include "tests/core/link/carriers.h"

namespace causeway::link {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Sends what it is told to, as CREDIT frames and DATA, and remembers what happened to it.
class Script final : public Traffic {
 public:
  bool has_frames() const override { return !waiting.empty() || bulk_bytes > 0; }
  void write_frames(WireWriter& writer, SentItems& sent, std::size_t bulk, Instant) override {
    while (!waiting.empty() && writer.room() > kSmallFrame) {
      write_credit(writer, 0, waiting.front());
      sent.note({FrameType::kCredit, waiting.front(), 0, 0});
      waiting.erase(waiting.begin());
    }
    writer.limit(bulk);
    while (bulk_bytes > 0 && writer.room() > kDataOverhead) {
      std::size_t n = std::min(writer.room() - kDataOverhead, bulk_bytes);
      write_data(writer, 1, offset, n);
      sent.note({FrameType::kData, 1, offset, std::uint32_t(n)});
      offset += n;
      bulk_bytes -= n;
    }
  }
  bool frame_received(const Frame& frame, const Slice&, Instant) override {
    if (frame.type == forbidden) return false;
    received.push_back(frame.type == FrameType::kData ? frame.value + frame.bytes.size() : frame.value);
    return true;
  }
  const char* violation() const override { return "the test said so"; }
  void acknowledged(const SentItem& item) override { arrived.push_back(item.type == FrameType::kData ? item.offset : item.id); }
  void lost(const SentItem& item) override { gone.push_back(item.type == FrameType::kData ? item.offset : item.id); }
  bool active() const override { return busy; }

  std::vector<std::uint64_t> waiting, received, arrived, gone;
  std::size_t bulk_bytes = 0;
  std::uint64_t offset = 0;
  FrameType forbidden{};
  bool busy = false;
};

class Linked : public testing::Test {
 protected:
  Linked() {
    c.open();
    client.attach(c.client, c.now);
    gateway.attach(c.gateway, c.now);
    run();
  }
  // Flushes and delivers until nothing moves; time stands still.
  void run() {
    do {
      client.flush(c.now);
      gateway.flush(c.now);
      c.exchange();
      client.receive(c.now);
      gateway.receive(c.now);
      client.flush(c.now);
      gateway.flush(c.now);
    } while (c.client.unsent() + c.gateway.unsent() > 0);
  }
  // Lets time pass with every timer served.
  void pass(Duration time) {
    Instant until = c.now + time;
    while (true) {
      Instant next = std::min(client.deadline(), gateway.deadline());
      ASSERT_GT(next, c.now - seconds(1)) << "a timer spins";
      if (next > until) break;
      c.now = std::max(c.now, next);
      client.advance(c.now);
      gateway.advance(c.now);
      run();
      ASSERT_LT(++turns, 100000) << "a timer spins";
    }
    c.now = until;
  }
  // A record of the gateway's carrier with what `write` writes.
  template <class F>
  void forge(F&& write) {
    WireWriter writer(c.gateway.record_space());
    write(writer);
    c.gateway.seal(writer.size());
    c.exchange();
    client.receive(c.now);
  }

  Carriers c;
  Script up, down;
  Link client{up}, gateway{down};
  int turns = 0;
};

TEST_F(Linked, AttachingProvesTheLinkBothWays) {
  EXPECT_TRUE(client.heard());
  EXPECT_TRUE(gateway.heard());
  EXPECT_TRUE(client.round_trip());
}

TEST_F(Linked, WhatArrivedIsAcknowledgedWithin20Milliseconds) {
  up.waiting = {11, 12};
  run();
  EXPECT_EQ(down.received, (std::vector<std::uint64_t>{11, 12}));
  EXPECT_TRUE(up.arrived.empty());
  pass(milliseconds(20));
  EXPECT_EQ(up.arrived, (std::vector<std::uint64_t>{11, 12}));
}

TEST_F(Linked, AnAcknowledgementRidesOnTheAnswer) {
  up.waiting = {11};
  run();
  down.waiting = {21};
  run();
  EXPECT_EQ(up.arrived, std::vector<std::uint64_t>{11}) << "no timer was needed";
}

TEST_F(Linked, ManyRecordsAreAcknowledgedBeforeTheTimer) {
  up.bulk_bytes = 40 * StreamCarrier::kMaxRecord;
  run();
  EXPECT_GE(up.arrived.size(), 20u);
  EXPECT_LT(client.unacknowledged(), 20 * StreamCarrier::kMaxRecord);
  pass(milliseconds(20));
  EXPECT_EQ(client.unacknowledged(), 0u);
}

TEST_F(Linked, AcknowledgementsAreNotAcknowledged) {
  pass(seconds(1));
  std::uint64_t before = c.client.records_sent() + c.gateway.records_sent();
  up.waiting = {1};
  pass(seconds(3));
  EXPECT_LE(c.client.records_sent() + c.gateway.records_sent(), before + 2);
}

TEST_F(Linked, ASilentLinkIsAskedAfter25SecondsAndABusyOneAfter5) {
  pass(seconds(1));
  std::uint64_t before = c.client.records_sent();
  pass(seconds(20));
  EXPECT_EQ(c.client.records_sent(), before);
  pass(seconds(6));
  EXPECT_GT(c.client.records_sent(), before);
  up.busy = true;
  pass(seconds(6));
  before = c.client.records_sent();
  pass(seconds(50));
  EXPECT_GE(c.client.records_sent(), before + 9);
  EXPECT_FALSE(client.over());
}

TEST_F(Linked, ACarrierThatGoesSilentIsDeadAfter5Seconds) {
  pass(seconds(1));
  up.waiting = {1};
  client.flush(c.now);
  Instant sent = c.now;
  EXPECT_EQ(client.deadline(), sent + seconds(5));
  c.now += milliseconds(4999);
  client.advance(c.now);
  EXPECT_FALSE(client.over());
  c.now = sent + seconds(5);
  client.advance(c.now);
  ASSERT_TRUE(client.over());
  EXPECT_EQ(client.error().code, ErrorCode::kTimedOut);
}

TEST_F(Linked, ACarrierThatIsOnlySlowIsNotDead) {
  up.waiting = {1};
  client.flush(c.now);
  for (int i = 0; i < 20; ++i) {
    c.now += seconds(4);
    client.progressed(c.now);  // the kernel's count moved
    client.advance(c.now);
    ASSERT_FALSE(client.over());
  }
  c.now += seconds(5);
  client.advance(c.now);
  EXPECT_TRUE(client.over());
}

TEST_F(Linked, AnIdleLinkWithNothingOutstandingIsNotDead) {
  pass(seconds(600));
  EXPECT_FALSE(client.over());
  EXPECT_FALSE(gateway.over());
}

TEST_F(Linked, AnEchoSaysHowLongItTook) {
  client.echo(77, c.now);
  client.flush(c.now);
  c.now += milliseconds(30);
  run();
  std::vector<Link::Echo> echoes;
  client.take_echoes(echoes);
  ASSERT_EQ(echoes.size(), 1u);
  EXPECT_EQ(echoes[0].token, 77u);
  EXPECT_EQ(echoes[0].elapsed, milliseconds(30));
  EXPECT_EQ(client.round_trip(), milliseconds(30));
}

TEST_F(Linked, ThousandsOfEchoesFitIntoTheirRecords) {
  for (std::uint64_t i = 1; i <= 5000; ++i) client.echo(i, c.now);
  for (int i = 0; i < 200; ++i) run();
  EXPECT_FALSE(client.over());
}

TEST_F(Linked, ClosingTellsThePeerWhy) {
  client.close(CloseCode::kGoodbye, "the client\x1bwent down");
  run();
  EXPECT_TRUE(client.over());
  ASSERT_TRUE(gateway.over());
  EXPECT_EQ(gateway.error().message, "the peer closed the link: the client?went down");
}

TEST_F(Linked, GoawayReachesThePeerAndIsRepeatedOnAnotherCarrier) {
  gateway.goaway(7);
  run();
  EXPECT_TRUE(client.peer_is_going());
  Carriers other;
  other.open();
  gateway.attach(other.gateway, c.now);
  Link fresh(up);
  fresh.attach(other.client, c.now);
  gateway.flush(c.now);
  other.exchange();
  fresh.receive(c.now);
  EXPECT_TRUE(fresh.peer_is_going());
}

TEST_F(Linked, AViolationEndsTheLinkAndThePeerIsToldOnce) {
  up.forbidden = FrameType::kCredit;
  down.waiting = {5};
  run();
  ASSERT_TRUE(client.over());
  EXPECT_EQ(client.error().code, ErrorCode::kProtocol);
  EXPECT_NE(client.error().message.find("the test said so"), std::string::npos);
  ASSERT_TRUE(gateway.over());
  EXPECT_NE(gateway.error().message.find("the test said so"), std::string::npos);
}

TEST_F(Linked, AMalformedFrameEndsTheLink) {
  forge([](WireWriter& w) { w.byte(0x3f); });
  ASSERT_TRUE(client.over());
  EXPECT_EQ(client.error().code, ErrorCode::kProtocol);
}

TEST_F(Linked, AnAcknowledgementOfWhatWasNeverSentEndsTheLink) {
  forge([this](WireWriter& w) { write_ack(w, 0, c.client.records_sent()); });
  EXPECT_FALSE(client.over());
  forge([](WireWriter& w) { write_ack(w, 9, kMaxVarint); });
  EXPECT_FALSE(client.over()) << "of another carrier";
  forge([this](WireWriter& w) { write_ack(w, 0, c.client.records_sent() + 1); });
  EXPECT_TRUE(client.over());
}

TEST_F(Linked, PongsThatNobodyAskedForAreNothing) {
  forge([](WireWriter& w) {
    for (std::uint64_t i = 0; i < 100; ++i) write_pong(w, i * 1000);
  });
  EXPECT_FALSE(client.over());
}

TEST_F(Linked, AFloodOfPingsIsAnsweredWithinBounds) {
  for (int i = 0; i < 50; ++i) {
    forge([](WireWriter& w) {
      while (w.room() > kSmallFrame) write_ping(w, kMaxVarint);
    });
  }
  client.flush(c.now);
  EXPECT_LT(c.client.unsent(), 2000u);
}

TEST_F(Linked, UnknownOptionalFramesAreAcknowledgedToo) {
  pass(seconds(1));
  std::uint64_t before = c.client.records_sent();
  forge([](WireWriter& w) {
    w.varint(0x55);
    w.varint(3);
    w.claim(3);
  });
  EXPECT_FALSE(client.over());
  EXPECT_LE(client.deadline(), c.now + milliseconds(20));
  c.now += milliseconds(20);
  client.flush(c.now);
  EXPECT_EQ(c.client.records_sent(), before + 1);
}

TEST_F(Linked, WhatADeadCarrierHadNotAcknowledgedIsHandedBackInItsOrder) {
  up.waiting = {1, 2};
  client.flush(c.now);
  up.bulk_bytes = 20000;
  client.flush(c.now);
  Carriers other;
  other.open();
  client.attach(other.client, c.now);
  ASSERT_EQ(up.gone.size(), 4u);
  EXPECT_EQ(up.gone[0], 1u);
  EXPECT_EQ(up.gone[1], 2u);
  EXPECT_EQ(up.gone[2], 0u);
  EXPECT_EQ(client.unacknowledged(), 0u);
  EXPECT_TRUE(up.arrived.empty());
}

TEST_F(Linked, BulkIsHeldBackWhileTooMuchIsUnacknowledged) {
  up.bulk_bytes = 40 * 1024 * 1024;
  for (int i = 0; i < 4000; ++i) {
    client.flush(c.now);
    wire_of(c.client);  // into the void
  }
  EXPECT_GE(client.unacknowledged(), 15u * 1024 * 1024);
  EXPECT_LE(client.unacknowledged(), 17u * 1024 * 1024);
  up.waiting = {9};
  client.flush(c.now);
  EXPECT_TRUE(up.waiting.empty()) << "control frames still go";
}

TEST_F(Linked, WhatIsSealedAheadIsABatchAndNoMore) {
  up.bulk_bytes = 4 * 1024 * 1024;
  client.flush(c.now);
  EXPECT_GE(c.client.unsent(), 128u * 1024);
  EXPECT_LE(c.client.unsent(), 150u * 1024);
}

TEST_F(Linked, WhereThereIsNoRoomNothingIsSealedButTheLastWord) {
  client.set_room(0);
  up.waiting = {11};
  up.bulk_bytes = 100000;
  client.flush(c.now);
  EXPECT_EQ(c.client.unsent(), 0u);
  EXPECT_GT(client.deadline(), c.now) << "it waits for room, not for time";
  client.close(CloseCode::kGoodbye, "bye");
  client.flush(c.now);
  EXPECT_GT(c.client.unsent(), 0u);
}

TEST_F(Linked, AShortRoomIsFilledWithSmallRecordsAndNoMore) {
  constexpr std::size_t kRoom = 12 * 1024;
  client.set_room(kRoom);
  up.bulk_bytes = 100000;
  const std::uint64_t before = c.client.records_sent();
  client.flush(c.now);
  EXPECT_GE(c.client.unsent(), kRoom);
  EXPECT_LT(c.client.unsent(), kRoom + kRoom / 4);
  EXPECT_GE(c.client.records_sent() - before, 4u) << "the first is opened before the last has come";
  run();
  EXPECT_EQ(up.bulk_bytes, 0u) << "the rest follows";
}

TEST_F(Linked, AControlFrameIsNotCutToAShortRoom) {
  client.set_room(1);
  up.waiting = std::vector<std::uint64_t>(200, 11);
  client.flush(c.now);
  EXPECT_TRUE(up.waiting.empty());
}

TEST_F(Linked, AnotherCarrierHasItsRoomAgain) {
  client.set_room(0);
  Carriers other;
  other.open();
  client.attach(other.client, c.now);
  client.flush(c.now);
  EXPECT_GT(other.client.unsent(), 0u);
}

TEST_F(Linked, UnderTrafficTheRoundTripIsMeasuredOnceASecond) {
  EXPECT_EQ(client.round_trip(), Duration::zero());
  auto exchange_in = [&](Duration way) {
    up.bulk_bytes = 1000;
    client.flush(c.now);
    c.now += way;
    c.exchange();
    gateway.receive(c.now);
    gateway.flush(c.now);
    c.now += way;
    c.exchange();
    client.receive(c.now);
  };
  exchange_in(milliseconds(40));
  EXPECT_EQ(client.round_trip(), Duration::zero()) << "the last one is less than a second old";
  c.now += seconds(1);
  exchange_in(milliseconds(40));
  EXPECT_EQ(client.round_trip(), milliseconds(80));
}

TEST_F(Linked, AnEchoThatAnOutageHeldUpIsNotTakenForThePath) {
  auto echo_in = [&](Duration way) {
    client.echo(1, c.now);
    client.flush(c.now);
    c.now += way;
    run();
  };
  echo_in(milliseconds(40));
  echo_in(milliseconds(40));
  EXPECT_EQ(client.undisturbed_round_trip(), milliseconds(40));
  echo_in(seconds(3));
  EXPECT_EQ(client.round_trip(), seconds(3));
  EXPECT_EQ(client.undisturbed_round_trip(), milliseconds(40));
  echo_in(milliseconds(90));
  echo_in(milliseconds(90));
  EXPECT_EQ(client.undisturbed_round_trip(), milliseconds(90)) << "a path that has become another is learned";
}

TEST_F(Linked, NoTimerSpinsBehindAFullBatch) {
  pass(seconds(1));
  up.bulk_bytes = 4 * 1024 * 1024;
  down.waiting = {1};
  gateway.flush(c.now);
  feed(c.client, wire_of(c.gateway), c.now);
  client.receive(c.now);
  client.flush(c.now);
  c.now += seconds(2);
  client.advance(c.now);
  client.flush(c.now);
  EXPECT_GT(client.deadline(), c.now);
}

TEST_F(Linked, SurvivesRekeysUnderTraffic) {
  for (int i = 0; i < 300; ++i) {
    up.waiting.push_back(std::uint64_t(i));
    down.waiting.push_back(std::uint64_t(i));
    run();
    pass(seconds(1));
    c.client.advance(c.now);
    c.gateway.advance(c.now);
    run();
  }
  EXPECT_EQ(c.client.rekeys(), 2u);
  EXPECT_EQ(up.arrived.size(), 300u);
  EXPECT_EQ(down.arrived.size(), 300u);
}

}  // namespace
}  // namespace causeway::link

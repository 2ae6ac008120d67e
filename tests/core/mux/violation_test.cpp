// The rules that a peer must keep, one by one: what breaks them is named, what is only late is counted.
#include "core/base/random.h"
#include "tests/core/mux/pair.h"

namespace causeway::mux {
namespace {

using Kind = MuxEvent::Kind;
using Side = Pair::Side;

class Rules : public testing::Test {
 protected:
  // Hands `side` a record with what `write` writes; empty if it was taken, else the rule that it broke.
  template <class F>
  std::string sends(Side& side, F&& write) {
    Slice record{pair.pool.take(kRecord), nullptr, 0};
    WireWriter writer(record.owner.bytes().first(kRecord));
    write(writer);
    record.data = record.owner.data();
    record.size = writer.size();
    return side.take(record, pair.now) ? std::string() : std::string(side.mux.violation());
  }
  static link::OpenFrame open(StreamId id, const flow::Destination& to = tcp(), ListenId listen = 0) {
    link::OpenFrame frame;
    frame.stream = id;
    frame.destination = to;
    frame.listen = listen;
    return frame;
  }
  void TearDown() override {
    pair.client.mux.lose_all();
    pair.gateway.mux.lose_all();
    pair.client.seen.clear();
    pair.gateway.seen.clear();
    std::vector<MuxEvent> rest;
    pair.client.mux.take_events(rest);
    std::vector<MuxEvent> more;
    pair.gateway.mux.take_events(more);
  }

  Pair pair;
};

TEST_F(Rules, OpensComeInTheOrderOfTheirIdsWithoutGaps) {
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_open(w, open(3)); }), "an OPEN out of order");
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_open(w, open(1)); }), "");
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_open(w, open(5)); }), "an OPEN out of order");
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_open(w, open(3)); }), "");
}

TEST_F(Rules, OpensHaveIdsOfTheirOwnSide) {
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_open(w, open(2)); }), "an OPEN with an id of the wrong side");
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_open(w, open(0)); }), "an OPEN with an id of the wrong side");
}

TEST_F(Rules, ARepeatedOpenIsCountedNotAnswered) {
  sends(pair.gateway, [](auto& w) { link::write_open(w, open(1)); });
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_open(w, open(1)); }), "");
  EXPECT_EQ(pair.gateway.mux.counters().late_frames, 1u);
  EXPECT_EQ(pair.gateway.count(Kind::kOpen), 1u);
}

TEST_F(Rules, NobodyOpensTowardsAClientThatDidNotListen) {
  EXPECT_NE(sends(pair.client, [](auto& w) { link::write_open(w, open(2, tcp(), 1)); }), "");
  EXPECT_NE(sends(pair.gateway, [](auto& w) { link::write_open(w, open(1, tcp(), 1)); }), "");
}

TEST_F(Rules, AFrameForAStreamThatWasNeverOpenedIsAViolation) {
  const std::string rule = "a frame for a stream that was never opened";
  for (Side* side : {&pair.client, &pair.gateway}) {
    for (StreamId id : {1, 2, 99}) {
      EXPECT_EQ(sends(*side, [&](auto& w) { link::write_opened(w, id); }), rule);
      EXPECT_EQ(sends(*side, [&](auto& w) { link::write_refused(w, id, Reason::kNone); }), rule);
      EXPECT_EQ(sends(*side, [&](auto& w) { link::write_data(w, id, 0, 5); }), rule);
      EXPECT_EQ(sends(*side, [&](auto& w) { link::write_credit(w, id, 5); }), rule);
      EXPECT_EQ(sends(*side, [&](auto& w) { link::write_fin(w, id, 5); }), rule);
      EXPECT_EQ(sends(*side, [&](auto& w) { link::write_reset(w, id, Reason::kNone, 5); }), rule);
      EXPECT_EQ(sends(*side, [&](auto& w) { link::write_datagram(w, id, 0, 0, true, 5); }), rule);
    }
    EXPECT_EQ(sends(*side, [&](auto& w) { link::write_data(w, 0, 0, 5); }), rule) << "stream 0 is the link";
  }
}

TEST_F(Rules, AFrameForAClosedStreamIsCountedAndDropped) {
  StreamId id = pair.connected();
  pair.client.mux.reset(id, Reason::kNone);
  pair.run();
  pair.gateway.mux.forget(id);
  pair.run();
  ASSERT_EQ(pair.gateway.mux.streams(), 0u);
  for (Side* side : {&pair.client, &pair.gateway}) {
    EXPECT_EQ(sends(*side, [&](auto& w) {
                link::write_opened(w, id);
                link::write_refused(w, id, Reason::kNone);
                link::write_data(w, id, 1u << 30, 5);
                link::write_credit(w, id, 5);
                link::write_fin(w, id, 5);
                link::write_reset(w, id, Reason::kNone, 5);
                link::write_datagram(w, id, 0, 0, true, 5);
              }),
              "");
    EXPECT_EQ(side->mux.counters().late_frames, 7u);
  }
}

TEST_F(Rules, NothingComesBeforeTheAnswer) {
  StreamId id = pair.client.mux.open(tcp(), {}, 0, {});
  EXPECT_EQ(sends(pair.client, [&](auto& w) { link::write_data(w, id, 0, 5); }), "DATA before OPENED");
  EXPECT_EQ(sends(pair.client, [&](auto& w) { link::write_fin(w, id, 0); }), "FIN before OPENED");
}

TEST_F(Rules, OnlyWhoWasAskedAnswers) {
  StreamId id = pair.client.mux.open(tcp(), {}, 0, {});
  pair.run();
  EXPECT_NE(sends(pair.gateway, [&](auto& w) { link::write_opened(w, id); }), "");
  EXPECT_NE(sends(pair.gateway, [&](auto& w) { link::write_refused(w, id, Reason::kNone); }), "");
}

TEST_F(Rules, AnAcceptedStreamIsNotRefusedAndARepeatedOpenedIsNothing) {
  StreamId id = pair.connected();
  EXPECT_EQ(sends(pair.client, [&](auto& w) { link::write_opened(w, id); }), "");
  EXPECT_EQ(pair.client.count(Kind::kOpened, id), 1u);
  EXPECT_EQ(sends(pair.client, [&](auto& w) { link::write_refused(w, id, Reason::kNone); }), "REFUSED after OPENED");
}

TEST_F(Rules, TheStreamsCreditIsNotExceeded) {
  StreamId id = pair.connected();
  std::uint64_t limit = settings().own.stream_credit;
  EXPECT_EQ(sends(pair.gateway, [&](auto& w) { link::write_data(w, id, limit - 5, 5); }), "");
  EXPECT_EQ(sends(pair.gateway, [&](auto& w) { link::write_data(w, id, limit - 5, 6); }), "more bytes on a stream than its credit");
  EXPECT_EQ(sends(pair.gateway, [&](auto& w) { link::write_fin(w, id, limit + 1); }), "more bytes on a stream than its credit");
  EXPECT_EQ(sends(pair.gateway, [&](auto& w) { link::write_reset(w, id, Reason::kNone, limit + 1); }),
            "more bytes on a stream than its credit");
}

TEST_F(Rules, TheLinksCreditIsNotExceeded) {
  Mux::Settings s = settings(100000, 150000);
  s.max_link_window = 150000;
  Pair narrow(s);
  StreamId a = narrow.connected(), b = narrow.connected();
  EXPECT_EQ(sends(narrow.gateway, [&](auto& w) { link::write_data(w, a, 99990, 10); }), "");
  EXPECT_EQ(sends(narrow.gateway, [&](auto& w) { link::write_fin(w, b, 50000); }), "");
  EXPECT_EQ(sends(narrow.gateway, [&](auto& w) { link::write_data(w, b, 0, 1000); }), "") << "counted with the final size";
  StreamId c = narrow.connected();
  EXPECT_EQ(sends(narrow.gateway, [&](auto& w) { link::write_data(w, c, 0, 1); }), "more bytes on the link than its credit");
  narrow.client.mux.lose_all();
  narrow.gateway.mux.lose_all();
}

TEST_F(Rules, AFinalSizeIsFinal) {
  StreamId a = pair.connected(), b = pair.connected(), c = pair.connected();
  const std::string contradicts = "a final size that contradicts what came before";
  sends(pair.gateway, [&](auto& w) { link::write_data(w, a, 0, 10); });
  EXPECT_EQ(sends(pair.gateway, [&](auto& w) { link::write_fin(w, a, 9); }), contradicts);
  EXPECT_EQ(sends(pair.gateway, [&](auto& w) { link::write_fin(w, b, 10); }), "");
  EXPECT_EQ(sends(pair.gateway, [&](auto& w) { link::write_fin(w, b, 10); }), "") << "a repeat";
  EXPECT_EQ(sends(pair.gateway, [&](auto& w) { link::write_fin(w, b, 11); }), contradicts);
  EXPECT_NE(sends(pair.gateway, [&](auto& w) { link::write_data(w, b, 5, 6); }), "");
  sends(pair.gateway, [&](auto& w) { link::write_data(w, c, 0, 10); });
  EXPECT_EQ(sends(pair.gateway, [&](auto& w) { link::write_reset(w, c, Reason::kNone, 9); }), "a final size below what came before");
}

TEST_F(Rules, DatagramsAndBytesDoNotMix) {
  StreamId bytes = pair.connected();
  StreamId flow = pair.client.mux.open(udp(), {}, 0, {});
  pair.run();
  EXPECT_NE(sends(pair.gateway, [&](auto& w) { link::write_datagram(w, bytes, 0, 0, true, 5); }), "");
  EXPECT_NE(sends(pair.gateway, [&](auto& w) { link::write_data(w, flow, 0, 5); }), "");
  EXPECT_NE(sends(pair.gateway, [&](auto& w) { link::write_fin(w, flow, 0); }), "");
}

TEST_F(Rules, ListensComeInOrderAndFromTheClientOnly) {
  EXPECT_NE(sends(pair.client, [](auto& w) { link::write_listen(w, 1, as_bytes("a")); }), "");
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_listen(w, 2, as_bytes("a")); }), "a LISTEN out of order");
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_listen(w, 1, as_bytes("a")); }), "");
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_listen(w, 1, as_bytes("a")); }), "") << "a repeat";
  EXPECT_EQ(pair.gateway.count(Kind::kListen), 1u);
  for (Side* side : {&pair.client, &pair.gateway}) {
    EXPECT_EQ(sends(*side, [](auto& w) { link::write_unlisten(w, 7, Reason::kNone, {}); }), "an answer to a LISTEN that never was");
    EXPECT_NE(sends(*side, [](auto& w) { link::write_listening(w, 7, as_bytes("a")); }), "");
    EXPECT_NE(sends(*side, [](auto& w) { link::write_unlisten(w, 0, Reason::kNone, {}); }), "");
  }
}

TEST_F(Rules, OnlyTheGatewayTakesAListen) {
  pair.client.mux.listen(as_bytes("a"));
  pair.run();
  EXPECT_EQ(sends(pair.gateway, [](auto& w) { link::write_listening(w, 1, as_bytes("a")); }), "a LISTENING of the client");
  EXPECT_EQ(sends(pair.client, [](auto& w) { link::write_listening(w, 1, as_bytes("a")); }), "");
  EXPECT_EQ(sends(pair.client, [](auto& w) { link::write_listening(w, 1, as_bytes("b")); }), "") << "a repeat";
  EXPECT_EQ(pair.client.count(Kind::kListening), 1u);
}

TEST_F(Rules, ListensAreBounded) {
  std::string broken;
  for (ListenId id = 1; id <= 5000 && broken.empty(); ++id) {
    broken = sends(pair.gateway, [&](auto& w) { link::write_listen(w, id, as_bytes(std::string(255, 'x'))); });
  }
  EXPECT_EQ(broken, "more LISTENs than may be");
  std::size_t made = 0;
  while (pair.client.mux.listen(as_bytes("x")) != 0) ++made;
  EXPECT_EQ(made, Mux::kMaxListens);
}

TEST_F(Rules, AFloodOfOpensThatNeverAcknowledgesIsEnded) {
  std::string broken;
  StreamId id = 1;
  for (; id < 100001 && broken.empty(); id += 2) broken = sends(pair.gateway, [&](auto& w) { link::write_open(w, open(id)); });
  EXPECT_EQ(broken, "far more streams than the limit");
  EXPECT_LT(pair.gateway.mux.streams(), 10000u);
}

TEST_F(Rules, PiecesOutOfOrderAreBounded) {
  StreamId id = pair.connected();
  std::string broken;
  for (std::uint64_t i = 1; i <= 3000 && broken.empty(); ++i) {
    broken = sends(pair.gateway, [&](auto& w) { link::write_data(w, id, i * 2, 1); });
  }
  EXPECT_NE(broken, "");
}

TEST_F(Rules, RepeatedAndOverlappingPiecesCostNoMemory) {
  StreamId id = pair.connected();
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(sends(pair.gateway, [&](auto& w) { link::write_data(w, id, 10 + std::uint64_t(i) % 7, 16000); }), "");
    pair.gateway.mux.settle();
  }
  EXPECT_LT(pair.pool.in_use(), 100u * 1024);
}

TEST_F(Rules, SingleBytesShareBlocks) {
  StreamId id = pair.connected();
  for (std::uint64_t i = 0; i < 100000; ++i) {
    ASSERT_EQ(sends(pair.gateway, [&](auto& w) { link::write_data(w, id, i, 1)[0] = std::uint8_t(i * 7); }), "");
    pair.gateway.mux.settle();
  }
  EXPECT_LT(pair.pool.in_use(), 300u * 1024);
  std::string got = pair.gateway.read(id);
  ASSERT_EQ(got.size(), 100000u);
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(std::uint8_t(got[i]), std::uint8_t(i * 7)) << i;
}

TEST_F(Rules, AnyFramesWhatsoeverBreakARuleOrDoNoHarm) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    Mux::Settings s = settings(2000, 20000, 8);
    Pair wild(s);
    ListenId listen = wild.client.mux.listen(as_bytes("x"));
    wild.run();
    for (Side* side : {&wild.client, &wild.gateway}) {
      for (int i = 0; i < 500; ++i) {
        StreamId id = random.below(14);
        std::uint64_t at = random.below(2200);
        std::string broken = sends(*side, [&](auto& w) {
          switch (random.below(11)) {
            case 0: link::write_open(w, open(id, random.below(2) ? tcp() : udp(), side == &wild.client ? listen : 0)); break;
            case 1: link::write_opened(w, id); break;
            case 2: link::write_refused(w, id, Reason::kTimedOut); break;
            case 3: link::write_data(w, id, at, random.below(300)); break;
            case 4: link::write_credit(w, id, at * 4); break;
            case 5: link::write_fin(w, id, at); break;
            case 6: link::write_reset(w, id, Reason::kConnectionReset, at); break;
            case 7: link::write_datagram(w, id, random.below(4), std::uint32_t(random.below(40000)), random.below(2), 100); break;
            case 8: link::write_unlisten(w, random.below(3), Reason::kNone, {}); break;
            case 9: link::write_listening(w, random.below(3), as_bytes("z")); break;
            default: link::write_listen(w, random.below(4), as_bytes("y")); break;
          }
        });
        // The application answers as ours do.
        for (const MuxEvent& e : side->events()) {
          if (e.kind == Kind::kOpen) {
            bool gone = false;
            for (const MuxEvent& f : side->seen) gone |= f.kind == Kind::kReset && f.stream == e.stream;
            if (!gone && random.below(2)) side->mux.accept(e.stream);
          }
          if (e.kind == Kind::kReset) side->mux.forget(e.stream);
          if (e.kind == Kind::kReadable) side->read(e.stream);
        }
        if (side == &wild.client && random.below(5) == 0) side->mux.open(tcp(), {}, 0, {});
        side->mux.settle();
        side->record(wild.now);
        if (random.below(2)) side->acknowledge_all();
      }
      ASSERT_LE(side->mux.streams(), 100u);
    }
    wild.client.mux.lose_all();
    wild.gateway.mux.lose_all();
    wild.client.seen.clear();
    wild.gateway.seen.clear();
    std::vector<MuxEvent> drained;
    wild.client.mux.take_events(drained);
    drained.clear();
    wild.gateway.mux.take_events(drained);
    drained.clear();
    EXPECT_EQ(wild.pool.in_use(), 0u) << seed;
  }
}

}  // namespace
}  // namespace causeway::mux

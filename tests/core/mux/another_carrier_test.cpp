// What was lost with a carrier is sent again on the next, and nothing that arrives twice does harm.
#include "core/base/random.h"
#include "tests/core/mux/pair.h"

namespace causeway::mux {
namespace {

using Kind = MuxEvent::Kind;

TEST(AnotherCarrier, BringsWhatTheFirstHadLost) {
  Pair pair;
  StreamId id = pair.connected();
  pair.client.write(id, "abc");
  Slice lost = pair.client.record(pair.now);
  pair.client.write(id, "def");
  pair.client.mux.finish(id);
  Slice lost_too = pair.client.record(pair.now);
  pair.client.lose_all_records();
  pair.run();
  EXPECT_EQ(pair.gateway.read(id), "abcdef");
  EXPECT_TRUE(pair.gateway.mux.read_done(id));
}

TEST(AnotherCarrier, RepeatsWhatHadArrivedWithoutHarm) {
  Pair pair;
  ListenId listen = pair.client.mux.listen(as_bytes("orders"));
  StreamId id = pair.client.mux.open(tcp(), {}, 0, {});
  pair.run(false);
  pair.gateway.mux.accept(id);
  pair.gateway.mux.listening(listen, as_bytes("terms"));
  pair.run(false);
  pair.client.write(id, "once");
  pair.gateway.write(id, "only");
  pair.client.mux.finish(id);
  pair.gateway.mux.finish(id);
  pair.run(false);
  for (int i = 0; i < 3; ++i) {
    pair.client.lose_all_records();
    pair.gateway.lose_all_records();
    pair.run(false);
  }
  EXPECT_EQ(pair.gateway.read(id), "once");
  EXPECT_EQ(pair.client.read(id), "only");
  pair.client.mux.unlisten(listen, Reason::kNone, {});
  pair.run(false);
  pair.client.lose_all_records();
  pair.gateway.lose_all_records();
  pair.run();
  EXPECT_EQ(pair.gateway.count(Kind::kOpen), 1u);
  EXPECT_EQ(pair.client.count(Kind::kOpened), 1u);
  EXPECT_EQ(pair.gateway.count(Kind::kListen), 1u);
  EXPECT_EQ(pair.client.count(Kind::kListening), 1u);
  EXPECT_EQ(pair.gateway.count(Kind::kUnlisten), 1u);
  EXPECT_EQ(pair.client.count(Kind::kClosed), 1u);
  EXPECT_EQ(pair.gateway.count(Kind::kClosed), 1u);
  EXPECT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u);
}

TEST(AnotherCarrier, RepeatsRefusalsAndResetsUntilTheyAreAcknowledged) {
  Pair pair;
  StreamId refused = pair.client.mux.open(tcp(), {}, 0, {});
  StreamId reset = pair.connected();
  pair.gateway.mux.refuse(refused, Reason::kTimedOut);
  pair.client.mux.reset(reset, Reason::kConnectionReset);
  Slice lost = pair.client.record(pair.now), lost_too = pair.gateway.record(pair.now);
  pair.client.lose_all_records();
  pair.gateway.lose_all_records();
  pair.run();
  EXPECT_EQ(pair.client.count(Kind::kRefused, refused), 1u);
  EXPECT_EQ(pair.gateway.count(Kind::kReset, reset), 1u);
  pair.gateway.mux.forget(reset);
  pair.run();
  EXPECT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u);
}

TEST(AnotherCarrier, KeepsTheOrderOfOpensWhenTheSecondDiesToo) {
  Pair pair;
  // So many first bytes that one record does not hold them all.
  std::vector<StreamId> ids;
  for (int i = 0; i < 40; ++i) ids.push_back(pair.client.mux.open(tcp(), {}, 0, pair.pool.copy(as_bytes(std::string(1800, 'f')))));
  for (Slice lost = pair.client.record(pair.now); lost.size > 0;) lost = pair.client.record(pair.now);
  pair.client.lose_all_records();
  Slice half = pair.client.record(pair.now);  // a part is sent on the second carrier, and lost again
  pair.client.mux.open(tcp(), {}, 0, {});
  pair.client.lose_all_records();
  pair.run();
  EXPECT_EQ(pair.gateway.count(Kind::kOpen), 41u);
  pair.client.mux.lose_all();
  pair.gateway.mux.lose_all();
}

TEST(AnotherCarrier, LosesNoByteInAnyOrderOfDeaths) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    Mux::Settings s = settings(3000 + random.below(40000), 100000 + random.below(400000), 64);
    s.max_link_window = s.own.link_credit;
    Pair pair(s);
    std::map<StreamId, std::string> sent, got;
    std::vector<StreamId> ids;
    for (int turn = 0; turn < 400; ++turn) {
      if (ids.size() < 20 && random.below(4) == 0) {
        StreamId id = pair.client.mux.open(tcp(), {}, 0, {});
        if (id) ids.push_back(id);
      }
      for (const MuxEvent& e : pair.client.events()) {
        if (e.kind == Kind::kOpened) sent[e.stream];
      }
      if (!sent.empty()) {
        auto it = std::next(sent.begin(), std::ptrdiff_t(random.below(sent.size())));
        if (pair.client.mux.unsent(it->first) < 50000) {
          std::string text(random.below(6000), 0);
          random.fill({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
          pair.client.write(it->first, text);
          it->second += text;
        }
      }
      // A record may arrive or be lost on its way, but once one is lost the carrier brings nothing any more.
      bool up = true, down = true;
      for (std::uint64_t i = random.below(6); i > 0; --i) {
        if (random.below(8) == 0) up = false;
        if (random.below(8) == 0) down = false;
        Slice a = pair.client.record(pair.now), b = pair.gateway.record(pair.now);
        if (up) {
          ASSERT_TRUE(pair.gateway.take(a, pair.now)) << seed << ' ' << pair.gateway.mux.violation();
        }
        if (down) {
          ASSERT_TRUE(pair.client.take(b, pair.now)) << seed << ' ' << pair.client.mux.violation();
        }
      }
      for (const MuxEvent& e : pair.gateway.events()) {
        if (e.kind == Kind::kOpen) pair.gateway.mux.accept(e.stream);
      }
      for (StreamId id : ids) got[id] += pair.gateway.read(id);
      if (!up || !down) {
        pair.client.lose_all_records();
        pair.gateway.lose_all_records();
      } else if (random.below(2)) {
        pair.client.acknowledge_all();
        pair.gateway.acknowledge_all();
      }
      pair.gateway.mux.settle();
    }
    pair.client.lose_all_records();
    pair.gateway.lose_all_records();
    for (int i = 0; i < 200; ++i) {
      pair.run();
      for (const MuxEvent& e : pair.gateway.events()) {
        if (e.kind == Kind::kOpen) pair.gateway.mux.accept(e.stream);
      }
      for (StreamId id : ids) got[id] += pair.gateway.read(id);
    }
    for (auto& [id, text] : sent) ASSERT_TRUE(got[id] == text) << "seed " << seed << " stream " << id;
    for (StreamId id : ids) {
      pair.client.mux.reset(id, Reason::kNone);
      pair.run();
      pair.gateway.mux.forget(id);
    }
    pair.run();
    EXPECT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u);
    EXPECT_EQ(pair.pool.in_use(), 0u) << seed;
  }
}

}  // namespace
}  // namespace causeway::mux

// Datagram flows: whole or not at all, within bounds of bytes and age.
#include "core/base/random.h"
#include "tests/core/mux/pair.h"

namespace causeway::mux {
namespace {

using Kind = MuxEvent::Kind;

std::string pattern(std::size_t n, std::uint64_t seed) {
  std::string out(n, 0);
  SeededRandom(seed).fill({reinterpret_cast<std::uint8_t*>(out.data()), n});
  return out;
}

class Datagrams : public testing::Test {
 protected:
  StreamId flow() {
    StreamId id = pair.client.mux.open(udp(), {}, 0, {});
    pair.run();
    pair.gateway.mux.accept(id);
    pair.run();
    return id;
  }
  void send(StreamId id, std::string_view text) {
    pair.client.mux.send_datagram(id, pair.pool.copy(as_bytes(text)), pair.now);
  }
  std::vector<std::string> arrived() {
    std::vector<std::string> out;
    for (const MuxEvent& e : pair.gateway.events()) {
      if (e.kind == Kind::kDatagram) out.emplace_back(as_text(e.data.bytes()));
    }
    pair.gateway.seen.clear();
    return out;
  }
  const Mux::Counters& sender() { return pair.client.mux.counters(); }
  const Mux::Counters& receiver() { return pair.gateway.mux.counters(); }

  Pair pair;
};

TEST_F(Datagrams, OfEverySizeArriveWhole) {
  StreamId id = flow();
  for (std::size_t n : {0u, 1u, 2u, 511u, 1472u, 16000u, 16300u, 16358u, 16384u, 20000u, 32768u, 65507u, 65535u}) {
    send(id, pattern(n, n));
    pair.run();
    auto got = arrived();
    ASSERT_EQ(got.size(), 1u) << n;
    EXPECT_TRUE(got[0] == pattern(n, n)) << n;
  }
  EXPECT_EQ(receiver().datagrams_broken, 0u);
}

TEST_F(Datagrams, KeepTheirOrderAndTheirBordersInABurst) {
  StreamId id = flow();
  std::vector<std::string> sent;
  for (int i = 0; i < 100; ++i) sent.push_back(pattern(std::size_t(i * 37 % 4000), std::uint64_t(i)));
  for (const std::string& d : sent) send(id, d);
  pair.run();
  EXPECT_EQ(arrived(), sent);
}

TEST_F(Datagrams, TravelBeforeTheFlowIsAcceptedTheFirstOnTheOpen) {
  StreamId id = pair.client.mux.open(udp(), {}, 0, pair.pool.copy(as_bytes("first")));
  send(id, "second");
  pair.run();
  const MuxEvent open = pair.gateway.last(Kind::kOpen);
  EXPECT_EQ(as_text(open.data.bytes()), "first");
  EXPECT_EQ(as_text(pair.gateway.last(Kind::kDatagram).data.bytes()), "second");
  pair.gateway.mux.accept(id);
  pair.gateway.mux.send_datagram(id, pair.pool.copy(as_bytes("reply")), pair.now);
  pair.run();
  EXPECT_EQ(as_text(pair.client.last(Kind::kDatagram).data.bytes()), "reply");
}

TEST_F(Datagrams, ThatWaitedTooLongAreDroppedAndCounted) {
  StreamId id = flow();
  send(id, "old");
  pair.now += std::chrono::milliseconds(1500);
  send(id, "new");
  pair.run();
  EXPECT_EQ(arrived(), std::vector<std::string>{"new"});
  EXPECT_EQ(sender().datagrams_dropped, 1u);
}

TEST_F(Datagrams, BeyondTheQueuesBoundsAreDroppedAndCounted) {
  StreamId id = flow();
  for (int i = 0; i < 100; ++i) send(id, pattern(16000, 1));
  EXPECT_GT(sender().datagrams_dropped, 50u);
  std::uint64_t kept = 100 - sender().datagrams_dropped;
  pair.run();
  EXPECT_EQ(arrived().size(), kept);
  StreamId empty = flow();
  for (int i = 0; i < 100000; ++i) send(empty, "");
  EXPECT_LT(pair.pool.in_use(), 2u * 1024 * 1024) << "empty datagrams are not free";
  pair.run();
}

TEST_F(Datagrams, OfOneFlowDoNotCrowdOutThoseOfAnother) {
  StreamId loud = flow(), quiet = flow();
  for (int i = 0; i < 10000; ++i) send(loud, pattern(16000, 1));
  send(quiet, "still here");
  pair.move(pair.client, pair.gateway);
  pair.move(pair.client, pair.gateway);
  auto got = arrived();
  EXPECT_NE(std::find(got.begin(), got.end(), "still here"), got.end());
  pair.run();
}

TEST_F(Datagrams, EndWithTheirFlow) {
  StreamId id = flow();
  send(id, "never sent");
  pair.client.mux.reset(id, Reason::kNone);
  pair.run();
  EXPECT_TRUE(pair.gateway.count(Kind::kReset, id) == 1);
  pair.gateway.mux.forget(id);
  pair.run();
  EXPECT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u);
  pair.gateway.seen.clear();
  EXPECT_EQ(pair.pool.in_use(), 0u);
}

TEST_F(Datagrams, WithAPartMissingAreCountedAsBrokenAndTheNextIsWhole) {
  StreamId id = flow();
  send(id, pattern(40000, 1));
  Slice lost = pair.client.record(pair.now);
  pair.run();
  EXPECT_TRUE(arrived().empty());
  EXPECT_GE(receiver().datagrams_broken, 1u);
  send(id, pattern(40000, 2));
  pair.run();
  EXPECT_EQ(arrived(), std::vector<std::string>{pattern(40000, 2)});
}

TEST_F(Datagrams, ThatArePutTogetherHaveABudget) {
  std::vector<StreamId> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(flow());
  Slice record{pair.pool.take(kRecord), nullptr, 0};
  for (StreamId id : ids) {
    WireWriter writer(record.owner.bytes());
    link::write_datagram(writer, id, 0, 0, false, 100);
    record.data = record.owner.data();
    record.size = writer.size();
    ASSERT_TRUE(pair.gateway.take(record, pair.now));
  }
  EXPECT_LE(pair.pool.in_use(), settings().assembly + kRecord * 2);
  EXPECT_GT(receiver().datagrams_broken, 0u);
  pair.gateway.mux.lose_all();
  pair.client.mux.lose_all();
}

TEST_F(Datagrams, MixedWithBulkDoNotStarveOrAreStarved) {
  StreamId bulk = pair.connected(), id = flow();
  pair.client.write(bulk, std::string(150000, 'b'));
  for (int i = 0; i < 10; ++i) send(id, pattern(10000, 3));
  std::size_t bytes = 0, datagrams = 0;
  for (int i = 0; i < 8; ++i) {
    pair.move(pair.client, pair.gateway);
    bytes += pair.gateway.read(bulk).size();
    datagrams += arrived().size();
  }
  EXPECT_GT(bytes, 40000u);
  EXPECT_GT(datagrams, 3u);
  pair.run();
  pair.gateway.mux.lose_all();
  pair.client.mux.lose_all();
}

}  // namespace
}  // namespace causeway::mux

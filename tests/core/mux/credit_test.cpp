// Credit: never exceeded, always renewed, never drained by those who do not read.
#include "core/base/random.h"
#include "tests/core/mux/pair.h"

namespace causeway::mux {
namespace {

using Kind = MuxEvent::Kind;

// Watches what one side sends, frame by frame, against the limits that it was told.
class Accountant {
 public:
  explicit Accountant(const Mux::Settings& s) : stream_initial_(s.peer.stream_credit), link_limit_(s.peer.link_credit) {}

  void sent(const Slice& record) {
    each_frame(record, [&](const link::Frame& f) {
      if (f.type != link::FrameType::kData) return;
      Entry& e = entry(f.id);
      std::uint64_t end = f.value + f.bytes.size();
      EXPECT_LE(end, e.limit) << "stream " << f.id;
      if (end > e.highest) link_sent_ += end - e.highest;
      e.highest = std::max(e.highest, end);
      EXPECT_LE(link_sent_, link_limit_);
    });
  }
  void told(const Slice& record) {
    each_frame(record, [&](const link::Frame& f) {
      if (f.type != link::FrameType::kCredit) return;
      std::uint64_t& limit = f.id == 0 ? link_limit_ : entry(f.id).limit;
      EXPECT_GE(f.value, limit) << "a limit never goes down";
      limit = f.value;
    });
  }

 private:
  struct Entry {
    std::uint64_t limit, highest;
  };
  Entry& entry(StreamId id) { return streams_.try_emplace(id, Entry{stream_initial_, 0}).first->second; }

  template <class F>
  static void each_frame(const Slice& record, F&& f) {
    WireReader reader(record.bytes());
    link::Frame frame;
    while (link::read_frame(reader, frame) == link::ReadFrame::kFrame) f(frame);
  }

  std::uint64_t stream_initial_, link_limit_, link_sent_ = 0;
  std::map<StreamId, Entry> streams_;
};

TEST(Credit, IsNeverExceededWhateverTheReadersDo) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    Mux::Settings s = settings(2000 + random.below(60000), 30000 + random.below(400000));
    s.max_stream_window = 100000 + random.below(1000000);
    s.max_link_window = s.own.link_credit * (1 + random.below(3));
    Pair pair(s);
    Accountant accountant(s);
    std::vector<StreamId> streams;
    for (int i = 0; i < 8; ++i) streams.push_back(pair.connected());
    std::map<StreamId, std::uint64_t> written, got;
    for (int turn = 0; turn < 3000; ++turn) {
      pair.now += std::chrono::milliseconds(random.below(30));
      pair.gateway.mux.set_round_trip(std::chrono::milliseconds(20));
      StreamId id = streams[random.below(streams.size())];
      if (pair.client.mux.unsent(id) < 200000) {
        std::size_t n = random.below(40000);
        written[id] += n;
        pair.client.write(id, std::string(n, 'x'));
      }
      Slice record = pair.client.record(pair.now);
      accountant.sent(record);
      ASSERT_TRUE(pair.gateway.take(record, pair.now)) << "seed " << seed << ": " << pair.gateway.mux.violation();
      pair.client.acknowledge_all();
      // Odd streams of the list are read lazily, the first never before the end.
      StreamId reader = streams[1 + random.below(streams.size() - 1)];
      if (pair.gateway.mux.has_readable(reader)) {
        std::size_t n = 1 + random.below(pair.gateway.mux.readable(reader).size);
        pair.gateway.mux.consume(reader, n);
        got[reader] += n;
      }
      pair.gateway.mux.settle();
      Slice back = pair.gateway.record(pair.now);
      accountant.told(back);
      ASSERT_TRUE(pair.client.take(back, pair.now));
      pair.gateway.acknowledge_all();
    }
    for (bool any = true; any;) {
      any = false;
      for (StreamId id : streams) {
        std::size_t n = pair.gateway.read(id).size();
        got[id] += n;
        any |= n > 0;
      }
      pair.run();
      for (StreamId id : streams) any |= pair.gateway.mux.has_readable(id);
    }
    for (StreamId id : streams) EXPECT_EQ(got[id], written[id]) << "seed " << seed << " stream " << id;
  }
}

// Opens `stalled` streams that write all they may and are never read, then sees whether another one still moves 8 MB.
void expect_progress_beside(int stalled, const Mux::Settings& s, std::size_t read_first) {
  Pair pair(s);
  pair.gateway.mux.set_round_trip(std::chrono::milliseconds(20));  // time stands still: windows grow as far as they may
  for (int i = 0; i < stalled; ++i) {
    StreamId id = pair.connected();
    std::size_t left = read_first;
    pair.client.write(id, std::string(200000, 's'));
    for (int round = 0; round < 400; ++round) {
      if (pair.client.mux.unsent(id) < 100000) pair.client.write(id, std::string(200000, 's'));
      pair.run();
      std::size_t before = left;
      while (left > 0 && pair.gateway.mux.has_readable(id)) {
        std::size_t n = std::min(left, pair.gateway.mux.readable(id).size);
        pair.gateway.mux.consume(id, n);
        left -= n;
      }
      if (left == before && pair.client.mux.unsent(id) >= 100000) break;
    }
  }
  StreamId live = pair.connected();
  std::uint64_t got = 0;
  for (int i = 0; i < 40; ++i) {
    pair.client.write(live, std::string(200000, 'l'));
    std::uint64_t at_start = got;
    for (int round = 0; round < 2000 && got - at_start < 200000; ++round) {
      pair.run();
      std::size_t n = pair.gateway.read(live).size();
      got += n;
      pair.gateway.mux.settle();
    }
    ASSERT_EQ(got - at_start, 200000u) << stalled << " stalled streams starve another, after " << got << " bytes";
  }
  pair.client.mux.lose_all();
  pair.gateway.mux.lose_all();
}

TEST(Credit, StalledReadersDoNotStopAnotherStream) {
  Mux::Settings small = settings(64 * 1024, 4 * 1024 * 1024);
  small.max_link_window = 4 * 1024 * 1024;
  expect_progress_beside(1, small, 0);
  expect_progress_beside(33, small, 0);    // half of the link's credit
  expect_progress_beside(63, small, 0);
  expect_progress_beside(100, small, 0);
  expect_progress_beside(1000, small, 0);
  expect_progress_beside(400, settings(), 0);
}

TEST(Credit, ReadersThatStallAfterAGoodStartDoNotStopAnotherStream) {
  Mux::Settings small = settings(64 * 1024, 4 * 1024 * 1024);
  small.max_link_window = 4 * 1024 * 1024;
  expect_progress_beside(8, small, 3 * 1000 * 1000);
  expect_progress_beside(20, small, 500 * 1000);
  expect_progress_beside(200, small, 100 * 1000);
  expect_progress_beside(10, settings(), 20 * 1000 * 1000);
}

TEST(Credit, ASlowReaderNeverMakesTheWindowGrowAndAFastOneDoes) {
  Credit slow(1000, 64000);
  Credit fast(1000, 64000);
  Instant now{std::chrono::seconds(1)};
  std::uint64_t consumed = 0;
  for (int i = 0; i < 100; ++i) {
    consumed += 500;
    now += std::chrono::milliseconds(100);
    slow.consumed(consumed, kMaxVarint, kMaxVarint, std::chrono::milliseconds(10), now);
    EXPECT_LE(slow.limit() - consumed, 1000u);
  }
  consumed = 0;
  for (int i = 0; i < 500; ++i) {
    consumed += 500;
    now += std::chrono::milliseconds(1);
    fast.consumed(consumed, kMaxVarint, kMaxVarint, std::chrono::milliseconds(10), now);
  }
  EXPECT_GT(fast.limit() - consumed, 16000u);
  EXPECT_LE(fast.limit() - consumed, 64000u);
}

TEST(Credit, IsTheSameAfterAnyNumberOfResets) {
  // Each round resets in the middle of traffic: were a byte forgotten each time, the link would come to a stop.
  Mux::Settings s = settings(20000, 64 * 1024);
  s.max_link_window = 64 * 1024;
  Pair pair(s);
  SeededRandom random(7);
  for (int round = 0; round < 2000; ++round) {
    StreamId id = pair.connected();
    bool by_client = random.below(2) == 0;
    auto& from = by_client ? pair.client : pair.gateway;
    auto& to = by_client ? pair.gateway : pair.client;
    from.write(id, std::string(random.below(30000), 'f'));
    to.write(id, std::string(random.below(30000), 't'));
    if (random.below(2)) pair.move(from, to);
    if (random.below(2)) pair.move(to, from);
    if (random.below(3) == 0) to.read(id);
    if (random.below(3) == 0) from.mux.finish(id);
    from.mux.reset(id, Reason::kConnectionReset);
    if (random.below(4) == 0) to.mux.reset(id, Reason::kConnectionReset);
    pair.run();
    if (to.count(Kind::kReset, id) > 0) to.mux.forget(id);
    pair.run();
    to.seen.clear();
    from.seen.clear();
    ASSERT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u) << "round " << round;
  }
  StreamId id = pair.connected();
  for (auto* side : {&pair.client, &pair.gateway}) {
    auto& other = side == &pair.client ? pair.gateway : pair.client;
    std::size_t got = 0;
    side->write(id, std::string(200000, 'z'));
    for (int i = 0; i < 200; ++i) {
      pair.run();
      got += other.read(id).size();
    }
    EXPECT_EQ(got, 200000u);
  }
}

TEST(Credit, ManyBulkStreamsGetTheSame) {
  Pair pair;
  std::vector<StreamId> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(pair.connected());
  for (StreamId id : ids) pair.client.write(id, std::string(180000, 'x'));
  std::map<StreamId, std::size_t> got;
  for (int i = 0; i < 50; ++i) {
    pair.move(pair.client, pair.gateway);
    for (StreamId id : ids) got[id] += pair.gateway.read(id).size();
  }
  for (StreamId id : ids) EXPECT_NEAR(double(got[id]), 50 * double(kRecord) / 10, double(kRecord)) << "a record as new ones, four as old ones: stream " << id;
}

TEST(Credit, AShortMessageDoesNotWaitBehindBulk) {
  Pair pair;
  StreamId bulk = pair.connected(), quick = pair.connected();
  pair.client.write(bulk, std::string(200000, 'x'));
  pair.move(pair.client, pair.gateway);
  pair.client.write(quick, "key press");
  pair.move(pair.client, pair.gateway);
  EXPECT_EQ(pair.gateway.read(quick), "key press");
}

TEST(Credit, ControlFramesGoBeforeBulkAndEvenWhileBulkIsHeldBack) {
  Pair pair;
  StreamId bulk = pair.connected();
  pair.client.write(bulk, std::string(100000, 'x'));
  StreamId fresh = pair.client.mux.open(tcp(), {}, 0, {});
  Slice record = pair.client.record(pair.now, 0);
  ASSERT_TRUE(pair.gateway.take(record, pair.now));
  EXPECT_EQ(pair.gateway.count(Kind::kOpen, fresh), 1u);
  EXPECT_FALSE(pair.gateway.mux.has_readable(bulk));
}

}  // namespace
}  // namespace causeway::mux

// The pieces that a stream is made of, against simple models of themselves.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "core/base/random.h"
#include "core/mux/range_set.h"
#include "core/mux/receive_buffer.h"
#include "core/mux/scheduler.h"
#include "core/mux/send_buffer.h"

namespace causeway::mux {
namespace {

std::string noise(std::size_t n, std::uint64_t seed) {
  std::string out(n, 0);
  SeededRandom(seed).fill({reinterpret_cast<std::uint8_t*>(out.data()), n});
  return out;
}

TEST(RangeSet, BehavesAsASetOfNumbers) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRandom random(seed);
    RangeSet set;
    std::set<std::uint64_t> model;
    for (int i = 0; i < 400; ++i) {
      std::uint64_t begin = random.below(100), end = begin + random.below(20);
      bool add = random.below(2);
      add ? set.add({begin, end}) : set.remove({begin, end});
      for (std::uint64_t n = begin; n < end; ++n) add ? (void)model.insert(n) : (void)model.erase(n);
      std::size_t ranges = 0;
      for (std::uint64_t n : model) ranges += !model.count(n - 1);
      ASSERT_EQ(set.count(), ranges) << "seed " << seed << " step " << i;
      ASSERT_EQ(set.empty(), model.empty());
      if (model.empty()) continue;
      ASSERT_EQ(set.first().begin, *model.begin());
      ASSERT_FALSE(model.count(set.first().end));
    }
  }
}

class Receiving : public testing::Test {
 protected:
  bool insert(std::uint64_t at, std::string_view text) { return buffer.insert(at, pool.copy(as_bytes(text))); }
  std::string read() {
    std::string out;
    while (buffer.has_ready()) {
      out += as_text(buffer.front().bytes());
      buffer.consume(buffer.front().size);
    }
    return out;
  }
  BufferPool pool;
  ReceiveBuffer buffer;
};

TEST_F(Receiving, PutsPiecesInOrderWhateverTheyOverlap) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SeededRandom random(seed);
    buffer = ReceiveBuffer();
    std::string whole = noise(3000, seed), got;
    for (int i = 0; i < 4000 && got.size() < whole.size(); ++i) {
      std::size_t at = random.below(whole.size()), n = 1 + random.below(200);
      if (i % 8 == 0) at = got.size();  // progress
      ASSERT_TRUE(insert(at, std::string_view(whole).substr(at, n)));
      if (random.below(3) == 0) buffer.compact(pool);
      if (random.below(2) == 0 && buffer.has_ready()) {
        std::size_t take = 1 + random.below(buffer.front().size);
        got += as_text(buffer.front().bytes().first(take));
        buffer.consume(take);
      }
    }
    got += read();
    ASSERT_TRUE(got == whole.substr(0, got.size())) << seed;
    ASSERT_GT(got.size(), 1000u);
    buffer.clear();
    ASSERT_EQ(pool.in_use(), 0u);
  }
}

TEST_F(Receiving, IsDoneOnceAllUpToTheFinalSizeWasConsumed) {
  EXPECT_TRUE(insert(0, "abc"));
  EXPECT_TRUE(buffer.finish(5));
  EXPECT_FALSE(buffer.done());
  EXPECT_TRUE(insert(3, "de"));
  EXPECT_EQ(read(), "abcde");
  EXPECT_TRUE(buffer.done());
  EXPECT_FALSE(insert(5, "f")) << "beyond the end";
  EXPECT_TRUE(insert(1, "bc")) << "a repeat";
}

TEST_F(Receiving, AnEmptyStreamIsDoneWithItsFin) {
  EXPECT_TRUE(buffer.finish(0));
  EXPECT_TRUE(buffer.done());
}

TEST_F(Receiving, ASmallPieceDoesNotHoldALargeBlockBeyondATurn) {
  Slice record{pool.take(BufferPool::kLargest), nullptr, 600};
  record.data = record.owner.data();
  buffer.insert(0, std::move(record));
  buffer.compact(pool);
  EXPECT_LE(pool.in_use(), 2048u);
  buffer.clear();
}

TEST(Sending, CopiesOutEveryByteHoweverItWasWrittenLostAndAcknowledged) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SeededRandom random(seed);
    BufferPool pool;
    SendBuffer buffer;
    std::string whole, arrived;
    std::vector<Range> on_the_way;
    auto send = [&](std::uint64_t most) {
      Range chunk = buffer.chunk(most, most);
      if (chunk.size() == 0) return false;
      std::string out(chunk.size(), 0);
      buffer.send(chunk, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
      EXPECT_TRUE(out == whole.substr(chunk.begin, chunk.size())) << "seed " << seed;
      on_the_way.push_back(chunk);
      return true;
    };
    for (int i = 0; i < 600; ++i) {
      if (random.below(2)) {
        std::string text = noise(random.below(4) ? random.below(100) : random.below(6000), random.next());
        buffer.append(pool.copy(as_bytes(text)), pool);
        whole += text;
      }
      send(1 + random.below(3000));
      if (!on_the_way.empty() && random.below(2)) {
        std::size_t which = random.below(on_the_way.size());
        Range r = on_the_way[which];
        on_the_way.erase(on_the_way.begin() + std::ptrdiff_t(which));
        random.below(4) ? buffer.acknowledged(r) : buffer.lost(r);
      }
    }
    for (const Range& r : on_the_way) random.below(2) ? buffer.acknowledged(r) : buffer.lost(r);
    on_the_way.clear();
    while (send(5000)) {
    }
    for (const Range& r : on_the_way) buffer.acknowledged(r);
    EXPECT_EQ(buffer.unacknowledged(), 0u) << "seed " << seed;
    EXPECT_EQ(pool.in_use(), 0u) << "seed " << seed;
  }
}

TEST(Sending, SmallWritesShareABlockAndLargeOnesAreNotCopied) {
  BufferPool pool;
  SendBuffer buffer;
  for (int i = 0; i < 1000; ++i) buffer.append(pool.copy(as_bytes("x")), pool);
  EXPECT_LE(pool.in_use(), 4096u);
  Slice large = pool.copy(as_bytes(std::string(2000, 'y')));
  std::uint64_t copied = copied_bytes;
  buffer.append(std::move(large), pool);
  EXPECT_EQ(copied_bytes, copied);
  buffer.clear();
}

TEST(Sending, AnAcknowledgementThatComesTwiceIsNothing) {
  BufferPool pool;
  SendBuffer buffer;
  std::string out(2000, 0);
  for (int i = 0; i < 2; ++i) buffer.append(pool.copy(as_bytes(std::string(1000, 'x'))), pool);
  buffer.send({0, 2000}, {reinterpret_cast<std::uint8_t*>(out.data()), 2000});
  buffer.acknowledged({0, 1000});
  buffer.acknowledged({0, 500});
  buffer.lost({0, 1000});
  EXPECT_FALSE(buffer.has_lost());
  buffer.acknowledged({1000, 2000});
  EXPECT_EQ(buffer.unacknowledged(), 0u);
  EXPECT_EQ(pool.in_use(), 0u);
}

// Streams as the mux keeps them, each with an amount that it still has to send.
struct Runner {
  std::map<std::uint64_t, Scheduler::Entry> entries;
  std::map<std::uint64_t, std::int64_t> left, sent;
  Scheduler scheduler;

  void add(std::uint64_t id, std::int64_t bytes) {
    left[id] += bytes;
    scheduler.add(id, entries[id]);
  }
  // One piece of at most `n` bytes; who sent it, or 0.
  std::uint64_t step(std::int64_t n) {
    while (!scheduler.empty()) {
      const auto [id, mark] = scheduler.head();
      Scheduler::Entry& entry = entries[id];
      if (mark) {
        scheduler.pass(entry);
        continue;
      }
      if (entry.deficit <= 0) {
        scheduler.rotate(entry);
        continue;
      }
      std::int64_t piece = std::min(n, left[id]);
      left[id] -= piece;
      sent[id] += piece;
      entry.deficit -= piece;
      if (left[id] == 0) scheduler.done(entry);
      if (piece > 0) return id;
    }
    return 0;
  }
};

TEST(Scheduler, GivesBulkStreamsEqualShares) {
  Runner run;
  for (std::uint64_t id = 1; id <= 5; ++id) run.add(id, 10'000'000);
  for (int i = 0; i < 1000; ++i) run.step(16000);
  for (std::uint64_t id = 1; id <= 5; ++id) EXPECT_NEAR(double(run.sent[id]), 3'200'000.0, 80'000.0) << "a quantum, a piece";
}

TEST(Scheduler, ServesAStreamWithLittleToSendNext) {
  Runner run;
  for (std::uint64_t id = 1; id <= 20; ++id) run.add(id, 10'000'000);
  for (int i = 0; i < 100; ++i) run.step(16384);
  run.add(99, 100);
  EXPECT_EQ(run.step(16384), 99u);
}

TEST(Scheduler, ManyShortOnesDoNotStarveALongOne) {
  Runner run;
  run.add(1, 10'000'000);
  for (int i = 0; i < 3; ++i) run.step(16384);
  for (int i = 0; i < 3000; ++i) {
    // Always three that ask again as soon as they were served.
    for (std::uint64_t id = 2; id <= 4; ++id) {
      if (run.left[id] == 0) run.add(id, 1000);
    }
    run.step(16384);
  }
  EXPECT_GT(run.sent[1], run.sent[2] + run.sent[3] + run.sent[4]);
}

TEST(Scheduler, AShortOneIsServedNextEachTimeInARoundOfTheLongOnes) {
  Runner run;
  for (std::uint64_t id = 1; id <= 20; ++id) run.add(id, 10'000'000);
  for (int i = 0; i < 100; ++i) run.step(16384);
  for (int i = 0; i < 50; ++i) {
    run.add(99, 300);
    EXPECT_EQ(run.step(16384), 99u) << i;
    run.step(16384);
  }
}

TEST(Scheduler, WhoComesBackForMoreThanAFirstQuantumWaitsWithTheLongOnes) {
  Runner run;
  for (std::uint64_t id = 1; id <= 20; ++id) run.add(id, 10'000'000);
  for (int i = 0; i < 100; ++i) run.step(16384);
  run.add(99, 16384);
  EXPECT_EQ(run.step(16384), 99u);
  run.add(99, 16384);
  EXPECT_NE(run.step(16384), 99u);
}

TEST(Scheduler, ForgetsAStreamThatIsGone) {
  Runner run;
  run.add(1, 100);
  run.add(2, 100);
  EXPECT_EQ(run.scheduler.head().id, 1u);
  run.scheduler.forget();
  EXPECT_EQ(run.step(1000), 2u);
  EXPECT_EQ(run.step(1000), 0u);
  EXPECT_TRUE(run.scheduler.empty());
}

}  // namespace
}  // namespace causeway::mux

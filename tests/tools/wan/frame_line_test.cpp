#include "tools/wan/frame_line.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <vector>

#include "core/base/random.h"

namespace causeway::wan {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1000s};

std::vector<std::uint8_t> bytes(std::size_t size, std::uint8_t value) { return std::vector<std::uint8_t>(size, value); }

TEST(FrameLine, GivesFramesWhenTheyAreDueAndNotBefore) {
  FrameLine line(4096);
  EXPECT_EQ(line.due(), kNever);
  ASSERT_TRUE(line.push(kStart, bytes(10, 1)));
  ASSERT_TRUE(line.push(kStart + 1ms, bytes(20, 2)));
  std::array<Bytes, 8> out;
  EXPECT_EQ(line.due(), kStart);
  EXPECT_EQ(line.ready(kStart - 1ns, out), 0u);
  ASSERT_EQ(line.ready(kStart, out), 1u);
  EXPECT_EQ(out[0].size(), 10u);
  line.pop(1);
  EXPECT_EQ(line.due(), kStart + 1ms);
  ASSERT_EQ(line.ready(kStart + 1ms, out), 1u);
  EXPECT_EQ(out[0].size(), 20u);
  EXPECT_EQ(out[0][19], 2);
}

TEST(FrameLine, SaysWhenItIsFullAndKeepsWhatItHas) {
  FrameLine line(1024);
  int held = 0;
  while (line.push(kStart, bytes(100, std::uint8_t(held)))) ++held;
  EXPECT_EQ(held, 8);  // 128 bytes each, with what is kept of it
  std::array<Bytes, 16> out;
  ASSERT_EQ(line.ready(kStart, out), 8u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(out[i][0], i);
}

TEST(FrameLine, ClearingTellsHowManyThereWere) {
  FrameLine line(1024);
  ASSERT_TRUE(line.push(kStart, bytes(1, 1)));
  ASSERT_TRUE(line.push(kStart, bytes(1, 1)));
  EXPECT_EQ(line.clear(), 2u);
  EXPECT_EQ(line.due(), kNever);
  EXPECT_EQ(line.count(), 0u);
}

// Against a plain queue, over and over around the ring.
TEST(FrameLine, HoldsWhatAQueueHolds) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    FrameLine line(4096);
    std::deque<std::vector<std::uint8_t>> model;
    std::size_t refused = 0;
    for (int step = 0; step < 20000; ++step) {
      if (random.below(2) == 0) {
        auto frame = bytes(1 + random.below(random.below(4) == 0 ? 1500 : 90), std::uint8_t(step));
        if (line.push(kStart + Duration(step), frame)) {
          model.push_back(frame);
        } else {
          ++refused;
        }
      } else {
        std::array<Bytes, 4> out;
        const std::size_t found = line.ready(kStart + 1s, out);
        ASSERT_EQ(found, std::min(model.size(), out.size()));
        const std::size_t taken = found == 0 ? 0 : random.below(found + 1);
        for (std::size_t i = 0; i < found; ++i) {
          ASSERT_EQ(std::vector<std::uint8_t>(out[i].begin(), out[i].end()), model[i]);
        }
        line.pop(taken);
        model.erase(model.begin(), model.begin() + std::ptrdiff_t(taken));
      }
      ASSERT_EQ(line.count(), model.size());
    }
    EXPECT_GT(refused, 0u);
  }
}

}  // namespace
}  // namespace causeway::wan

#include "tools/wan/shaper.h"

#include <gtest/gtest.h>

#include <vector>

namespace causeway::wan {
namespace {

using namespace std::chrono_literals;
using Fate = Shaper::Fate;

constexpr Instant kStart{1000s};
constexpr std::uint64_t kFrame = 1250;  // 100 us at 100 Mbit/s
constexpr std::uint64_t kRate = 100'000'000;

Settings settings(Duration delay, Duration jitter = {}, double loss = 0, std::uint64_t rate = 0) {
  return {.delay = delay, .jitter = jitter, .loss = loss, .rate = rate};
}

TEST(Shaper, WithNothingAskedForEveryFrameIsDueAtOnce) {
  Shaper shaper({}, 1);
  for (int i = 0; i < 1000; ++i) {
    const auto verdict = shaper.admit(kStart + i * 1us, kFrame);
    EXPECT_EQ(verdict.fate, Fate::kPass);
    EXPECT_EQ(verdict.due, kStart + i * 1us);
  }
}

TEST(Shaper, ADelayIsExact) {
  Shaper shaper(settings(20ms), 1);
  EXPECT_EQ(shaper.admit(kStart, kFrame).due, kStart + 20ms);
  EXPECT_EQ(shaper.admit(kStart + 1us, kFrame).due, kStart + 20ms + 1us);
}

TEST(Shaper, JitterSpreadsEvenlyAroundTheDelay) {
  Shaper shaper(settings(20ms, 5ms), 7);
  Duration least = 1s, most{}, sum{};
  constexpr int kCount = 20000;
  for (int i = 0; i < kCount; ++i) {
    const Instant now = kStart + i * 1s;  // far apart: order does not move any
    const Duration took = shaper.admit(now, kFrame).due - now;
    least = std::min(least, took);
    most = std::max(most, took);
    sum += took;
  }
  EXPECT_GE(least, 15ms);
  EXPECT_LT(least, 15ms + 10us);
  EXPECT_LE(most, 25ms);
  EXPECT_GT(most, 25ms - 10us);
  EXPECT_NEAR(double((sum / kCount).count()), 20e6, 0.1e6);
}

TEST(Shaper, JitterKeepsTheOrder) {
  Shaper shaper(settings(20ms, 20ms), 3);
  Instant last{};
  for (int i = 0; i < 10000; ++i) {
    const Instant due = shaper.admit(kStart + i * 10us, kFrame).due;
    EXPECT_GE(due, last);
    last = due;
  }
}

TEST(Shaper, LossComesNearWhatIsAskedForAndNotInARow) {
  Shaper shaper(settings({}, {}, 0.01), 5);
  int lost = 0, pairs = 0;
  bool before = false;
  constexpr int kCount = 200000;
  for (int i = 0; i < kCount; ++i) {
    const bool now = shaper.admit(kStart, kFrame).fate == Fate::kLost;
    lost += now;
    pairs += now && before;
    before = now;
  }
  EXPECT_NEAR(double(lost) / kCount, 0.01, 0.001);
  EXPECT_LT(pairs, 50);  // 20 are expected of independent ones
}

TEST(Shaper, AllOrNothingIsLostAtTheEnds) {
  Shaper none(settings({}, {}, 0), 1), all(settings({}, {}, 1), 1);
  for (int i = 0; i < 10000; ++i) {
    EXPECT_EQ(none.admit(kStart, kFrame).fate, Fate::kPass);
    EXPECT_EQ(all.admit(kStart, kFrame).fate, Fate::kLost);
  }
}

TEST(Shaper, TheSameSeedGivesTheSameAndJitterDoesNotChangeWhoIsLost) {
  Shaper one(settings(9ms, 3ms, 0.1), 42), same(settings(9ms, 3ms, 0.1), 42), calm(settings(9ms, {}, 0.1), 42);
  Shaper other(settings(9ms, 3ms, 0.1), 43);
  int differ = 0;
  for (int i = 0; i < 5000; ++i) {
    const Instant now = kStart + i * 1ms;
    const auto verdict = one.admit(now, kFrame), again = same.admit(now, kFrame);
    EXPECT_EQ(verdict.fate, again.fate);
    EXPECT_EQ(verdict.due, again.due);
    EXPECT_EQ(verdict.fate, calm.admit(now, kFrame).fate);
    differ += verdict.fate != other.admit(now, kFrame).fate;
  }
  EXPECT_GT(differ, 0);
}

TEST(Shaper, FramesLeaveAtTheRateOneAfterAnother) {
  Shaper shaper(settings(20ms, {}, 0, kRate), 1);
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(shaper.admit(kStart, kFrame).due, kStart + 20ms + i * 100us);
  // After a pause the link is free again, and has saved nothing up.
  EXPECT_EQ(shaper.admit(kStart + 1s, kFrame).due, kStart + 1s + 20ms + 100us);
}

TEST(Shaper, TheQueueDropsWhatFindsItFullAndTakesAgainWhenItHasDrained) {
  Shaper shaper(settings(20ms, {}, 0, kRate), 1);
  const std::uint64_t fits = shaper.settings().queue() / kFrame;
  for (std::uint64_t i = 0; i < fits; ++i) ASSERT_EQ(shaper.admit(kStart, kFrame).fate, Fate::kPass);
  EXPECT_EQ(shaper.admit(kStart, kFrame).fate, Fate::kQueueFull);
  EXPECT_EQ(shaper.admit(kStart + 99us, kFrame).fate, Fate::kQueueFull);
  // A full queue makes one round trip more: 40 ms of waiting, 20 ms of way.
  EXPECT_EQ(shaper.admit(kStart + 100us, kFrame).due, kStart + 100us + 60ms);
}

TEST(Shaper, ALostFrameHasTakenItsTimeOnTheLink) {
  Shaper shaper(settings(1ms, {}, 1, kRate), 1);
  EXPECT_EQ(shaper.admit(kStart, kFrame).fate, Fate::kLost);
  shaper.set(settings(1ms, {}, 0, kRate));
  EXPECT_EQ(shaper.admit(kStart, kFrame).due, kStart + 1ms + 200us);
}

TEST(Shaper, AnOverloadedLinkCarriesItsRate) {
  Shaper shaper(settings(5ms, 1ms, 0, kRate), 9);
  std::uint64_t carried = 0;
  for (int i = 0; i < 50000; ++i) {  // for a second, at twice the rate
    const auto verdict = shaper.admit(kStart + i * 20us, 500);
    if (verdict.fate == Fate::kPass && verdict.due < kStart + 1s) carried += 500;
  }
  EXPECT_NEAR(double(carried) * 8, double(kRate), double(kRate) * 0.01);
}

TEST(Shaper, AChangeWhileRunningKeepsTheOrder) {
  Shaper shaper(settings(80ms), 1);
  const Instant first = shaper.admit(kStart, kFrame).due;
  shaper.set(settings(1ms));
  EXPECT_EQ(shaper.admit(kStart + 1us, kFrame).due, first);
  EXPECT_EQ(shaper.admit(kStart + 100ms, kFrame).due, kStart + 101ms);
}

}  // namespace
}  // namespace causeway::wan

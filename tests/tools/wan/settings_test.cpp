#include "tools/wan/settings.h"

#include <gtest/gtest.h>

namespace causeway::wan {
namespace {

using namespace std::chrono_literals;

TEST(WanSettings, WordsChangeWhatTheyNameAndNothingElse) {
  const auto first = changed({}, "delay=20 jitter=2.5 loss=1 rate=100");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->delay, 20ms);
  EXPECT_EQ(first->jitter, 2500us);
  EXPECT_DOUBLE_EQ(first->loss, 0.01);
  EXPECT_EQ(first->rate, 100'000'000u);
  const auto second = changed(*first, "loss=0");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->loss, 0);
  EXPECT_EQ(second->delay, 20ms);
}

TEST(WanSettings, ItsWordsReadBackAsTheSame) {
  const auto settings = changed({}, "delay=12.345 jitter=0.001 loss=0.1 rate=33.3");
  ASSERT_TRUE(settings);
  EXPECT_EQ(*changed({}, to_words(*settings)), *settings);
}

TEST(WanSettings, NonsenseIsRefusedAndNamed) {
  for (const char* words :
       {"delay", "delay=", "delay=x", "delay=-1", "delay=1ms", "delay=nan", "delay=inf", "delay=10001", "loss=101",
        "rate=1e3", "rate=0.0001", "speed=1", "jitter=1", "delay=5 jitter=6"}) {
    const auto settings = changed({}, words);
    EXPECT_FALSE(settings.has_value() || settings.error().message.empty()) << words;
  }
}

TEST(WanSettings, TheQueueHoldsOneRoundTripOfTheRate) {
  EXPECT_EQ(changed({}, "delay=20 rate=100")->queue(), 500'000u);
  EXPECT_EQ(changed({}, "delay=1 rate=1")->queue(), kLeastQueue);
  EXPECT_EQ(changed({}, "delay=20")->queue(), 0u);
}

TEST(WanSettings, FramesMatterWhereTheyAreLostOrQueued) {
  EXPECT_FALSE(changed({}, "delay=20 jitter=5")->by_frame());
  EXPECT_TRUE(changed({}, "loss=0.1")->by_frame());
  EXPECT_TRUE(changed({}, "rate=10")->by_frame());
}

}  // namespace
}  // namespace causeway::wan

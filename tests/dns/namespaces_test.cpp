#include "dns/namespaces.h"

#include <gtest/gtest.h>

namespace causeway::dns {
namespace {

using namespace std::chrono_literals;
using Known = Namespaces::Known;

TEST(Namespaces, ANegativeAnswerIsKeptFor30Seconds) {
  Namespaces known(10);
  Instant now{1h};
  EXPECT_EQ(known.known("com", now), Known::kAsk);
  known.absent("com", now);
  EXPECT_EQ(known.known("com", now), Known::kAbsent);
  EXPECT_EQ(known.known("com", now + 30s - 1ns), Known::kAbsent);
  EXPECT_EQ(known.known("com", now + 30s), Known::kAsk);
}

TEST(Namespaces, APositiveAnswerIsKeptAsLongAsItSaysWithinBounds) {
  Namespaces known(10);
  Instant now{1h};
  struct Case {
    Duration ttl, kept;
  };
  for (Case c : {Case{0s, 30s}, Case{60s, 60s}, Case{24h, 300s}}) {
    known.present("shop", c.ttl, now);
    EXPECT_EQ(known.known("shop", now + c.kept - 1ns), Known::kPresent);
    EXPECT_EQ(known.known("shop", now + c.kept), Known::kAsk);
  }
  EXPECT_TRUE(known.was_present("shop")) << "however long ago";
}

TEST(Namespaces, SilenceKeepsWhatWasThereAndDelaysWhatWasNotOnlyOnce) {
  Namespaces known(10);
  Instant now{1h};
  known.present("shop", 30s, now);
  known.unanswered("shop", now + 40s);
  EXPECT_EQ(known.known("shop", now + 44s), Known::kPresent);
  EXPECT_EQ(known.known("shop", now + 45s), Known::kAsk);
  known.unanswered("com", now);
  EXPECT_EQ(known.known("com", now + 4s), Known::kAbsent);
  EXPECT_EQ(known.known("com", now + 5s), Known::kAskMeantime);
  EXPECT_FALSE(known.was_present("com"));
  known.absent("com", now + 6s);
  EXPECT_EQ(known.known("com", now + 35s), Known::kAbsent);
}

TEST(Namespaces, TheLongestUnusedGoesFirst) {
  Namespaces known(3);
  Instant now{1h};
  for (const char* label : {"a", "b", "c"}) known.absent(label, now);
  EXPECT_EQ(known.known("a", now), Known::kAbsent);
  known.absent("d", now);
  EXPECT_EQ(known.size(), 3u);
  EXPECT_EQ(known.known("b", now), Known::kAsk);
  EXPECT_EQ(known.known("a", now), Known::kAbsent);
  for (int i = 0; i < 10000; ++i) known.present(std::to_string(i), 60s, now);
  EXPECT_EQ(known.size(), 3u);
}

TEST(Namespaces, ClearForgetsAll) {
  Namespaces known(3);
  known.present("a", 60s, Instant{});
  known.clear();
  EXPECT_EQ(known.size(), 0u);
  EXPECT_FALSE(known.was_present("a"));
}

}  // namespace
}  // namespace causeway::dns

#include "dns/stream.h"

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace causeway::dns {
namespace {

using Messages = std::vector<std::vector<std::uint8_t>>;

TEST(MessageStream, MessagesComeWholeHoweverTheStreamIsCut) {
  SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    Messages sent, got;
    std::vector<std::uint8_t> bytes;
    for (int i = 0; i < 5; ++i) {
      std::vector<std::uint8_t> message(random.below(4) == 0 ? random.below(3000) : random.below(20));
      random.fill(message);
      bytes.push_back(std::uint8_t(message.size() >> 8));
      bytes.push_back(std::uint8_t(message.size()));
      bytes.insert(bytes.end(), message.begin(), message.end());
      sent.push_back(std::move(message));
    }
    MessageStream stream;
    for (std::size_t at = 0; at < bytes.size();) {
      std::size_t n = std::min<std::size_t>(bytes.size() - at, 1 + random.below(round % 2 ? 3 : 5000));
      stream.receive(Bytes(bytes).subspan(at, n),
                     [&](Bytes message) { got.emplace_back(message.begin(), message.end()); });
      at += n;
    }
    EXPECT_EQ(got, sent) << round;
    EXPECT_EQ(stream.size(), 0u);
  }
}

TEST(MessageStream, HoldsTheLongestMessageAndNoMore) {
  MessageStream stream;
  std::size_t taken = 0;
  std::vector<std::uint8_t> part(1000, 0xff);
  for (int i = 0; i < 300; ++i) {
    stream.receive(part, [&](Bytes message) { taken += message.size(); });
    EXPECT_LE(stream.size(), 65537u);
  }
  EXPECT_EQ(taken, 4 * 65535u);
}

}  // namespace
}  // namespace causeway::dns

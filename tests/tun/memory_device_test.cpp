#include "tun/memory_device.h"

#include <gtest/gtest.h>

#include <array>

#include "core/packet/build.h"
#include "core/packet/parse.h"

namespace causeway::tun {
namespace {

const packet::Endpoint kHere = *packet::Endpoint::parse("10.0.0.1:1000");
const packet::Endpoint kThere = *packet::Endpoint::parse("10.0.0.2:2000");

class MemoryDeviceTest : public testing::Test {
 protected:
  static void add(packet::PacketBatch& batch, std::string_view text) {
    packet::build_udp(batch, kHere, kThere, as_bytes(text));
  }

  std::vector<std::string> read(MemoryDevice& device, std::size_t at_most = 16) {
    std::vector<packet::Incoming> batch(at_most);
    const auto n = device.read(batch);
    EXPECT_TRUE(n);
    std::vector<std::string> texts;
    for (const packet::Incoming& p : std::span(batch).first(*n)) {
      const auto parsed = packet::parse(p.packet, p.checksum_trusted);
      EXPECT_TRUE(parsed);
      if (parsed) texts.emplace_back(as_text(parsed->payload));
    }
    return texts;
  }

  BufferPool pool_;
};

TEST_F(MemoryDeviceTest, WhatIsWrittenToOneEndIsReadAtTheOtherInOrder) {
  auto [a, b] = MemoryDevice::pair(pool_, {});
  packet::PacketBatch batch;
  add(batch, "one");
  add(batch, "two");
  add(batch, "three");
  a->write(batch);
  EXPECT_EQ(read(*a), std::vector<std::string>());
  EXPECT_EQ(read(*b, 2), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(read(*b, 2), (std::vector<std::string>{"three"}));
  EXPECT_EQ(read(*b), std::vector<std::string>());
  EXPECT_EQ(a->counters().packets_written, 3u);
  EXPECT_EQ(b->counters().packets_read, 3u);
  EXPECT_EQ(a->counters().bytes_written, b->counters().bytes_read);
}

TEST_F(MemoryDeviceTest, TheBatchMayGoOnceItIsWritten) {
  auto [a, b] = MemoryDevice::pair(pool_, {});
  {
    std::string text = "short-lived";
    packet::PacketBatch batch;
    add(batch, text);
    a->write(batch);
    text.assign(text.size(), 'x');
  }
  EXPECT_EQ(read(*b), (std::vector<std::string>{"short-lived"}));
}

TEST_F(MemoryDeviceTest, WhatIsBeyondTheBoundIsDroppedAndCounted) {
  MemoryDevice::Options options;
  options.capacity = 3;
  auto [a, b] = MemoryDevice::pair(pool_, options);
  packet::PacketBatch batch;
  for (int i = 0; i < 5; ++i) add(batch, "x");
  a->write(batch);
  EXPECT_EQ(b->waiting(), 3u);
  EXPECT_EQ(a->counters().write_dropped, 2u);
  EXPECT_EQ(a->counters().packets_written, 3u);
  EXPECT_EQ(read(*b).size(), 3u);
  a->write(batch);
  EXPECT_EQ(b->waiting(), 3u);
}

TEST_F(MemoryDeviceTest, ALoneEndDropsWhatIsWrittenAndStillReadsWhatCame) {
  auto [a, b] = MemoryDevice::pair(pool_, {});
  packet::PacketBatch batch;
  add(batch, "last words");
  a->write(batch);
  a.reset();
  EXPECT_EQ(read(*b), (std::vector<std::string>{"last words"}));
  b->write(batch);
  EXPECT_EQ(b->counters().write_dropped, 1u);
  b.reset();
  EXPECT_EQ(pool_.in_use(), 0u);
}

// A packet whose checksum is left to the device.
void add_unfinished(packet::PacketBatch& batch) {
  packet::PacketBatch whole;
  packet::build_reset(whole, [] {
    packet::Parsed syn;
    syn.tuple = {kThere, kHere, packet::kTcp};
    syn.flags = packet::kSyn;
    return syn;
  }());
  const Bytes header = whole.header(whole.packets()[0]);
  packet::Offload offload;
  offload.needs_checksum = true;
  offload.checksum_start = 20;
  offload.checksum_offset = 16;
  const MutableBytes place = batch.begin(header.size(), offload);
  std::copy(header.begin(), header.end(), place.begin());
  // The pseudo-header of a segment of 20 bytes between these addresses, as build_reset's checksum says.
  std::uint32_t sum = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + packet::kTcp + 20;
  store16(&place[36], std::uint16_t(sum));
}

TEST_F(MemoryDeviceTest, WithOffloadAnUnfinishedChecksumPassesAndIsVouchedFor) {
  auto [a, b] = MemoryDevice::pair(pool_, {});
  packet::PacketBatch batch;
  add_unfinished(batch);
  a->write(batch);
  std::array<packet::Incoming, 2> in;
  ASSERT_EQ(*b->read(in), 1u);
  EXPECT_TRUE(in[0].checksum_trusted);
  EXPECT_FALSE(packet::parse(in[0].packet, false)) << "it is unfinished";
  EXPECT_TRUE(packet::parse(in[0].packet, true));
}

TEST_F(MemoryDeviceTest, WithoutOffloadEveryPacketIsFinished) {
  MemoryDevice::Options options;
  options.offload = false;
  auto [a, b] = MemoryDevice::pair(pool_, options);
  packet::PacketBatch batch;
  add_unfinished(batch);
  a->write(batch);
  std::array<packet::Incoming, 2> in;
  ASSERT_EQ(*b->read(in), 1u);
  EXPECT_FALSE(in[0].checksum_trusted);
  EXPECT_TRUE(packet::parse(in[0].packet, false));
}

}  // namespace
}  // namespace causeway::tun

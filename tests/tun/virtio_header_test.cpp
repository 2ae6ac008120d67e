#include "tun/virtio_header.h"

#include <gtest/gtest.h>

#include <array>

#include "core/base/random.h"

namespace causeway::tun {
namespace {

using Header = std::array<std::uint8_t, kVirtioHeaderSize>;

std::uint16_t native16(const std::uint8_t* p) {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Flags, gso_type, gso_size.
Header header(std::uint8_t flags, std::uint8_t type, std::uint16_t size) {
  Header h{};
  h[0] = flags;
  h[1] = type;
  std::memcpy(&h[4], &size, sizeof size);
  return h;
}

TEST(VirtioHeader, AnOrdinaryPacketsChecksumIsLookedAt) {
  const auto in = decode_virtio_header(header(0, 0, 0));
  ASSERT_TRUE(in);
  EXPECT_FALSE(in->checksum_trusted);
  EXPECT_FALSE(in->checksum_partial);
  EXPECT_EQ(in->segment_size, 0u);
}

TEST(VirtioHeader, ChecksumsThatTheKernelVouchesForAreTrusted) {
  const auto partial = decode_virtio_header(header(1, 0, 0));
  ASSERT_TRUE(partial);
  EXPECT_TRUE(partial->checksum_trusted);
  EXPECT_TRUE(partial->checksum_partial);
  const auto valid = decode_virtio_header(header(2, 0, 0));
  ASSERT_TRUE(valid);
  EXPECT_TRUE(valid->checksum_trusted);
  EXPECT_FALSE(valid->checksum_partial);
}

TEST(VirtioHeader, SuperPacketsOfBothIpVersionsAreUnderstood) {
  for (const std::uint8_t type : {1, 4, 0x81, 0x84}) {  // the high bit: with ECN
    const auto in = decode_virtio_header(header(1, type, 1448));
    ASSERT_TRUE(in) << int(type);
    EXPECT_EQ(in->segment_size, 1448u);
    EXPECT_TRUE(in->checksum_trusted);
  }
}

TEST(VirtioHeader, WhatWasNotAskedForIsRefused) {
  EXPECT_FALSE(decode_virtio_header(header(1, 3, 1448))) << "a UDP super-packet, of the old kind";
  EXPECT_FALSE(decode_virtio_header(header(1, 5, 1448))) << "and of the new";
  EXPECT_FALSE(decode_virtio_header(header(1, 0x7f, 1448)));
  EXPECT_FALSE(decode_virtio_header(header(1, 1, 0))) << "segments of nothing";
}

TEST(VirtioHeader, ShortInputIsRefused) {
  const Header h = header(1, 1, 1448);
  for (std::size_t n = 0; n < kVirtioHeaderSize; ++n) EXPECT_FALSE(decode_virtio_header(Bytes(h).first(n)));
}

TEST(VirtioHeader, AnyTenBytesAreEitherRefusedOrUnderstood) {
  SeededRandom random(1);
  for (int i = 0; i < 100'000; ++i) {
    Header h;
    random.fill(h);
    const auto in = decode_virtio_header(h);
    const std::uint8_t type = h[1] & 0x7f;
    const bool known = type == 0 || ((type == 1 || type == 4) && native16(&h[4]) != 0);
    ASSERT_EQ(in.has_value(), known);
    if (in) {
      EXPECT_EQ(in->segment_size, type == 0 ? 0 : native16(&h[4]));
    }
  }
}

TEST(VirtioHeader, WritesWhatIsLeftToTheDevice) {
  packet::Offload offload;
  Header h;
  h.fill(0xee);
  encode_virtio_header(offload, h);
  EXPECT_EQ(h, Header{}) << "nothing is left to it";

  offload.needs_checksum = true;
  offload.checksum_start = 20;
  offload.checksum_offset = 16;
  encode_virtio_header(offload, h);
  EXPECT_EQ(h[0], 1);
  EXPECT_EQ(h[1], 0);
  EXPECT_EQ(native16(&h[6]), 20);
  EXPECT_EQ(native16(&h[8]), 16);
  EXPECT_EQ(native16(&h[4]), 0);

  offload.segmentation = packet::Segmentation::kTcp6;
  offload.segment_size = 1440;
  offload.header_size = 60;
  encode_virtio_header(offload, h);
  EXPECT_EQ(h[1], 4);
  EXPECT_EQ(native16(&h[2]), 60);
  EXPECT_EQ(native16(&h[4]), 1440);
}

TEST(VirtioHeader, WhatIsWrittenReadsBack) {
  for (const auto kind : {packet::Segmentation::kNone, packet::Segmentation::kTcp4, packet::Segmentation::kTcp6}) {
    packet::Offload offload;
    offload.needs_checksum = true;
    offload.segmentation = kind;
    offload.segment_size = kind == packet::Segmentation::kNone ? 0 : 1300;
    Header h;
    encode_virtio_header(offload, h);
    const auto in = decode_virtio_header(h);
    ASSERT_TRUE(in);
    EXPECT_TRUE(in->checksum_partial);
    EXPECT_EQ(in->segment_size, offload.segment_size);
  }
}

}  // namespace
}  // namespace causeway::tun

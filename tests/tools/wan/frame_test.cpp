#include "tools/wan/frame.h"

#include <gtest/gtest.h>

#include <vector>

namespace causeway::wan {
namespace {

constexpr std::size_t kIpv4 = 20;
constexpr std::size_t kTcp = 32;

void set(std::vector<std::uint8_t>& frame, std::size_t at, std::uint16_t value) {
  std::memcpy(frame.data() + at, &value, sizeof value);
}

std::vector<std::uint8_t> plain(std::size_t size) { return std::vector<std::uint8_t>(kOffloadHeader + size); }

// As the kernel hands over IPv4 segments that a device should cut.
std::vector<std::uint8_t> segments(std::size_t transport_header, std::size_t payload, std::uint16_t segment,
                                   std::uint16_t checksum_offset) {
  auto frame = plain(kEthernetHeader + kIpv4 + transport_header + payload);
  set(frame, 4, segment);
  set(frame, 6, kEthernetHeader + kIpv4);
  set(frame, 8, checksum_offset);
  frame[kOffloadHeader + kEthernetHeader + kIpv4 + 12] = std::uint8_t(transport_header / 4 << 4);
  return frame;
}

TEST(OnWire, AFrameHasPreambleChecksumAndGapAround) {
  const OnWire wire = on_wire(plain(1514));
  EXPECT_EQ(wire.frames, 1u);
  EXPECT_EQ(wire.bytes, 1538u);
}

TEST(OnWire, AShortFrameIsFilledToEthernetsLeastSize) { EXPECT_EQ(on_wire(plain(42)).bytes, 84u); }

TEST(OnWire, UncutTcpSegmentsCountAsTheFramesTheyBecome) {
  const OnWire wire = on_wire(segments(kTcp, 10 * 1448 + 100, 1448, 16));
  EXPECT_EQ(wire.frames, 11u);
  EXPECT_EQ(wire.bytes, 10 * 1538u + 14 + kIpv4 + kTcp + 100 + 24);
}

TEST(OnWire, UncutUdpDatagramsCountAsTheFramesTheyBecome) {
  const OnWire wire = on_wire(segments(8, 3 * 1000, 1000, 6));
  EXPECT_EQ(wire.frames, 3u);
  EXPECT_EQ(wire.bytes, 3 * (14 + kIpv4 + 8 + 1000 + 24u));
}

TEST(OnWire, ASegmentSizeThatTheFrameDoesNotReachIsOneFrame) {
  EXPECT_EQ(on_wire(segments(kTcp, 1448, 1448, 16)).frames, 1u);
}

TEST(OnWire, HeadersThatPointOutsideTheFrameAreNotFollowed) {
  auto frame = segments(kTcp, 3000, 1448, 16);
  set(frame, 6, 60000);
  EXPECT_EQ(on_wire(frame).frames, 1u);
}

}  // namespace
}  // namespace causeway::wan

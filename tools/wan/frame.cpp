#include "tools/wan/frame.h"

#include <algorithm>

namespace causeway::wan {
namespace {

constexpr std::size_t kLeastFrame = 60;           // IEEE 802.3: without its checksum
constexpr std::size_t kAroundFrame = 8 + 4 + 12;  // preamble, checksum, gap

// virtio_net_hdr: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset; numbers as this machine has them.
constexpr std::size_t kSegmentSize = 4;
constexpr std::size_t kTransportStart = 6;
constexpr std::size_t kChecksumOffset = 8;
constexpr std::uint16_t kTcpChecksum = 16;  // where TCP's checksum is in its header: it tells TCP from UDP
constexpr std::size_t kTcpHeaderLength = 12;
constexpr std::size_t kUdpHeader = 8;

std::uint16_t field(Bytes frame, std::size_t at) {
  std::uint16_t value;
  std::memcpy(&value, frame.data() + at, sizeof value);
  return value;
}

std::uint64_t alone(std::size_t size) { return std::max(size, kLeastFrame) + kAroundFrame; }

// Bytes that every segment has before its part of the payload; 0 when the frame makes no sense.
std::size_t headers(Bytes frame, Bytes ethernet) {
  const std::size_t transport = field(frame, kTransportStart);
  if (transport + kTcpHeaderLength >= ethernet.size()) return 0;
  if (field(frame, kChecksumOffset) != kTcpChecksum) return transport + kUdpHeader;
  return transport + std::size_t(ethernet[transport + kTcpHeaderLength] >> 4) * 4;
}

}  // namespace

OnWire on_wire(Bytes frame) {
  const Bytes ethernet = frame.subspan(kOffloadHeader);
  const std::size_t segment = field(frame, kSegmentSize);
  const std::size_t before = segment == 0 ? 0 : headers(frame, ethernet);
  if (before == 0 || ethernet.size() <= before + segment) return {1, alone(ethernet.size())};
  const std::size_t payload = ethernet.size() - before;
  const std::size_t whole = payload / segment;
  const std::size_t rest = payload % segment;
  return {std::uint32_t(whole + (rest != 0)), whole * alone(before + segment) + (rest != 0 ? alone(before + rest) : 0)};
}

}  // namespace causeway::wan

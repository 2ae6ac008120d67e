#include "tests/path/app.h"

#include "core/packet/checksum.h"

namespace causeway::path {
namespace {

constexpr std::size_t kIpHeader = 20;
constexpr std::size_t kTcpHeader = 20;
constexpr std::size_t kUdpHeader = 8;
constexpr std::uint8_t kWindowScale = 8;
constexpr std::uint16_t kWindow = 0x4000;  // 4 MiB, scaled

// An IPv4 header and room for `size` bytes behind it; their checksum counts as right.
packet::Incoming begin(const packet::Endpoint& from, const packet::Endpoint& to, std::uint8_t protocol,
                       BufferPool& pool, std::size_t size) {
  packet::Incoming incoming;
  const std::size_t whole = kIpHeader + size;
  incoming.owner = pool.take(whole);
  incoming.packet = incoming.owner.bytes().first(whole);
  incoming.checksum_trusted = true;
  std::uint8_t* ip = incoming.owner.data();
  std::fill_n(ip, kIpHeader, std::uint8_t(0));
  ip[0] = 0x45;
  store16(ip + 2, std::uint16_t(whole));
  ip[8] = 64;
  ip[9] = protocol;
  std::copy_n(from.address.bytes().data(), 4, ip + 12);
  std::copy_n(to.address.bytes().data(), 4, ip + 16);
  store16(ip + 10, std::uint16_t(~packet::fold(packet::add_to_sum(0, {ip, kIpHeader}))));
  return incoming;
}

}  // namespace

bool App::take(const packet::Parsed& segment) {
  if (segment.flags & packet::kRst) {
    reset = true;
    return false;
  }
  if (segment.flags & packet::kSyn) {
    expected = segment.sequence + 1;
    connected = true;
  }
  const bool ahead = std::int32_t(segment.acknowledgement - acknowledged) > 0;
  if (ahead) acknowledged = segment.acknowledgement;
  const std::uint16_t window = load16(segment.transport.data() + 14);
  const bool scaled = !(segment.flags & packet::kSyn);
  peer_window = std::uint32_t(window) << (scaled ? window_scale : 0);
  if (!scaled) {
    for (std::size_t at = kTcpHeader, end = std::size_t(segment.transport[12] >> 4) * 4; at < end;) {
      const std::uint8_t kind = segment.transport[at];
      if (kind == 0) break;
      if (kind == 3) window_scale = segment.transport[at + 2];
      at += kind == 1 ? 1 : segment.transport[at + 1];
    }
  }
  CAUSEWAY_ASSERT(segment.payload.empty() || segment.sequence == expected);
  received += segment.payload.size();
  expected += std::uint32_t(segment.payload.size());
  if (segment.flags & packet::kFin) {
    peer_finished = true;
    ++expected;
  }
  // A small answer waits for the next request to carry its acknowledgement.
  return segment.payload.size() > 1460 || (segment.flags & (packet::kSyn | packet::kFin));
}

packet::Incoming segment(App& app, BufferPool& pool, std::uint8_t flags, std::size_t size) {
  const bool syn = flags & packet::kSyn;
  const std::size_t options = syn ? 8 : 0;
  packet::Incoming incoming = begin(app.local, app.remote, packet::kTcp, pool, kTcpHeader + options + size);
  std::uint8_t* tcp = incoming.owner.data() + kIpHeader;
  std::fill_n(tcp, kTcpHeader + options, std::uint8_t(0));
  store16(tcp, app.local.port);
  store16(tcp + 2, app.remote.port);
  store32(tcp + 4, app.next);
  store32(tcp + 8, syn ? 0 : app.expected);
  tcp[12] = std::uint8_t((kTcpHeader + options) / 4 << 4);
  tcp[13] = flags;
  store16(tcp + 14, syn ? std::uint16_t(0xffff) : kWindow);
  if (syn) {
    const std::uint8_t said[8] = {2, 4, 1460 >> 8, 1460 & 0xff, 3, 3, kWindowScale, 0};
    std::copy_n(said, sizeof said, tcp + kTcpHeader);
  }
  app.next += std::uint32_t(size) + ((flags & (packet::kSyn | packet::kFin)) ? 1 : 0);
  return incoming;
}

packet::Incoming datagram(const packet::Endpoint& from, const packet::Endpoint& to, BufferPool& pool,
                          std::size_t size) {
  packet::Incoming incoming = begin(from, to, packet::kUdp, pool, kUdpHeader + size);
  std::uint8_t* udp = incoming.owner.data() + kIpHeader;
  store16(udp, from.port);
  store16(udp + 2, to.port);
  store16(udp + 4, std::uint16_t(kUdpHeader + size));
  store16(udp + 6, 1);
  return incoming;
}

}  // namespace causeway::path

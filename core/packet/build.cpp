#include "core/packet/build.h"

#include <algorithm>

#include "core/packet/checksum.h"

namespace causeway::packet {
namespace {

constexpr std::uint8_t kHopLimit = 64;

// Begins a packet with its IP header written; gives the place of the `transport_header` bytes behind it.
MutableBytes begin_packet(PacketBatch& out, const Address& source, const Address& destination, std::uint8_t protocol,
                          std::size_t transport_header, std::size_t payload) {
  bool v4 = source.is_v4();
  std::size_t ip = v4 ? 20 : 40;
  MutableBytes h = out.begin(ip + transport_header);
  std::fill(h.begin(), h.end(), std::uint8_t(0));
  std::size_t behind = transport_header + payload;
  if (v4) {
    h[0] = 0x45;
    store16(&h[2], std::uint16_t(ip + behind));
    h[8] = kHopLimit;
    h[9] = protocol;
    std::memcpy(&h[12], source.bytes().data(), 4);
    std::memcpy(&h[16], destination.bytes().data(), 4);
    store16(&h[10], std::uint16_t(~fold(add_to_sum(0, h.first(20)))));
  } else {
    h[0] = 0x60;
    store16(&h[4], std::uint16_t(behind));
    h[6] = protocol;
    h[7] = kHopLimit;
    std::memcpy(&h[8], source.bytes().data(), 16);
    std::memcpy(&h[24], destination.bytes().data(), 16);
  }
  return h.subspan(ip);
}

// The checksum over a transport header and its lent payload. An odd header length does not occur.
std::uint16_t checksum_of(const Address& source, const Address& destination, std::uint8_t protocol, Bytes header,
                          Bytes payload) {
  std::uint64_t sum = protocol == kIcmp ? 0
                                        : pseudo_header_sum(source, destination, protocol, header.size() + payload.size());
  return std::uint16_t(~fold(add_to_sum(add_to_sum(sum, header), payload)));
}

void build_icmp(PacketBatch& out, const Address& source, const Address& destination, std::uint8_t type, std::uint8_t code,
                std::uint16_t first, std::uint16_t second, Bytes payload) {
  std::uint8_t protocol = source.is_v4() ? kIcmp : kIcmp6;
  MutableBytes t = begin_packet(out, source, destination, protocol, 8, payload.size());
  t[0] = type;
  t[1] = code;
  store16(&t[4], first);
  store16(&t[6], second);
  store16(&t[2], checksum_of(source, destination, protocol, t.first(8), payload));
  if (!payload.empty()) out.add_piece(payload);
}

struct TypeAndCode {
  std::uint8_t type, code;
};

TypeAndCode unreachable_code(Unreachable why, bool v4) {
  switch (why) {
    case Unreachable::kNetwork: return v4 ? TypeAndCode{3, 0} : TypeAndCode{1, 0};
    case Unreachable::kHost: return v4 ? TypeAndCode{3, 1} : TypeAndCode{1, 3};
    case Unreachable::kPort: return v4 ? TypeAndCode{3, 3} : TypeAndCode{1, 4};
    case Unreachable::kProhibited: return v4 ? TypeAndCode{3, 13} : TypeAndCode{1, 1};
  }
  return {3, 1};
}

// No error is sent about an error (RFC 1122, 3.2.2; RFC 4443, 2.4).
bool is_icmp_error(const Parsed& p) {
  if (p.protocol() == kIcmp6 && !p.is_v4()) return p.icmp_type < 128;
  return p.protocol() == kIcmp && p.is_v4() && p.icmp_type != 0 && p.icmp_type != 8;
}

}  // namespace

void build_reset(PacketBatch& out, const Parsed& segment) {
  if (segment.flags & kRst) return;
  const Endpoint& from = segment.tuple.destination;
  const Endpoint& to = segment.tuple.source;
  MutableBytes t = begin_packet(out, from.address, to.address, kTcp, 20, 0);
  store16(&t[0], from.port);
  store16(&t[2], to.port);
  t[12] = 5 << 4;
  if (segment.flags & kAck) {
    store32(&t[4], segment.acknowledgement);
    t[13] = kRst;
  } else {
    std::uint32_t length = std::uint32_t(segment.payload.size()) + ((segment.flags & kSyn) ? 1 : 0) +
                           ((segment.flags & kFin) ? 1 : 0);
    store32(&t[8], segment.sequence + length);
    t[13] = kRst | kAck;
  }
  store16(&t[16], checksum_of(from.address, to.address, kTcp, t.first(20), {}));
}

void build_unreachable(PacketBatch& out, Bytes offending, Unreachable why) {
  auto parsed = parse(offending, true);
  if (!parsed) return;
  bool v4 = parsed->is_v4();
  if (is_icmp_error(*parsed) || (parsed->is_fragment && parsed->fragment.offset != 0)) return;
  std::size_t most = v4 ? 576 - 28 : 1280 - 48;
  TypeAndCode code = unreachable_code(why, v4);
  build_icmp(out, parsed->tuple.destination.address, parsed->tuple.source.address, code.type, code.code, 0, 0,
             parsed->packet.first(std::min(most, parsed->packet.size())));
}

void build_udp(PacketBatch& out, const Endpoint& source, const Endpoint& destination, Bytes payload) {
  std::size_t header = source.address.is_v4() ? 28 : 8;
  if (payload.size() + header > 65535) return;
  MutableBytes t = begin_packet(out, source.address, destination.address, kUdp, 8, payload.size());
  store16(&t[0], source.port);
  store16(&t[2], destination.port);
  store16(&t[4], std::uint16_t(8 + payload.size()));
  std::uint16_t checksum = checksum_of(source.address, destination.address, kUdp, t.first(8), payload);
  store16(&t[6], checksum == 0 ? 0xffff : checksum);
  if (!payload.empty()) out.add_piece(payload);
}

void build_echo_request(PacketBatch& out, const Address& source, const Address& destination, std::uint16_t identifier,
                        std::uint16_t sequence, Bytes payload) {
  build_icmp(out, source, destination, source.is_v4() ? 8 : 128, 0, identifier, sequence, payload);
}

void build_echo_reply(PacketBatch& out, const Address& source, const Address& destination, std::uint16_t identifier,
                      std::uint16_t sequence, Bytes payload) {
  build_icmp(out, source, destination, source.is_v4() ? 0 : 129, 0, identifier, sequence, payload);
}

}  // namespace causeway::packet

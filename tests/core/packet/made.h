// Packets made by hand, field by field, so that what the tree builds and reads is held against something else.
#pragma once

#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/packet/batch.h"
#include "core/packet/checksum.h"
#include "core/packet/parse.h"

namespace causeway::packet {

using Octets = std::vector<std::uint8_t>;

inline Address address(std::string_view text) { return *Address::parse(text); }
inline Endpoint endpoint(std::string_view text) { return *Endpoint::parse(text); }
inline Octets octets(std::size_t n, std::uint64_t seed = 1) {
  Octets out(n);
  SeededRandom(seed).fill(out);
  return out;
}

// The sum as RFC 1071 defines it, the slow way.
inline std::uint16_t plain_sum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += std::uint32_t(bytes[i] << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0));
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return std::uint16_t(sum);
}

inline void put_v4_checksum(Octets& p) {
  std::size_t header = std::size_t(p[0] & 15) * 4;
  store16(&p[10], 0);
  store16(&p[10], std::uint16_t(~plain_sum(Bytes(p).first(header))));
}

struct V4 {
  std::string_view from = "10.0.0.2", to = "10.96.0.10";
  std::uint8_t protocol = kTcp;
  Octets options = {};
  std::uint16_t id = 7, fragment = 0x4000;
};
inline Octets ip4(const V4& f, Bytes transport) {
  std::size_t header = 20 + f.options.size();
  Octets p(header + transport.size());
  p[0] = std::uint8_t(0x40 | header / 4);
  store16(&p[2], std::uint16_t(p.size()));
  store16(&p[4], f.id);
  store16(&p[6], f.fragment);
  p[8] = 61;
  p[9] = f.protocol;
  Address from = address(f.from), to = address(f.to);
  std::copy_n(from.bytes().begin(), 4, &p[12]);
  std::copy_n(to.bytes().begin(), 4, &p[16]);
  std::copy(f.options.begin(), f.options.end(), p.begin() + 20);
  put_v4_checksum(p);
  std::copy(transport.begin(), transport.end(), p.begin() + std::ptrdiff_t(header));
  return p;
}

struct V6 {
  std::string_view from = "2001:db8::2", to = "fd00:10::a";
  std::uint8_t next = kTcp;
  Octets extensions = {};
};
inline Octets ip6(const V6& f, Bytes transport) {
  Octets p(40 + f.extensions.size() + transport.size());
  p[0] = 0x60;
  store16(&p[4], std::uint16_t(p.size() - 40));
  p[6] = f.next;
  p[7] = 62;
  Address from = address(f.from), to = address(f.to);
  std::copy_n(from.bytes().begin(), 16, &p[8]);
  std::copy_n(to.bytes().begin(), 16, &p[24]);
  std::copy(f.extensions.begin(), f.extensions.end(), p.begin() + 40);
  std::copy(transport.begin(), transport.end(), p.begin() + 40 + std::ptrdiff_t(f.extensions.size()));
  return p;
}

inline std::uint16_t checksum_over(std::string_view from, std::string_view to, std::uint8_t protocol, Bytes transport) {
  Octets all;
  if (protocol != kIcmp) {
    Address a = address(from), b = address(to);
    all.assign(a.bytes().begin(), a.bytes().end());
    all.insert(all.end(), b.bytes().begin(), b.bytes().end());
    std::uint8_t rest[8]{};
    store32(rest, std::uint32_t(transport.size()));
    store32(rest + 4, protocol);
    all.insert(all.end(), rest, rest + 8);
  }
  all.insert(all.end(), transport.begin(), transport.end());
  return std::uint16_t(~plain_sum(all));
}

inline Octets tcp_segment(std::string_view from, std::string_view to, std::uint8_t flags, Bytes payload, const Octets& options = {}) {
  Octets t(20 + options.size() + payload.size());
  store16(&t[0], 40000);
  store16(&t[2], 80);
  store32(&t[4], 1000);
  store32(&t[8], 2000);
  t[12] = std::uint8_t((20 + options.size()) / 4 << 4);
  t[13] = flags;
  store16(&t[14], 65535);
  std::copy(options.begin(), options.end(), t.begin() + 20);
  std::copy(payload.begin(), payload.end(), t.begin() + 20 + std::ptrdiff_t(options.size()));
  store16(&t[16], checksum_over(from, to, kTcp, t));
  return t;
}

inline Octets udp_datagram(std::string_view from, std::string_view to, Bytes payload) {
  Octets t(8 + payload.size());
  store16(&t[0], 5353);
  store16(&t[2], 53);
  store16(&t[4], std::uint16_t(t.size()));
  std::copy(payload.begin(), payload.end(), t.begin() + 8);
  store16(&t[6], checksum_over(from, to, kUdp, t));
  return t;
}

inline Octets echo_request(std::string_view from, std::string_view to, bool v4, Bytes payload) {
  Octets t(8 + payload.size());
  t[0] = v4 ? 8 : 128;
  store16(&t[4], 77);
  store16(&t[6], 3);
  std::copy(payload.begin(), payload.end(), t.begin() + 8);
  store16(&t[2], checksum_over(from, to, v4 ? kIcmp : kIcmp6, t));
  return t;
}

inline Octets tcp4(std::uint8_t flags = kAck, Bytes payload = {}) {
  return ip4({}, tcp_segment("10.0.0.2", "10.96.0.10", flags, payload));
}
inline Octets tcp6(std::uint8_t flags = kAck, Bytes payload = {}) {
  return ip6({}, tcp_segment("2001:db8::2", "fd00:10::a", flags, payload));
}
inline Octets udp4(Bytes payload) {
  V4 f;
  f.protocol = kUdp;
  return ip4(f, udp_datagram(f.from, f.to, payload));
}
inline Octets udp6(Bytes payload) {
  V6 f;
  f.next = kUdp;
  return ip6(f, udp_datagram(f.from, f.to, payload));
}

// The packet that a batch holds, in one piece.
inline Octets flat(const PacketBatch& batch, std::size_t index = 0) {
  const OutgoingPacket& p = batch.packets().at(index);
  Bytes header = batch.header(p);
  Octets out(header.begin(), header.end());
  for (Bytes piece : batch.pieces(p)) out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

}  // namespace causeway::packet

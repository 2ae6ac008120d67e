#include "core/packet/parse.h"

#include "core/packet/checksum.h"

namespace causeway::packet {
namespace {

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragmentHeader = 44;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr int kMaxExtensions = 8;

// None: fine. Walks TLV options where 0 ends the list and 1 is a filler, as in IPv4 and TCP.
std::optional<Drop> check_options(Bytes options, bool ip) {
  for (std::size_t i = 0; i < options.size();) {
    std::uint8_t kind = options[i];
    if (kind == 0) return std::nullopt;
    if (kind == 1) {
      ++i;
      continue;
    }
    if (i + 1 >= options.size() || options[i + 1] < 2 || i + options[i + 1] > options.size()) return Drop::kOption;
    if (ip && (kind == 0x83 || kind == 0x89)) return Drop::kOption;  // loose and strict source route
    std::uint8_t length = options[i + 1];
    if (!ip && ((kind == 2 && length != 4) || (kind == 3 && length != 3) || (kind == 4 && length != 2) ||
                (kind == 8 && length != 10))) {
      return Drop::kOption;
    }
    i += length;
  }
  return std::nullopt;
}

bool bad_source(const Address& a) { return a.is_unspecified() || a.is_multicast() || a.is_broadcast() || a.is_loopback(); }

std::optional<Drop> parse_v4(Bytes bytes, Parsed& out) {
  if (bytes.size() < 20) return Drop::kTruncated;
  std::size_t header = std::size_t(bytes[0] & 0x0f) * 4;
  std::size_t total = load16(&bytes[2]);
  if (header < 20 || total < header) return Drop::kHeader;
  if (bytes.size() < total) return Drop::kTruncated;
  out.packet = bytes.first(total);
  if (fold(add_to_sum(0, out.packet.first(header))) != 0xffff) return Drop::kChecksum;
  if (auto drop = check_options(out.packet.subspan(20, header - 20), true)) return drop;
  out.hop_limit = bytes[8];
  out.tuple.protocol = bytes[9];
  out.tuple.source.address = Address::from_bytes(bytes.subspan(12, 4));
  out.tuple.destination.address = Address::from_bytes(bytes.subspan(16, 4));
  std::uint16_t flags = load16(&bytes[6]);
  out.transport = out.packet.subspan(header);
  if ((flags & 0x3fff) != 0) {
    out.is_fragment = true;
    out.fragment = {load16(&bytes[4]), std::uint32_t(flags & 0x1fff) * 8, (flags & 0x2000) != 0};
  }
  return std::nullopt;
}

std::optional<Drop> parse_v6(Bytes bytes, Parsed& out) {
  if (bytes.size() < 40) return Drop::kTruncated;
  std::size_t total = 40u + load16(&bytes[4]);
  if (bytes.size() < total) return Drop::kTruncated;
  out.packet = bytes.first(total);
  out.hop_limit = bytes[7];
  out.tuple.source.address = Address::from_bytes(bytes.subspan(8, 16));
  out.tuple.destination.address = Address::from_bytes(bytes.subspan(24, 16));
  std::uint8_t next = bytes[6];
  Bytes rest = out.packet.subspan(40);
  for (int walked = 0;; ++walked) {
    bool options = next == kDestinationOptions || next == kHopByHop || next == kRouting;
    if (!options && next != kFragmentHeader) break;
    if (walked == kMaxExtensions || rest.size() < 8 || (next == kHopByHop && walked > 0)) return Drop::kExtension;
    std::size_t length = next == kFragmentHeader ? 8 : (std::size_t(rest[1]) + 1) * 8;
    if (length > rest.size()) return Drop::kExtension;
    if (next == kRouting && rest[2] == 0) return Drop::kExtension;  // RFC 5095
    std::uint8_t after = rest[0];
    if (next == kFragmentHeader) {
      std::uint16_t field = load16(&rest[2]);
      out.fragment = {load32(&rest[4]), std::uint32_t(field & 0xfff8), (field & 1) != 0};
      out.tuple.protocol = after;
      out.transport = rest.subspan(8);
      // An atomic fragment (RFC 6946) is a whole packet.
      if (out.fragment.offset != 0 || out.fragment.more) {
        out.is_fragment = true;
        return std::nullopt;
      }
    }
    next = after;
    rest = rest.subspan(length);
  }
  out.tuple.protocol = next;
  out.transport = rest;
  return std::nullopt;
}

std::optional<Drop> parse_tcp(Parsed& out) {
  Bytes t = out.transport;
  if (t.size() < 20) return Drop::kTruncated;
  std::size_t header = std::size_t(t[12] >> 4) * 4;
  if (header < 20 || header > t.size()) return Drop::kHeader;
  if (auto drop = check_options(t.subspan(20, header - 20), false)) return drop;
  out.tuple.source.port = load16(&t[0]);
  out.tuple.destination.port = load16(&t[2]);
  out.sequence = load32(&t[4]);
  out.acknowledgement = load32(&t[8]);
  out.flags = t[13] & 0x3f;
  out.payload = t.subspan(header);
  return std::nullopt;
}

std::optional<Drop> parse_udp(Parsed& out) {
  Bytes t = out.transport;
  if (t.size() < 8) return Drop::kTruncated;
  std::size_t length = load16(&t[4]);
  if (length < 8) return Drop::kHeader;
  if (length > t.size()) return Drop::kTruncated;
  out.transport = t = t.first(length);
  out.tuple.source.port = load16(&t[0]);
  out.tuple.destination.port = load16(&t[2]);
  out.payload = t.subspan(8);
  return std::nullopt;
}

std::optional<Drop> parse_icmp(Parsed& out) {
  Bytes t = out.transport;
  if (t.size() < 8) return Drop::kTruncated;
  out.icmp_type = t[0];
  out.icmp_code = t[1];
  out.payload = t.subspan(8);
  bool v4 = out.is_v4();
  if (v4 ? t[0] == 8 || t[0] == 0 : t[0] == 128 || t[0] == 129) {
    out.tuple.source.port = out.tuple.destination.port = load16(&t[4]);
    out.echo_sequence = load16(&t[6]);
  }
  return std::nullopt;
}

bool transport_checksum_wrong(const Parsed& p) {
  Bytes t = p.transport;
  if (p.protocol() == kIcmp) return fold(add_to_sum(0, t)) != 0xffff;
  if (p.protocol() == kUdp && load16(&t[6]) == 0) return !p.is_v4();  // RFC 8200: IPv6 wants one
  std::uint64_t sum = pseudo_header_sum(p.tuple.source.address, p.tuple.destination.address, p.protocol(), t.size());
  return fold(add_to_sum(sum, t)) != 0xffff;
}

}  // namespace

const char* drop_name(Drop drop) {
  switch (drop) {
    case Drop::kTruncated: return "truncated";
    case Drop::kVersion: return "version";
    case Drop::kHeader: return "header";
    case Drop::kChecksum: return "checksum";
    case Drop::kOption: return "option";
    case Drop::kExtension: return "extension";
    case Drop::kAddress: return "address";
    case Drop::kCount: break;
  }
  return "unknown";
}

tl::expected<Parsed, Drop> parse(Bytes bytes, bool checksum_trusted) {
  if (bytes.empty()) return tl::make_unexpected(Drop::kTruncated);
  Parsed out;
  std::optional<Drop> drop;
  switch (bytes[0] >> 4) {
    case 4: drop = parse_v4(bytes, out); break;
    case 6: drop = parse_v6(bytes, out); break;
    default: drop = Drop::kVersion;
  }
  if (drop) return tl::make_unexpected(*drop);
  const Address& to = out.tuple.destination.address;
  if (bad_source(out.tuple.source.address) || to.is_unspecified() || to.is_multicast() || to.is_broadcast() ||
      to.is_loopback()) {
    return tl::make_unexpected(Drop::kAddress);
  }
  out.payload = out.transport;
  if (out.is_fragment) return out;
  bool v4 = out.is_v4();
  std::uint8_t protocol = out.protocol();
  if (protocol == kTcp) {
    drop = parse_tcp(out);
  } else if (protocol == kUdp) {
    drop = parse_udp(out);
  } else if (protocol == (v4 ? kIcmp : kIcmp6)) {
    drop = parse_icmp(out);
  } else {
    return out;
  }
  if (!drop && !checksum_trusted && transport_checksum_wrong(out)) drop = Drop::kChecksum;
  if (drop) return tl::make_unexpected(*drop);
  return out;
}

}  // namespace causeway::packet

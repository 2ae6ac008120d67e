// Reads an IP packet once, as far as the engine needs it. Everything else in the tree works on the result: this is the
// only reader of IP, TCP, UDP and ICMP headers from the wire.
//
// RFC 791 (IPv4), RFC 8200 (IPv6 and its extension headers), RFC 9293 (TCP), RFC 768 (UDP), RFC 792 and 4443 (ICMP).
#pragma once

#include <optional>
#include <tl/expected.hpp>

#include "core/packet/address.h"

namespace causeway::packet {

inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kIcmp6 = 58;

inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;

// Why a packet was dropped; the name of each for counters is drop_name().
enum class Drop : std::uint8_t {
  kTruncated,        // shorter than its headers say
  kVersion,          // neither IPv4 nor IPv6
  kHeader,           // a length or field that cannot be
  kChecksum,         // wrong, where the device did not vouch for it
  kOption,           // IP source routing, or TCP options whose lengths lie
  kExtension,        // an IPv6 extension header chain that is too long or out of order
  kAddress,          // unspecified, multicast, broadcast or loopback source or destination
  kCount,
};
const char* drop_name(Drop drop);

// One fragment of a packet (IPv4, or IPv6 with a fragment header). `payload` of the Parsed is the fragment's part.
struct Fragment {
  std::uint32_t id = 0;
  std::uint32_t offset = 0;  // bytes
  bool more = false;
};

// A packet's fields and places. Borrowed: the spans point into the bytes that were parsed.
struct Parsed {
  Bytes packet;     // the whole packet from its IP header, trimmed to the length that the header gives
  Bytes transport;  // from the transport header on
  Bytes payload;    // behind the transport header (for fragments: behind the IP headers)
  FiveTuple tuple;  // ports are 0 for fragments and other protocols; for ICMP echo the identifier
  std::uint8_t hop_limit = 0;
  bool is_fragment = false;
  Fragment fragment;

  // TCP only.
  std::uint8_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  // ICMP only.
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;
  std::uint16_t echo_sequence = 0;

  bool is_v4() const { return tuple.source.address.is_v4(); }
  std::uint8_t protocol() const { return tuple.protocol; }
  bool is_echo_request() const {
    return (protocol() == kIcmp && icmp_type == 8) || (protocol() == kIcmp6 && icmp_type == 128);
  }
};

// `checksum_trusted`: the device says that the transport checksum needs no look (NEEDS_CSUM or DATA_VALID).
tl::expected<Parsed, Drop> parse(Bytes packet, bool checksum_trusted);

}  // namespace causeway::packet

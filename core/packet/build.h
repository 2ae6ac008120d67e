// Whole packets that the engine makes itself: resets, ICMP errors, echo replies and datagrams. Each appends one packet
// with finished checksums to a batch. The payload spans are lent until the batch is cleared.
#pragma once

#include "core/packet/batch.h"
#include "core/packet/parse.h"

namespace causeway::packet {

// Why a destination cannot be reached, in the words of both ICMP versions.
enum class Unreachable : std::uint8_t {
  kNetwork,         // v4 3/0, v6 1/0: the app sees ENETUNREACH
  kHost,            // v4 3/1, v6 1/3: EHOSTUNREACH
  kPort,            // v4 3/3, v6 1/4: ECONNREFUSED for UDP
  kProhibited,      // v4 3/13, v6 1/1: EHOSTUNREACH / EACCES
};

// The RST that answers `segment` as a closed port would (RFC 9293, 3.10.7.1). Nothing is sent for a segment that is itself
// a reset.
void build_reset(PacketBatch& out, const Parsed& segment);

// The ICMP error for `offending`, from its destination address, quoting as much as RFC 1812 4.3.2.3 (576 bytes in all) and
// RFC 4443 2.4 (1280 bytes in all) allow. Nothing is sent about a later fragment or about an ICMP error.
void build_unreachable(PacketBatch& out, Bytes offending, Unreachable why);

// `payload` is lent. IPv4 identification and fragmentation: none, one packet of any size up to 65,535 bytes, as a device may
// take packets beyond its MTU.
void build_udp(PacketBatch& out, const Endpoint& source, const Endpoint& destination, Bytes payload);

void build_echo_request(PacketBatch& out, const Address& source, const Address& destination, std::uint16_t identifier,
                        std::uint16_t sequence, Bytes payload);
void build_echo_reply(PacketBatch& out, const Address& source, const Address& destination, std::uint16_t identifier,
                      std::uint16_t sequence, Bytes payload);

}  // namespace causeway::packet

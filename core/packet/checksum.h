// The Internet checksum, RFC 1071.
#pragma once

#include "core/packet/address.h"

namespace causeway::packet {

// The one's complement sum of `bytes` added to `sum`, not folded. An odd last byte counts as the high half.
std::uint64_t add_to_sum(std::uint64_t sum, Bytes bytes);
// Folded to 16 bits, not inverted.
std::uint16_t fold(std::uint64_t sum);
// The pseudo-header's sum (RFC 9293 section 3.1, RFC 8200 section 8.1), not folded.
std::uint64_t pseudo_header_sum(const Address& source, const Address& destination, std::uint8_t protocol,
                                std::size_t length);
// The checksum of a whole transport segment whose checksum field is zero; what goes on the wire.
std::uint16_t transport_checksum(const Address& source, const Address& destination, std::uint8_t protocol, Bytes segment);

}  // namespace causeway::packet

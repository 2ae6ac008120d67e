#include "core/packet/checksum.h"

namespace causeway::packet {

std::uint64_t add_to_sum(std::uint64_t sum, Bytes bytes) {
  // The sum is one's complement, so it can be taken over 32-bit words in host order of big-endian pairs and folded at the end.
  const std::uint8_t* p = bytes.data();
  std::size_t n = bytes.size();
  std::uint64_t little = 0;
  while (n >= 4) {
    std::uint32_t word;
    std::memcpy(&word, p, 4);
    little += word;
    p += 4;
    n -= 4;
  }
  if (n >= 2) {
    std::uint16_t word;
    std::memcpy(&word, p, 2);
    little += word;
    p += 2;
    n -= 2;
  }
  if (n == 1) little += *p;
  // The words were read little-endian: swap the folded sum back (RFC 1071, section 2 (B)).
  std::uint16_t folded = fold(little);
  return sum + std::uint16_t(folded << 8 | folded >> 8);
}

std::uint16_t fold(std::uint64_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return std::uint16_t(sum);
}

std::uint64_t pseudo_header_sum(const Address& source, const Address& destination, std::uint8_t protocol,
                                std::size_t length) {
  return add_to_sum(add_to_sum(0, source.bytes()), destination.bytes()) + protocol + (length >> 16) + (length & 0xffff);
}

std::uint16_t transport_checksum(const Address& source, const Address& destination, std::uint8_t protocol, Bytes segment) {
  return std::uint16_t(~fold(add_to_sum(pseudo_header_sum(source, destination, protocol, segment.size()), segment)));
}

}  // namespace causeway::packet

// The header that stands before each packet of a TUN device opened with IFF_VNET_HDR: what the other side has left to us, or
// what we leave to it (struct virtio_net_hdr, 10 bytes, in the machine's byte order).
//
// Virtio 1.2, section 5.1.6.
#pragma once

#include <optional>

#include "core/packet/batch.h"

namespace causeway::tun {

inline constexpr std::size_t kVirtioHeaderSize = 10;

struct IncomingOffload {
  // The checksum is either known to be right, or partial because the packet never left the machine: no look is needed.
  bool checksum_trusted = false;
  // The sender left the transport checksum to whoever puts the packet on a wire; only its pseudo-header part is there.
  bool checksum_partial = false;
  std::uint16_t segment_size = 0;  // payload per segment of a super-packet; 0: an ordinary packet
};

// Reads the header; nothing where it is too short or tells of something that was not asked for (a UDP super-packet), so that
// the packet is to be dropped.
std::optional<IncomingOffload> decode_virtio_header(Bytes header);

// Writes the header for a packet with `offload` into `out`, which has kVirtioHeaderSize bytes.
void encode_virtio_header(const packet::Offload& offload, MutableBytes out);

}  // namespace causeway::tun

// Packets on their way to a device: headers in the batch's own memory, payload lent by whoever produced it.
//
// The engine and its stack append; the driver writes each packet as one gathered write and clears the batch. Nothing is
// allocated once the vectors have grown to the size of a usual batch.
#pragma once

#include <vector>

#include "core/packet/address.h"

namespace causeway::packet {

enum class Segmentation : std::uint8_t { kNone, kTcp4, kTcp6 };

// What the device has yet to do for a packet (the meaning of a virtio network header, without its form).
struct Offload {
  bool needs_checksum = false;         // the checksum field holds the folded, not inverted pseudo-header sum
  std::uint16_t checksum_start = 0;    // from the IP header
  std::uint16_t checksum_offset = 0;   // of the field, from checksum_start
  Segmentation segmentation = Segmentation::kNone;
  std::uint16_t segment_size = 0;      // payload per segment
  std::uint16_t header_size = 0;       // IP and TCP header
};

struct OutgoingPacket {
  Offload offload;
  std::uint32_t header_at = 0;  // into the batch's header bytes
  std::uint32_t header_size = 0;
  std::uint32_t first_piece = 0;  // into the batch's pieces
  std::uint32_t pieces = 0;
  std::uint32_t size = 0;  // whole packet
};

class PacketBatch {
 public:
  bool empty() const { return packets_.empty(); }
  const std::vector<OutgoingPacket>& packets() const { return packets_; }
  Bytes header(const OutgoingPacket& p) const { return Bytes(headers_).subspan(p.header_at, p.header_size); }
  std::span<const Bytes> pieces(const OutgoingPacket& p) const {
    return std::span(pieces_).subspan(p.first_piece, p.pieces);
  }

  // Starts a packet: `header_size` bytes to be written before the next call to this batch.
  MutableBytes begin(std::size_t header_size, const Offload& offload = {}) {
    OutgoingPacket p;
    p.offload = offload;
    p.header_at = std::uint32_t(headers_.size());
    p.header_size = p.size = std::uint32_t(header_size);
    p.first_piece = std::uint32_t(pieces_.size());
    packets_.push_back(p);
    headers_.resize(headers_.size() + header_size);
    return MutableBytes(headers_).subspan(p.header_at);
  }

  // Adds payload to the packet begun last. borrowed: until clear()
  void add_piece(Bytes piece) {
    OutgoingPacket& p = packets_.back();
    pieces_.push_back(piece);
    ++p.pieces;
    p.size += std::uint32_t(piece.size());
  }

  void clear() {
    packets_.clear();
    headers_.clear();
    pieces_.clear();
  }

 private:
  std::vector<OutgoingPacket> packets_;
  std::vector<std::uint8_t> headers_;
  std::vector<Bytes> pieces_;
};

}  // namespace causeway::packet

#include "tun/offload.h"

#include <algorithm>

#include "core/packet/checksum.h"
#include "core/packet/parse.h"

namespace causeway::tun {
namespace {

// The payload of a packet as one sequence of bytes, read from the front.
class PieceReader {
 public:
  explicit PieceReader(std::span<const Bytes> pieces) : pieces_(pieces) {}

  void read(MutableBytes out) {
    while (!out.empty()) {
      const Bytes piece = pieces_.front().subspan(offset_);
      const std::size_t n = std::min(piece.size(), out.size());
      copy_bytes(out, piece.first(n));
      out = out.subspan(n);
      offset_ += n;
      if (offset_ == pieces_.front().size()) {
        pieces_ = pieces_.subspan(1);
        offset_ = 0;
      }
    }
  }

 private:
  std::span<const Bytes> pieces_;
  std::size_t offset_ = 0;
};

void set_ip_length(MutableBytes packet, std::uint16_t identification_step) {
  std::uint8_t* ip = packet.data();
  if (ip[0] >> 4 == 6) {
    store16(ip + 4, std::uint16_t(packet.size() - 40));
    return;
  }
  store16(ip + 2, std::uint16_t(packet.size()));
  store16(ip + 4, std::uint16_t(load16(ip + 4) + identification_step));
  store16(ip + 10, 0);
  const std::size_t header = std::size_t(ip[0] & 0x0f) * 4;
  store16(ip + 10, std::uint16_t(~packet::fold(packet::add_to_sum(0, packet.first(header)))));
}

Slice slice_of(const Buffer& buffer, std::size_t size) { return {buffer, buffer.data(), size}; }

}  // namespace

Slice gather(const packet::PacketBatch& batch, const packet::OutgoingPacket& p, BufferPool& pool) {
  const Buffer buffer = pool.take(p.size);
  const MutableBytes out = buffer.bytes().first(p.size);
  const Bytes header = batch.header(p);
  std::copy(header.begin(), header.end(), out.begin());
  PieceReader(batch.pieces(p)).read(out.subspan(header.size()));
  return slice_of(buffer, p.size);
}

void complete_checksum(MutableBytes packet, const packet::Offload& offload) {
  if (!offload.needs_checksum) return;
  const std::size_t field = std::size_t(offload.checksum_start) + offload.checksum_offset;
  CAUSEWAY_ASSERT(field + 2 <= packet.size());
  // The field holds the pseudo-header's part already, so it is summed as it is.
  std::uint16_t sum = packet::fold(packet::add_to_sum(0, packet.subspan(offload.checksum_start)));
  sum = std::uint16_t(~sum);
  // RFC 768: a UDP checksum of zero would say that there is none.
  const bool udp = offload.checksum_offset == 6;
  store16(&packet[field], udp && sum == 0 ? 0xffff : sum);
}

void finish(const packet::PacketBatch& batch, const packet::OutgoingPacket& p, BufferPool& pool, std::vector<Slice>& out) {
  const packet::Offload& offload = p.offload;
  if (offload.segmentation == packet::Segmentation::kNone) {
    out.push_back(gather(batch, p, pool));
    complete_checksum({out.back().owner.data(), out.back().size}, offload);
    return;
  }
  CAUSEWAY_ASSERT(offload.segment_size > 0 && offload.header_size <= p.header_size);
  const Slice whole = gather(batch, p, pool);
  const Bytes header = whole.bytes().first(offload.header_size);
  const Bytes payload = whole.bytes().subspan(offload.header_size);
  const std::size_t tcp_at = offload.checksum_start;
  const std::uint32_t sequence = load32(&header[tcp_at + 4]);
  const bool v6 = header[0] >> 4 == 6;
  const packet::Address source = packet::Address::from_bytes(v6 ? header.subspan(8, 16) : header.subspan(12, 4));
  const packet::Address destination = packet::Address::from_bytes(v6 ? header.subspan(24, 16) : header.subspan(16, 4));

  std::uint16_t index = 0;
  for (std::size_t at = 0; at < payload.size(); at += offload.segment_size, ++index) {
    const std::size_t n = std::min<std::size_t>(offload.segment_size, payload.size() - at);
    const std::size_t size = header.size() + n;
    const Buffer buffer = pool.take(size);
    const MutableBytes segment = buffer.bytes().first(size);
    std::copy(header.begin(), header.end(), segment.begin());
    copy_bytes(segment.subspan(header.size()), payload.subspan(at, n));
    set_ip_length(segment, index);
    std::uint8_t* tcp = &segment[tcp_at];
    store32(tcp + 4, std::uint32_t(sequence + at));
    if (at + n < payload.size()) tcp[13] = std::uint8_t(tcp[13] & ~(packet::kFin | packet::kPsh));
    store16(tcp + 16, 0);
    store16(tcp + 16, packet::transport_checksum(source, destination, packet::kTcp, segment.subspan(tcp_at)));
    out.push_back(slice_of(buffer, size));
  }
}

}  // namespace causeway::tun

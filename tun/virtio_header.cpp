#include "tun/virtio_header.h"

namespace causeway::tun {
namespace {

constexpr std::uint8_t kNeedsChecksum = 1;
constexpr std::uint8_t kDataValid = 2;

constexpr std::uint8_t kGsoNone = 0;
constexpr std::uint8_t kGsoTcp4 = 1;
constexpr std::uint8_t kGsoTcp6 = 4;
constexpr std::uint8_t kGsoEcn = 0x80;

// Offsets of the fields: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset.
constexpr std::size_t kFlags = 0, kGsoType = 1, kHeaderLength = 2, kGsoSize = 4, kChecksumStart = 6, kChecksumOffset = 8;

std::uint16_t load_native16(const std::uint8_t* p) {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

void store_native16(std::uint8_t* p, std::uint16_t v) { std::memcpy(p, &v, sizeof v); }

}  // namespace

std::optional<IncomingOffload> decode_virtio_header(Bytes header) {
  if (header.size() < kVirtioHeaderSize) return std::nullopt;
  IncomingOffload in;
  const std::uint8_t flags = header[kFlags];
  in.checksum_partial = flags & kNeedsChecksum;
  in.checksum_trusted = flags & (kNeedsChecksum | kDataValid);
  switch (header[kGsoType] & ~kGsoEcn) {
    case kGsoNone: return in;
    case kGsoTcp4:
    case kGsoTcp6: in.segment_size = load_native16(&header[kGsoSize]); break;
    default: return std::nullopt;
  }
  if (in.segment_size == 0) return std::nullopt;
  // The checksum of a super-packet is filled in for each segment, so there is none to look at.
  in.checksum_trusted = true;
  return in;
}

void encode_virtio_header(const packet::Offload& offload, MutableBytes out) {
  CAUSEWAY_ASSERT(out.size() >= kVirtioHeaderSize);
  CAUSEWAY_ASSERT(offload.segmentation == packet::Segmentation::kNone || offload.needs_checksum);
  std::memset(out.data(), 0, kVirtioHeaderSize);
  if (offload.needs_checksum) {
    out[kFlags] = kNeedsChecksum;
    store_native16(&out[kChecksumStart], offload.checksum_start);
    store_native16(&out[kChecksumOffset], offload.checksum_offset);
  }
  if (offload.segmentation == packet::Segmentation::kNone) return;
  out[kGsoType] = offload.segmentation == packet::Segmentation::kTcp4 ? kGsoTcp4 : kGsoTcp6;
  store_native16(&out[kHeaderLength], offload.header_size);
  store_native16(&out[kGsoSize], offload.segment_size);
}

}  // namespace causeway::tun

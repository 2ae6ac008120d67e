#include "platform/linux/tun_device.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "tun/offload.h"

namespace causeway::platform {
namespace {

constexpr std::size_t kLargestPacket = 65535;
// A packet of a usual network's size, in one of the pool's small blocks.
constexpr std::size_t kSmallPacket = 2048;

// Before the virtio header, so that the packet behind it begins at a multiple of 16.
constexpr std::size_t kBefore = 6;
static_assert((kBefore + tun::kVirtioHeaderSize) % 16 == 0);
static_assert(kBefore + tun::kVirtioHeaderSize + kLargestPacket <= BufferPool::kPacket);

Error gone(int error) {
  return {ErrorCode::kUnavailable, "the tunnel's network interface is gone: " + error_text(error),
          "something removed it; bring the profile down and up again"};
}

iovec piece_of(Bytes bytes) { return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()}; }

}  // namespace

KernelTun::KernelTun(BufferPool& pool, Descriptor tun, std::uint16_t mtu) : pool_(pool), tun_(std::move(tun)), mtu_(mtu) {}

Result<std::size_t> KernelTun::read(std::span<packet::Incoming> batch) {
  std::size_t n = 0;
  while (n < batch.size()) {
    if (!next_) next_ = pool_.take(BufferPool::kPacket);
    const ssize_t size = ::read(tun_.get(), next_.data() + kBefore, next_.capacity() - kBefore);
    if (size <= 0) {
      const int error = size == 0 ? EPIPE : errno;
      if (error == EINTR) continue;
      // What was read before is worth having; the next call says it again.
      if (error == EAGAIN || n > 0) return n;
      return tl::make_unexpected(gone(error));
    }
    if (take(std::size_t(size), batch[n])) {
      ++n;
    } else {
      ++counters_.read_dropped;
    }
  }
  return n;
}

bool KernelTun::take(std::size_t size, packet::Incoming& out) {
  if (size <= tun::kVirtioHeaderSize) return false;
  const Bytes all = next_.bytes().subspan(kBefore, size);
  const auto offload = tun::decode_virtio_header(all);
  if (!offload) return false;
  out.packet = all.subspan(tun::kVirtioHeaderSize);
  if (out.packet.size() <= kSmallPacket) {
    Slice small = pool_.copy(out.packet);
    out.packet = small.bytes();
    out.owner = std::move(small.owner);
  } else {
    out.owner = std::move(next_);
  }
  out.checksum_trusted = offload->checksum_trusted;
  ++counters_.packets_read;
  counters_.bytes_read += out.packet.size();
  return true;
}

void KernelTun::write(const packet::PacketBatch& batch) {
  for (const packet::OutgoingPacket& p : batch.packets()) write(batch, p);
}

void KernelTun::write(const packet::PacketBatch& batch, const packet::OutgoingPacket& p) {
  std::array<std::uint8_t, tun::kVirtioHeaderSize> header;
  tun::encode_virtio_header(p.offload, header);
  pieces_.clear();
  pieces_.push_back(piece_of(header));
  Slice whole;
  if (p.pieces + 2 <= IOV_MAX) {
    pieces_.push_back(piece_of(batch.header(p)));
    for (const Bytes piece : batch.pieces(p)) pieces_.push_back(piece_of(piece));
  } else {
    whole = tun::gather(batch, p, pool_);
    pieces_.push_back(piece_of(whole.bytes()));
  }
  ssize_t written;
  do {
    written = ::writev(tun_.get(), pieces_.data(), int(pieces_.size()));
  } while (written < 0 && errno == EINTR);
  if (written < 0) {
    ++counters_.write_dropped;
    return;
  }
  ++counters_.packets_written;
  counters_.bytes_written += p.size;
}

}  // namespace causeway::platform

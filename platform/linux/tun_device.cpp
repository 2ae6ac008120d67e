#include "platform/linux/tun_device.h"

#include <errno.h>
#include <unistd.h>

#include "tun/virtio_header.h"

namespace causeway::platform {
namespace {

// Before the virtio header, so that the packet behind it begins at a multiple of 16.
constexpr std::size_t kBefore = 6;
static_assert((kBefore + tun::kVirtioHeaderSize) % 16 == 0);

iovec vector_of(Bytes bytes) { return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()}; }

}  // namespace

KernelTun::KernelTun(BufferPool& pool, Descriptor device, std::uint16_t mtu)
    : pool_(pool), device_(std::move(device)), mtu_(mtu) {}

Result<std::size_t> KernelTun::read(std::span<packet::Incoming> batch) {
  std::size_t count = 0;
  while (count < batch.size()) {
    packet::Incoming& into = batch[count];
    if (!into.owner || !into.owner.unique() || into.owner.capacity() < BufferPool::kPacket) {
      into.owner = pool_.take(BufferPool::kPacket);
    }
    MutableBytes space = into.owner.bytes().subspan(kBefore);
    ssize_t n = ::read(device_.get(), space.data(), space.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      into.owner = Buffer();
      break;
    }
    if (n <= 0) {
      if (count > 0) break;  // said again with the next read
      return fail(ErrorCode::kUnavailable, "the device is gone: " + (n < 0 ? error_text(errno) : "it was closed"),
                  "another program removed it: bring the tunnel up again");
    }
    auto offload = tun::decode_virtio_header(space.first(std::size_t(n)));
    if (!offload || std::size_t(n) <= tun::kVirtioHeaderSize) {
      ++counters_.read_dropped;
      continue;
    }
    into.packet = space.first(std::size_t(n)).subspan(tun::kVirtioHeaderSize);
    into.checksum_trusted = offload->checksum_trusted;
    ++counters_.packets_read;
    counters_.bytes_read += into.packet.size();
    ++count;
  }
  return count;
}

void KernelTun::write(const packet::PacketBatch& batch) {
  for (const packet::OutgoingPacket& packet : batch.packets()) {
    std::uint8_t header[tun::kVirtioHeaderSize];
    tun::encode_virtio_header(packet.offload, header);
    pieces_.clear();
    pieces_.push_back(vector_of(header));
    pieces_.push_back(vector_of(batch.header(packet)));
    for (Bytes piece : batch.pieces(packet)) pieces_.push_back(vector_of(piece));
    ssize_t n;
    do n = ::writev(device_.get(), pieces_.data(), int(pieces_.size()));
    while (n < 0 && errno == EINTR);
    if (n < 0) {
      ++counters_.write_dropped;
      continue;
    }
    ++counters_.packets_written;
    counters_.bytes_written += packet.size;
  }
}

}  // namespace causeway::platform

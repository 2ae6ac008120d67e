#include "tun/memory_device.h"

#include "tun/offload.h"

namespace causeway::tun {

std::pair<std::unique_ptr<MemoryDevice>, std::unique_ptr<MemoryDevice>> MemoryDevice::pair(BufferPool& pool,
                                                                                           const Options& options) {
  std::unique_ptr<MemoryDevice> a(new MemoryDevice(pool, options));
  std::unique_ptr<MemoryDevice> b(new MemoryDevice(pool, options));
  a->other_ = b.get();
  b->other_ = a.get();
  return {std::move(a), std::move(b)};
}

MemoryDevice::~MemoryDevice() {
  if (other_) other_->other_ = nullptr;
}

Result<std::size_t> MemoryDevice::read(std::span<packet::Incoming> batch) {
  std::size_t n = 0;
  for (; n < batch.size() && !queue_.empty(); ++n) {
    Waiting& next = queue_.front();
    ++counters_.packets_read;
    counters_.bytes_read += next.packet.size;
    batch[n].packet = next.packet.bytes();
    batch[n].owner = std::move(next.packet.owner);
    batch[n].checksum_trusted = next.checksum_trusted;
    queue_.pop_front();
  }
  return n;
}

void MemoryDevice::write(const packet::PacketBatch& batch) {
  for (const packet::OutgoingPacket& p : batch.packets()) {
    if (options_.offload) {
      send(gather(batch, p, pool_), p.offload.needs_checksum);
      continue;
    }
    finish(batch, p, pool_, finished_);
    for (Slice& packet : finished_) send(std::move(packet), false);
    finished_.clear();
  }
}

void MemoryDevice::send(Slice packet, bool checksum_trusted) {
  if (!other_ || other_->queue_.size() >= options_.capacity) {
    ++counters_.write_dropped;
    return;
  }
  ++counters_.packets_written;
  counters_.bytes_written += packet.size;
  other_->queue_.push_back({std::move(packet), checksum_trusted});
}

}  // namespace causeway::tun

// A device in memory: what is written to one end is read at the other. For tests and simulations; keeps order, loses nothing
// but what is beyond its bound.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "tun/device.h"

namespace causeway::tun {

class MemoryDevice final : public Device {
 public:
  struct Options {
    std::uint16_t mtu = 1500;
    // Super-packets and unfinished checksums pass as they are, as between a program and its kernel; else every packet is
    // finished when it is written, as for a wire.
    bool offload = true;
    std::size_t capacity = 500;  // packets that may wait at each end
  };

  // Two ends of one pipe. Either may be destroyed first; what is written to a lone end is dropped and counted. `pool` outlives
  // both.
  static std::pair<std::unique_ptr<MemoryDevice>, std::unique_ptr<MemoryDevice>> pair(BufferPool& pool,
                                                                                     const Options& options);
  ~MemoryDevice() override;

  Result<std::size_t> read(std::span<packet::Incoming> batch) override;
  void write(const packet::PacketBatch& batch) override;
  int descriptor() const override { return -1; }
  std::uint16_t mtu() const override { return options_.mtu; }
  const Counters& counters() const override { return counters_; }

  // Puts a packet into the queue of the other end, as if it had been written here.
  void send(Slice packet, bool checksum_trusted);
  std::size_t waiting() const { return queue_.size(); }

 private:
  struct Waiting {
    Slice packet;
    bool checksum_trusted = false;
  };

  MemoryDevice(BufferPool& pool, const Options& options) : pool_(pool), options_(options) {}

  BufferPool& pool_;
  const Options options_;
  MemoryDevice* other_ = nullptr;
  std::deque<Waiting> queue_;
  std::vector<Slice> finished_;
  Counters counters_;
};

}  // namespace causeway::tun

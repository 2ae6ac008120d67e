// Something that reads and writes IP packets: a kernel TUN, an in-memory pipe. Packets move in batches; a virtual call is
// made per batch, never per packet.
#pragma once

#include <span>

#include "core/base/result.h"
#include "core/packet/batch.h"
#include "core/packet/incoming.h"

namespace causeway::tun {

class Device {
 public:
  struct Counters {
    std::uint64_t packets_read = 0, bytes_read = 0;        // IP bytes; a super-packet counts as one
    std::uint64_t packets_written = 0, bytes_written = 0;
    std::uint64_t read_dropped = 0;   // came with a header that could not be understood
    std::uint64_t write_dropped = 0;  // the device had no room, or refused the packet
  };

  virtual ~Device() = default;

  // Fills `batch` from the front with packets that are waiting and gives how many. Fewer than asked for: none is left, wait for
  // descriptor() to become readable. Never waits. An error means that the device is gone for good.
  virtual Result<std::size_t> read(std::span<packet::Incoming> batch) = 0;

  // Writes the packets in order. Never waits: what the device cannot take now is dropped and counted. A device without
  // offloads does in software what a packet's Offload leaves to it (tun/offload.h).
  virtual void write(const packet::PacketBatch& batch) = 0;

  // Becomes readable when packets wait; -1 where there is none. The device keeps it open as long as it lives.
  virtual int descriptor() const = 0;

  // The size of packet that the host's own stack keeps to; read() and write() take larger ones, up to 65,535 bytes.
  virtual std::uint16_t mtu() const = 0;

  virtual const Counters& counters() const = 0;
};

}  // namespace causeway::tun

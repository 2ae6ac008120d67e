// The kernel's TUN device: what the machine routes into it is read here, what is written appears on the machine as received.
//
// Linux, Documentation/networking/tuntap.rst and drivers/net/tun.c. Each read and write moves one packet with its virtio
// header before it (tun/virtio_header.h); super-packets of up to 64 KB make up for the system calls.
#pragma once

#include <sys/uio.h>

#include <vector>

#include "core/base/buffer.h"
#include "platform/net/socket.h"
#include "tun/device.h"
#include "tun/virtio_header.h"

namespace causeway::platform {

class KernelTun final : public tun::Device {
 public:
  // `tun` is attached to its interface: IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6, non-blocking.
  // `pool` outlives the device and every packet that was read.
  KernelTun(BufferPool& pool, Descriptor tun, std::uint16_t mtu);

  // Small packets come in small blocks, so that one of them never holds the memory of a super-packet.
  Result<std::size_t> read(std::span<packet::Incoming> batch) override;
  // A packet that the kernel has no room for, or refuses (the interface is down), is dropped and counted.
  void write(const packet::PacketBatch& batch) override;
  int descriptor() const override { return tun_.get(); }
  std::uint16_t mtu() const override { return mtu_; }
  const Counters& counters() const override { return counters_; }

 private:
  bool take(std::size_t size, packet::Incoming& out);
  void write(const packet::PacketBatch& batch, const packet::OutgoingPacket& p);

  BufferPool& pool_;
  const Descriptor tun_;
  const std::uint16_t mtu_;
  Buffer next_;  // where the next packet is read into
  std::vector<iovec> pieces_;
  Counters counters_;
};

}  // namespace causeway::platform

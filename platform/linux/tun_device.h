// The kernel's TUN device as a Device: packets with virtio headers, segmentation offload both ways.
#pragma once

#include <sys/uio.h>

#include <vector>

#include "core/base/buffer.h"
#include "platform/net/socket.h"
#include "tun/device.h"

namespace causeway::platform {

class KernelTun final : public tun::Device {
 public:
  // `device` is non-blocking, opened with IFF_TUN | IFF_NO_PI | IFF_VNET_HDR. `pool` outlives this.
  KernelTun(BufferPool& pool, Descriptor device, std::uint16_t mtu);

  Result<std::size_t> read(std::span<packet::Incoming> batch) override;
  void write(const packet::PacketBatch& batch) override;
  int descriptor() const override { return device_.get(); }
  std::uint16_t mtu() const override { return mtu_; }
  const Counters& counters() const override { return counters_; }

 private:
  BufferPool& pool_;
  Descriptor device_;
  std::uint16_t mtu_;
  std::vector<iovec> pieces_;  // of one packet
  Counters counters_;
};

}  // namespace causeway::platform

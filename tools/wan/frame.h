// A frame as the kernel hands it over: its offload header (struct virtio_net_hdr), then Ethernet.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"

namespace causeway::wan {

// sizeof(virtio_net_hdr); <linux/virtio_net.h> itself is not for C++.
constexpr std::size_t kOffloadHeader = 10;
constexpr std::size_t kEthernetHeader = 14;

// What a frame is on a wire. Segments that are left to a device to cut are still one frame here.
struct OnWire {
  std::uint32_t frames = 1;
  std::uint64_t bytes = 0;  // with preamble, checksum and gap, each frame filled to Ethernet's least size
};

// `frame` holds at least the two headers.
OnWire on_wire(Bytes frame);

}  // namespace causeway::wan

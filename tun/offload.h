// What a packet's Offload leaves to the device, done in software: for devices that cannot, and for tests that look at what
// would reach the wire.
#pragma once

#include <vector>

#include "core/base/buffer.h"
#include "core/packet/batch.h"

namespace causeway::tun {

// The packet in one piece, nothing done to it.
Slice gather(const packet::PacketBatch& batch, const packet::OutgoingPacket& p, BufferPool& pool);

// Fills in a checksum that was left to the device. `packet` is whole, from its IP header.
void complete_checksum(MutableBytes packet, const packet::Offload& offload);

// Appends the packet or packets as they go on a wire: cut into segments, checksums whole.
void finish(const packet::PacketBatch& batch, const packet::OutgoingPacket& p, BufferPool& pool, std::vector<Slice>& out);

}  // namespace causeway::tun

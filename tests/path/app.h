// A program's TCP as its kernel shows it to the device: segments made in place in blocks of the pool, no payload kept, nothing
// allocated. It loses nothing and so repeats nothing.
#pragma once

#include "core/packet/incoming.h"
#include "core/packet/parse.h"

namespace causeway::path {

// What a program may send without a wider window of the stack, in one packet.
inline constexpr std::size_t kSuperPacket = 65535 - 40;

struct App {
  packet::Endpoint local, remote;
  std::uint32_t next = 1000;  // the sequence number of the next byte
  std::uint32_t acknowledged = 1000;
  std::uint32_t expected = 0;  // of the peer's bytes
  std::uint32_t peer_window = 0;
  std::uint64_t received = 0;
  std::uint8_t window_scale = 0;  // of the windows that it is told
  bool connected = false;
  bool peer_finished = false;
  bool reset = false;
  bool noted = false;  // has something to acknowledge

  // The peer's segment. True where it should be acknowledged at once.
  bool take(const packet::Parsed& segment);
  std::size_t room() const { return peer_window - (next - acknowledged); }
};

// A TCP segment from `app` with `size` bytes of payload that nobody looks at, in a block of `pool`. Its number moves on.
packet::Incoming segment(App& app, BufferPool& pool, std::uint8_t flags, std::size_t size);
packet::Incoming datagram(const packet::Endpoint& from, const packet::Endpoint& to, BufferPool& pool, std::size_t size);

}  // namespace causeway::path

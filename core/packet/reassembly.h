// Puts IP fragments together (RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722: overlaps end the packet) in bounded
// memory: at most `max_bytes` of buffers over all packets, 15 s of age, the oldest given up first.
//
// The memory is taken from the pool; the result is one whole packet (without the IPv6 fragment header), as if it had never been
// in pieces.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/time.h"
#include "core/packet/parse.h"

namespace causeway::packet {

class Reassembly {
 public:
  static constexpr Duration kMaxAge = std::chrono::seconds(15);

  struct Counters {
    std::uint64_t completed = 0;
    std::uint64_t expired = 0;    // too old
    std::uint64_t crowded_out = 0;  // gave way to newer ones
    std::uint64_t invalid = 0;    // overlapping, oversized or misaligned
  };

  explicit Reassembly(BufferPool& pool, std::size_t max_bytes = 4 * 1024 * 1024);

  // Takes a fragment (is_fragment is true). Gives the whole packet's bytes when it was the last one missing.
  std::optional<Slice> add(const Parsed& fragment, Instant now);

  Instant deadline() const;
  void advance(Instant now);
  const Counters& counters() const { return counters_; }
  std::size_t bytes_held() const;

 private:
  struct Key {
    Address source, destination;
    std::uint32_t id = 0;
    std::uint8_t protocol = 0;
    friend bool operator==(const Key&, const Key&) = default;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Packet {
    Key key;
    Instant since{};
    Buffer buffer;                 // room for the IP header, then the payload at its offset
    std::size_t header = 0;
    bool has_first = false;
    std::size_t total = 0;         // payload bytes, once the last fragment came
    std::vector<std::pair<std::uint32_t, std::uint32_t>> parts;  // sorted [begin, end) of what came
    bool dead = false;             // overlapped: later fragments of it are dropped until it expires
  };
  using Packets = std::list<Packet>;

  static bool holds(const Packet& packet, std::uint32_t begin, Bytes bytes);
  bool insert(Packet& packet, const Parsed& fragment);
  std::optional<Slice> finish(Packets::iterator packet);
  void give_up(Packets::iterator packet);

  BufferPool& pool_;
  std::size_t max_packets_;
  Packets packets_;  // oldest first
  std::map<Key, Packets::iterator> by_key_;
  Counters counters_;
};

}  // namespace causeway::packet

#include "core/packet/reassembly.h"

#include <algorithm>

#include "core/packet/checksum.h"

namespace causeway::packet {
namespace {

constexpr std::size_t kHeaderRoom = 60;  // the largest IPv4 header, and more than IPv6's
constexpr std::size_t kMaxPayload = 65535;
constexpr std::size_t kMaxParts = 128;

}  // namespace

Reassembly::Reassembly(BufferPool& pool, std::size_t max_bytes)
    : pool_(pool), max_packets_(std::max<std::size_t>(1, max_bytes / BufferPool::kPacket)) {}

std::optional<Slice> Reassembly::add(const Parsed& fragment, Instant now) {
  CAUSEWAY_ASSERT(fragment.is_fragment);
  Key key{fragment.tuple.source.address, fragment.tuple.destination.address, fragment.fragment.id, fragment.protocol()};
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (packets_.size() >= max_packets_) {
      ++counters_.crowded_out;
      give_up(packets_.begin());
    }
    packets_.push_back({key, now, pool_.take(BufferPool::kPacket), 0, false, 0, {}, false});
    found = by_key_.emplace(key, std::prev(packets_.end())).first;
  }
  Packet& packet = *found->second;
  if (packet.dead) return std::nullopt;
  if (!insert(packet, fragment)) {
    ++counters_.invalid;
    packet.dead = true;
    packet.buffer = Buffer();
    return std::nullopt;
  }
  bool whole = packet.total > 0 && packet.has_first && packet.parts.size() == 1 && packet.parts[0].second == packet.total;
  return whole ? finish(found->second) : std::nullopt;
}

// All of `bytes` has come before, and was the same: only a repeat on the way, not an overlap that hides something.
bool Reassembly::holds(const Packet& packet, std::uint32_t begin, Bytes bytes) {
  for (const auto& [from, to] : packet.parts) {
    if (from > begin || to < begin + bytes.size()) continue;
    return std::equal(bytes.begin(), bytes.end(), packet.buffer.data() + kHeaderRoom + begin);
  }
  return false;
}

bool Reassembly::insert(Packet& packet, const Parsed& fragment) {
  std::uint32_t begin = fragment.fragment.offset;
  std::uint32_t end = begin + std::uint32_t(fragment.payload.size());
  bool last = !fragment.fragment.more;
  if (fragment.payload.empty() || end > kMaxPayload || (!last && fragment.payload.size() % 8 != 0)) return false;
  if (packet.total != 0 && (end > packet.total || (last && end != packet.total))) return false;
  auto at = std::lower_bound(packet.parts.begin(), packet.parts.end(), std::pair{begin, end});
  if (holds(packet, begin, fragment.payload)) return true;  // a duplicate
  if (at != packet.parts.end() && at->first < end) return false;
  if (at != packet.parts.begin() && std::prev(at)->second > begin) return false;
  if (last) {
    if (!packet.parts.empty() && packet.parts.back().second > end) return false;
    packet.total = end;
  }
  if (begin == 0) {
    // The first fragment's IP header becomes the whole packet's; of IPv6 the 40 fixed bytes.
    packet.header = fragment.is_v4() ? std::size_t(fragment.packet[0] & 0x0f) * 4 : 40;
    std::memcpy(packet.buffer.data() + kHeaderRoom - packet.header, fragment.packet.data(), packet.header);
    packet.has_first = true;
  }
  copy_bytes(packet.buffer.bytes().subspan(kHeaderRoom + begin), fragment.payload);
  at = packet.parts.insert(at, {begin, end});
  if (std::next(at) != packet.parts.end() && std::next(at)->first == at->second) {
    at->second = std::next(at)->second;
    packet.parts.erase(std::next(at));
  }
  if (at != packet.parts.begin() && std::prev(at)->second == at->first) {
    std::prev(at)->second = at->second;
    packet.parts.erase(at);
  }
  return packet.parts.size() <= kMaxParts;
}

std::optional<Slice> Reassembly::finish(Packets::iterator it) {
  Packet& packet = *it;
  std::uint8_t* header = packet.buffer.data() + kHeaderRoom - packet.header;
  std::size_t size = packet.header + packet.total;
  bool v4 = packet.key.source.is_v4();
  if (v4 ? size > 65535 : packet.total > 65535) {
    ++counters_.invalid;
    give_up(it);
    return std::nullopt;
  }
  if (v4) {
    store16(header + 2, std::uint16_t(size));
    store16(header + 6, 0);
    store16(header + 10, 0);
    store16(header + 10, std::uint16_t(~fold(add_to_sum(0, {header, packet.header}))));
  } else {
    store16(header + 4, std::uint16_t(packet.total));
    header[6] = packet.key.protocol;
  }
  Slice whole{packet.buffer, header, size};
  ++counters_.completed;
  give_up(it);
  return whole;
}

void Reassembly::give_up(Packets::iterator it) {
  by_key_.erase(it->key);
  packets_.erase(it);
}

Instant Reassembly::deadline() const { return packets_.empty() ? kNever : packets_.front().since + kMaxAge; }

void Reassembly::advance(Instant now) {
  while (!packets_.empty() && packets_.front().since + kMaxAge <= now) {
    if (!packets_.front().dead) ++counters_.expired;
    give_up(packets_.begin());
  }
}

std::size_t Reassembly::bytes_held() const {
  std::size_t held = 0;
  for (const Packet& packet : packets_) held += packet.buffer ? packet.buffer.capacity() : 0;
  return held;
}

}  // namespace causeway::packet

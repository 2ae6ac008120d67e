// Real addresses of a cluster and the virtual ones that stand for them on this laptop, where another network has the real ones.
//
// A virtual address is handed out when a name is answered, and found again when a packet is sent to it. What was handed out stays for
// as long as was promised and a margin, and while a flow is pinned to it; after that it goes on to mean the same, until it has not
// been used for `idle` or the range is full and somebody else needs it: then the oldest goes. Which virtual address it is depends
// on the low bits of the real one where nobody has that already, so that a program which remembers an address from an earlier run
// finds the same service there, and people recognise it.
//
// Pure and deterministic. Memory is bounded by the ranges, of which at most kMaxAddresses are used each; it is taken with the first
// address handed out. is_virtual(), to_real(), pin() and unpin() allocate nothing, to_virtual() nothing after warm-up. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/packet/address.h"
#include "core/packet/routed_prefixes.h"

namespace causeway::engine {

class AddressMap {
 public:
  static constexpr std::size_t kMaxAddresses = 16384;  // of each family

  struct Settings {
    Duration margin = std::chrono::seconds(60);  // beyond what was promised, and after the last flow; not 0
    Duration idle = std::chrono::hours(24);      // beyond that, where there is room
  };

  // Nothing is virtual.
  AddressMap() = default;
  // What is handed out: at most one range of each family. Its first address and its last are not (some hosts take them for
  // broadcasts, or for any router: RFC 4291, section 2.6.1). A family without a range is never virtual.
  explicit AddressMap(const std::vector<packet::Cidr>& ranges);
  AddressMap(const std::vector<packet::Cidr>& ranges, const Settings& settings);

  // Which real addresses are virtual from now on: those in `prefixes`, but where a prefix of `except` is more specific, or the
  // same. What was handed out before still stands for what it stood for.
  void set_prefixes(std::vector<packet::Cidr> prefixes, const std::vector<packet::Cidr>& except = {});
  const std::vector<packet::Cidr>& prefixes() const { return prefixes_; }
  const std::vector<packet::Cidr>& ranges() const { return ranges_; }

  // An IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2) is treated as the IPv4 address in it, here and below.
  bool covers(const packet::Address& real) const;

  // The address to use on this laptop for the next `keep`: `real` itself where it is not covered; none where every address of
  // the range is promised or in use.
  std::optional<packet::Address> to_virtual(const packet::Address& real, Duration keep, Instant now);

  // It lies in a range, whether handed out or not.
  bool is_virtual(const packet::Address& address) const;
  // What is meant by a destination on this laptop: `address` itself where it lies in no range; none where it does and was not
  // handed out, or is forgotten.
  std::optional<packet::Address> to_real(const packet::Address& address) const;

  // A flow to `address` lives: it keeps its meaning until as many unpin() as pin(). Nothing happens where it has none.
  void pin(const packet::Address& address);
  void unpin(const packet::Address& address, Instant now);

  // Forgets what has been idle for too long; anything else that time does needs no call.
  void expire(Instant now);

  std::size_t size() const { return halves_[0].due.size() + halves_[1].due.size(); }  // addresses that mean something
  std::uint64_t exhausted() const { return exhausted_; }                              // times to_virtual() gave none

 private:
  struct Entry {
    packet::Address real;
    Instant until{};  // handed out, or used, until then
    std::uint32_t pins = 0;
  };
  // The addresses of one family.
  struct Half {
    packet::Cidr range;
    std::uint32_t first = 0;           // the last 32 bits of the range's first address
    std::uint32_t count = 0;           // addresses from there; 0: no such range
    std::vector<Entry> entries;        // by distance from the first
    std::vector<std::uint64_t> taken;  // a bit for each entry, set where it has a meaning, or is never given one
    std::unordered_map<packet::Address, std::uint32_t> by_real;
    // A heap with each entry once, soonest first. Its times are lower bounds: an entry's `until` may have moved on since.
    std::vector<std::pair<Instant, std::uint32_t>> due;
  };

  Half& half(const packet::Address& like) { return halves_[like.is_v6()]; }
  const Half& half(const packet::Address& like) const { return halves_[like.is_v6()]; }
  // Of an address that means something.
  static std::optional<std::uint32_t> index(const Half& half, const packet::Address& address);
  static packet::Address address(const Half& half, std::uint32_t index);
  Entry* find(const packet::Address& address);
  std::optional<std::uint32_t> vacancy(Half& half, const packet::Address& real, Instant now);
  // Takes the entry that was due first off the books if that was no later than `by`.
  std::optional<std::uint32_t> take_due(Half& half, Instant by);

  Settings settings_;
  std::vector<packet::Cidr> ranges_, prefixes_;
  packet::RoutedPrefixes covered_;
  std::array<Half, 2> halves_;  // IPv4, IPv6
  std::uint64_t exhausted_ = 0;
};

}  // namespace causeway::engine

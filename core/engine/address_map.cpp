#include "core/engine/address_map.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace causeway::engine {
namespace {

using packet::Address;
using packet::Cidr;

std::uint32_t low_bits(const Address& address) { return load32(address.bytes().last(4).data()); }

Address mapped(const Address& v4) {
  std::uint8_t raw[16]{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const Bytes inner = v4.bytes();
  std::copy(inner.begin(), inner.end(), raw + 12);
  return Address::from_bytes(raw);
}

constexpr std::uint32_t kWord = 64;

void mark(std::vector<std::uint64_t>& bits, std::uint32_t at, bool set) {
  const std::uint64_t bit = std::uint64_t(1) << at % kWord;
  set ? bits[at / kWord] |= bit : bits[at / kWord] &= ~bit;
}

// The first bit from `at` on, around the end, that is not set; there is one.
std::uint32_t next_unset(const std::vector<std::uint64_t>& bits, std::uint32_t at) {
  std::size_t word = at / kWord;
  std::uint64_t left = ~bits[word] & ~std::uint64_t(0) << at % kWord;
  while (left == 0) {
    word = (word + 1) % bits.size();
    left = ~bits[word];
  }
  return std::uint32_t(word) * kWord + std::uint32_t(std::countr_zero(left));
}

}  // namespace

AddressMap::AddressMap(const std::vector<Cidr>& ranges) : AddressMap(ranges, Settings()) {}

AddressMap::AddressMap(const std::vector<Cidr>& ranges, const Settings& settings)
    : settings_(settings), ranges_(ranges) {
  CAUSEWAY_ASSERT(settings.margin > Duration::zero());
  for (const Cidr& range : ranges) {
    Half& half = halves_[range.network().is_v6()];
    CAUSEWAY_ASSERT(half.count == 0);
    const unsigned bits = range.network().bits() - range.length();
    CAUSEWAY_ASSERT(bits >= 2);
    half.range = range;
    half.first = low_bits(range.network());
    half.count = bits >= 14 ? std::uint32_t(kMaxAddresses) : std::uint32_t(1) << bits;
  }
}

void AddressMap::set_prefixes(std::vector<Cidr> prefixes, const std::vector<Cidr>& except) {
  covered_ = packet::RoutedPrefixes(prefixes, except);
  prefixes_ = std::move(prefixes);
}

bool AddressMap::covers(const Address& real) const {
  const Address address = real.unmapped();
  return half(address).count != 0 && covered_.routed(address);
}

std::optional<Address> AddressMap::to_virtual(const Address& real, Duration keep, Instant now) {
  if (!covers(real)) return real;
  if (real.unmapped() != real) {
    auto inner = to_virtual(real.unmapped(), keep, now);
    return inner ? std::optional(mapped(*inner)) : std::nullopt;
  }
  Half& half = this->half(real);
  const Instant until = now + std::max(keep, Duration::zero()) + settings_.margin;
  if (auto known = half.by_real.find(real); known != half.by_real.end()) {
    Entry& entry = half.entries[known->second];
    entry.until = std::max(entry.until, until);
    return address(half, known->second);
  }
  const std::optional<std::uint32_t> index = vacancy(half, real, now);
  if (!index) {
    ++exhausted_;
    return std::nullopt;
  }
  half.entries[*index] = {real, until, 0};
  mark(half.taken, *index, true);
  half.by_real.emplace(real, *index);
  half.due.emplace_back(until, *index);
  std::push_heap(half.due.begin(), half.due.end(), std::greater());
  return address(half, *index);
}

bool AddressMap::is_virtual(const Address& address) const {
  const Half& half = this->half(address);
  if (half.count == 0) return false;
  if (address.is_v6()) return half.range.contains(address);
  return (low_bits(address) ^ half.first) >> 1 >> (31 - half.range.length()) == 0;
}

std::optional<Address> AddressMap::to_real(const Address& address) const {
  if (!is_virtual(address)) return address;
  const Half& half = this->half(address);
  const auto at = index(half, address);
  return at ? std::optional(half.entries[*at].real) : std::nullopt;
}

void AddressMap::pin(const Address& address) {
  if (Entry* entry = find(address)) ++entry->pins;
}

void AddressMap::unpin(const Address& address, Instant now) {
  Entry* entry = find(address);
  if (!entry || entry->pins == 0) return;
  --entry->pins;
  entry->until = std::max(entry->until, now + settings_.margin);
}

void AddressMap::expire(Instant now) {
  for (Half& half : halves_) {
    while (take_due(half, now - settings_.idle)) {
    }
  }
}

std::optional<std::uint32_t> AddressMap::index(const Half& half, const Address& address) {
  const Bytes from = half.range.network().bytes(), to = address.bytes();
  const std::uint32_t distance = low_bits(address) - half.first;
  if (distance >= half.entries.size() || distance == 0 || distance == half.count - 1) return std::nullopt;
  if ((half.taken[distance / kWord] >> distance % kWord & 1) == 0) return std::nullopt;
  if (!std::equal(from.begin(), from.end() - 4, to.begin())) return std::nullopt;
  return distance;
}

AddressMap::Entry* AddressMap::find(const Address& address) {
  if (!is_virtual(address)) return nullptr;
  Half& half = this->half(address);
  const auto at = index(half, address);
  return at ? &half.entries[*at] : nullptr;
}

Address AddressMap::address(const Half& half, std::uint32_t index) {
  std::uint8_t raw[16];
  const Bytes network = half.range.network().bytes();
  std::copy(network.begin(), network.end(), raw);
  store32(raw + network.size() - 4, half.first + index);
  return Address::from_bytes({raw, network.size()});
}

std::optional<std::uint32_t> AddressMap::vacancy(Half& half, const Address& real, Instant now) {
  if (half.entries.empty()) {
    half.entries.resize(half.count);
    half.taken.assign((half.count + kWord - 1) / kWord, 0);
    for (std::uint32_t at = half.count; at < half.taken.size() * kWord; ++at) mark(half.taken, at, true);
    mark(half.taken, 0, true);
    mark(half.taken, half.count - 1, true);
  }
  if (half.due.size() == half.count - 2) return take_due(half, now);
  return next_unset(half.taken, low_bits(real) % half.count);
}

std::optional<std::uint32_t> AddressMap::take_due(Half& half, Instant by) {
  while (!half.due.empty() && half.due.front().first <= by) {
    std::pop_heap(half.due.begin(), half.due.end(), std::greater());
    auto& [due, index] = half.due.back();
    Entry& entry = half.entries[index];
    if (entry.pins == 0 && entry.until <= by) {
      const std::uint32_t taken = index;
      half.due.pop_back();
      half.by_real.erase(entry.real);
      mark(half.taken, taken, false);
      return taken;
    }
    // In use, or promised for longer since: looked at again not before it can be due.
    due = entry.pins == 0 ? entry.until : std::max(entry.until, by + settings_.margin);
    std::push_heap(half.due.begin(), half.due.end(), std::greater());
  }
  return std::nullopt;
}

}  // namespace causeway::engine

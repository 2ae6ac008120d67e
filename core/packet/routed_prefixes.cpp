#include "core/packet/routed_prefixes.h"

#include <algorithm>

namespace causeway::packet {
namespace {

// `lower`: with the next bit 0, else 1.
Cidr half(const Cidr& whole, bool lower) {
  std::uint8_t raw[16];
  Bytes network = whole.network().bytes();
  std::copy(network.begin(), network.end(), raw);
  if (!lower) raw[whole.length() / 8] |= std::uint8_t(0x80u >> (whole.length() % 8));
  return Cidr(Address::from_bytes({raw, network.size()}), whole.length() + 1);
}

}  // namespace

RoutedPrefixes::RoutedPrefixes(const std::vector<Cidr>& routed, const std::vector<Cidr>& excluded) {
  std::vector<Entry> all;
  for (const Cidr& prefix : excluded) all.push_back({prefix, true});
  for (const Cidr& prefix : routed) all.push_back({prefix, false});
  // Of the same prefix, what excludes it comes first and stays.
  std::stable_sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.prefix < b.prefix; });
  auto same = [](const Entry& a, const Entry& b) { return a.prefix == b.prefix; };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  for (const Entry& entry : all) {
    bool v4 = entry.prefix.network().is_v4();
    unsigned bits = entry.prefix.length();
    auto found = std::find_if(lengths_.begin(), lengths_.end(),
                              [&](const Length& each) { return each.v4 == v4 && each.bits == bits; });
    if (found == lengths_.end()) found = lengths_.insert(found, Length{v4, bits, {}});
    found->entries.push_back(entry);
  }
  std::sort(lengths_.begin(), lengths_.end(), [](const Length& a, const Length& b) { return a.bits > b.bits; });
}

const RoutedPrefixes::Entry* RoutedPrefixes::most_specific(const Cidr& holding) const {
  for (const Length& length : lengths_) {
    if (length.v4 != holding.network().is_v4() || length.bits > holding.length()) continue;
    Cidr wanted(holding.network(), length.bits);
    auto found = std::lower_bound(length.entries.begin(), length.entries.end(), wanted,
                                  [](const Entry& entry, const Cidr& prefix) { return entry.prefix < prefix; });
    if (found != length.entries.end() && found->prefix == wanted) return &*found;
  }
  return nullptr;
}

RoutedPrefixes::Verdict RoutedPrefixes::verdict(const Address& address) const {
  const Entry* entry = most_specific(Cidr(address, address.bits()));
  return !entry ? Verdict::kOutside : entry->excluded ? Verdict::kExcluded : Verdict::kRouted;
}

// Whether entries lie within the prefix, itself included, that leave nothing of it over.
bool RoutedPrefixes::tiled(const Cidr& prefix) const {
  bool any = false;
  for (const Length& length : lengths_) {
    if (length.v4 != prefix.network().is_v4() || length.bits < prefix.length()) continue;
    for (const Entry& entry : length.entries) {
      if (entry.prefix == prefix) return true;
      any |= prefix.contains(entry.prefix.network());
    }
  }
  return any && tiled(half(prefix, true)) && tiled(half(prefix, false));
}

bool RoutedPrefixes::decides_within(const Cidr& rule, const Cidr& prefix) const {
  if (!rule.overlaps(prefix)) return false;
  const Cidr& common = rule.length() >= prefix.length() ? rule : prefix;
  const Entry* entry = most_specific(common);
  if (!entry || entry->prefix != rule) return false;
  if (common != rule) return !tiled(common);
  // The rule itself covers it: only what is more specific counts.
  if (common.length() == common.network().bits()) return true;
  return !tiled(half(common, true)) || !tiled(half(common, false));
}

}  // namespace causeway::packet

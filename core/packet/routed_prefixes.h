// Which addresses are a tunnel's: prefixes that go into it and prefixes that stay out, of which the most specific one that holds an
// address decides, as in a routing table (RFC 1812, section 5.2.4.3).
#pragma once

#include <cstdint>
#include <vector>

#include "core/packet/address.h"

namespace causeway::packet {

class RoutedPrefixes {
 public:
  enum class Verdict : std::uint8_t { kOutside, kRouted, kExcluded };  // kOutside: no prefix holds it

  RoutedPrefixes() = default;
  // A prefix that is in both lists stays out.
  RoutedPrefixes(const std::vector<Cidr>& routed, const std::vector<Cidr>& excluded);

  // Allocates nothing; its time depends on how many lengths there are, hardly on how many prefixes.
  Verdict verdict(const Address& address) const;
  bool routed(const Address& address) const { return verdict(address) == Verdict::kRouted; }

  // Whether `prefix` has an address whose verdict comes from `rule`, which is one of those given.
  bool decides_within(const Cidr& rule, const Cidr& prefix) const;

 private:
  struct Entry {
    Cidr prefix;
    bool excluded = false;
  };
  // Entries of one family and length, sorted.
  struct Length {
    bool v4;
    unsigned bits;
    std::vector<Entry> entries;
  };
  const Entry* most_specific(const Cidr& holding) const;
  bool tiled(const Cidr& prefix) const;

  std::vector<Length> lengths_;  // the longest first
};

}  // namespace causeway::packet

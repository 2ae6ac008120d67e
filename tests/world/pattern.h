// Content that says where it belongs: each byte follows from who sends it and how far into the conversation it stands, so one
// that is lost, repeated, swapped or damaged is found at once, without keeping what was sent.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"

namespace causeway::world {

inline std::uint64_t pattern_word(std::uint64_t stream, std::uint64_t index) {
  std::uint64_t z = stream * 0x9e3779b97f4a7c15u + index * 0xd1b54a32d192ed03u;
  z = (z ^ (z >> 32)) * 0xbf58476d1ce4e5b9u;
  return z ^ (z >> 29);
}

inline void fill_pattern(std::uint64_t stream, std::uint64_t offset, MutableBytes out) {
  for (std::size_t i = 0; i < out.size();) {
    std::uint64_t word = pattern_word(stream, (offset + i) / 8);
    std::size_t skip = std::size_t((offset + i) % 8);
    std::size_t n = std::min<std::size_t>(8 - skip, out.size() - i);
    std::memcpy(&out[i], reinterpret_cast<const std::uint8_t*>(&word) + skip, n);
    i += n;
  }
}

// How many bytes from the front are right.
inline std::size_t matching_pattern(std::uint64_t stream, std::uint64_t offset, Bytes bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    std::uint64_t word = pattern_word(stream, (offset + i) / 8);
    std::size_t skip = std::size_t((offset + i) % 8);
    std::size_t n = std::min<std::size_t>(8 - skip, bytes.size() - i);
    const auto* right = reinterpret_cast<const std::uint8_t*>(&word) + skip;
    for (std::size_t k = 0; k < n; ++k) {
      if (bytes[i + k] != right[k]) return i + k;
    }
    i += n;
  }
  return bytes.size();
}

}  // namespace causeway::world

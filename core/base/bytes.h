// Views of bytes, and the one place where payload is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "core/base/assert.h"

namespace causeway {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

// Payload bytes copied so far in this process, so that benchmarks and tests can hold the data path to its copies.
inline std::uint64_t copied_bytes = 0;

// Copies all of `from` to the start of `to`, which must be at least as long. Every payload copy goes through here.
inline void copy_bytes(MutableBytes to, Bytes from) {
  CAUSEWAY_ASSERT(to.size() >= from.size());
  if (from.empty()) return;
  std::memcpy(to.data(), from.data(), from.size());
  copied_bytes += from.size();
}

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Big-endian integers. The caller has checked the length.
inline std::uint16_t load16(const std::uint8_t* p) { return std::uint16_t(p[0] << 8 | p[1]); }
inline std::uint32_t load32(const std::uint8_t* p) {
  return std::uint32_t(p[0]) << 24 | std::uint32_t(p[1]) << 16 | std::uint32_t(p[2]) << 8 | p[3];
}
inline void store16(std::uint8_t* p, std::uint16_t v) {
  p[0] = std::uint8_t(v >> 8);
  p[1] = std::uint8_t(v);
}
inline void store32(std::uint8_t* p, std::uint32_t v) {
  store16(p, std::uint16_t(v >> 16));
  store16(p + 2, std::uint16_t(v));
}

}  // namespace causeway

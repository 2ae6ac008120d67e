// Bytes that are wiped when their owner goes: keys and what they are derived from.
#pragma once

#include <string.h>

#include <array>
#include <cstdint>

#include "core/base/bytes.h"

namespace causeway {

template <std::size_t N>
class Secret {
 public:
  Secret() { bytes_.fill(0); }
  explicit Secret(Bytes from) { std::memcpy(bytes_.data(), from.data(), checked(from).size()); }
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { wipe(); }

  void wipe() { ::explicit_bzero(bytes_.data(), N); }

  std::uint8_t* data() { return bytes_.data(); }
  const std::uint8_t* data() const { return bytes_.data(); }
  static constexpr std::size_t size() { return N; }
  Bytes bytes() const { return bytes_; }
  MutableBytes bytes() { return bytes_; }

 private:
  static Bytes checked(Bytes from) {
    CAUSEWAY_ASSERT(from.size() == N);
    return from;
  }

  std::array<std::uint8_t, N> bytes_;
};

}  // namespace causeway

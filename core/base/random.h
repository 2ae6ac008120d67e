// Randomness as it is passed in: libsodium's in programs, a seeded generator in tests.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"

namespace causeway {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableBytes out) = 0;

  std::uint64_t number() {
    std::uint8_t raw[8];
    fill(raw);
    std::uint64_t value;
    std::memcpy(&value, raw, sizeof value);
    return value;
  }
};

// splitmix64: reproducible, for tests and simulations. Never for keys.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  void fill(MutableBytes out) override {
    for (std::size_t at = 0; at < out.size();) {
      std::uint64_t value = next();
      for (int i = 0; i < 8 && at < out.size(); ++i, value >>= 8) out[at++] = std::uint8_t(value);
    }
  }

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // A number below `bound`, which is not 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace causeway

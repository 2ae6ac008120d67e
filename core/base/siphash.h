// SipHash-2-4: a keyed hash of short inputs that an outsider can neither predict nor collide (Aumasson and Bernstein, 2012).
// For hash tables and sequence numbers that a peer could otherwise aim at; not a mac for messages.
#pragma once

#include <bit>

#include "core/base/random.h"

namespace causeway {

class SipHash {
 public:
  SipHash(std::uint64_t k0, std::uint64_t k1) : k0_(k0), k1_(k1) {}
  // With a key of its own.
  explicit SipHash(Random& random) : k0_(random.number()), k1_(random.number()) {}

  std::uint64_t operator()(Bytes in) const {
    State s{k0_ ^ 0x736f6d6570736575u, k1_ ^ 0x646f72616e646f6du, k0_ ^ 0x6c7967656e657261u, k1_ ^ 0x7465646279746573u};
    std::size_t at = 0;
    for (; at + 8 <= in.size(); at += 8) s.absorb(little_endian(in.subspan(at, 8)));
    s.absorb(std::uint64_t(in.size()) << 56 | little_endian(in.subspan(at)));
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) s.round();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
  }

 private:
  struct State {
    std::uint64_t v0, v1, v2, v3;

    void absorb(std::uint64_t word) {
      v3 ^= word;
      round();
      round();
      v0 ^= word;
    }
    void round() {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  };

  // At most 8 bytes.
  static std::uint64_t little_endian(Bytes in) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < in.size(); ++i) word |= std::uint64_t(in[i]) << (8 * i);
    return word;
  }

  std::uint64_t k0_, k1_;
};

}  // namespace causeway

// Keys for tests, from a seed.
#pragma once

#include <vector>

#include "core/noise/keys.h"

namespace causeway::noise {

inline KeyPair seeded_keys(std::uint64_t seed) {
  SeededRandom random(seed);
  return generate(random);
}

// Points whose shared secret with anybody is zero (RFC 7748, section 6.1; the list of cr.yp.to/ecdh.html), little-endian.
inline const std::vector<PublicKey>& low_order_points() {
  static const std::vector<PublicKey> kPoints = [] {
    const PublicKey of_order_eight{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
                                   0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
    const PublicKey another{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
                            0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57};
    PublicKey zero{}, one{};
    one[0] = 1;
    // p - 1, p and p + 1 for p = 2^255 - 19.
    PublicKey p;
    p.fill(0xff);
    p[31] = 0x7f;
    PublicKey below = p, same = p, above = p;
    below[0] = 0xec;
    same[0] = 0xed;
    above[0] = 0xee;
    return std::vector<PublicKey>{zero, one, of_order_eight, another, below, same, above};
  }();
  return kPoints;
}

}  // namespace causeway::noise

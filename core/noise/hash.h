// BLAKE2b as Noise uses it: the hash, RFC 2104's HMAC over it (not BLAKE2b's own keyed mode) and the HKDF of section 4.3.
#pragma once

#include <array>

#include "core/base/secret.h"

namespace causeway::noise {

inline constexpr std::size_t kHashSize = 64;
using Hash = std::array<std::uint8_t, kHashSize>;
using HashSecret = Secret<kHashSize>;

// The hash of two pieces, one behind the other.
Hash hash(Bytes first, Bytes second = {});
HashSecret hmac(Bytes key, Bytes first, Bytes second = {});

struct Derived {
  HashSecret first, second, third;
};
// `third` is computed only when asked for.
Derived hkdf(Bytes chaining_key, Bytes input, bool three = false);

}  // namespace causeway::noise

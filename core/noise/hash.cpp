#include "core/noise/hash.h"

#include <sodium.h>

namespace causeway::noise {
namespace {

constexpr std::size_t kBlock = 128;

void hash_into(std::uint8_t* out, Bytes a, Bytes b, Bytes c = {}) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, kHashSize);
  for (Bytes piece : {a, b, c}) {
    if (!piece.empty()) crypto_generichash_update(&state, piece.data(), piece.size());
  }
  crypto_generichash_final(&state, out, kHashSize);
  sodium_memzero(&state, sizeof state);
}

}  // namespace

Hash hash(Bytes first, Bytes second) {
  Hash out;
  hash_into(out.data(), first, second);
  return out;
}

HashSecret hmac(Bytes key, Bytes first, Bytes second) {
  CAUSEWAY_ASSERT(key.size() <= kBlock);
  Secret<kBlock> inner, outer;
  for (std::size_t i = 0; i < kBlock; ++i) {
    std::uint8_t k = i < key.size() ? key[i] : 0;
    inner.data()[i] = k ^ 0x36;
    outer.data()[i] = k ^ 0x5c;
  }
  HashSecret inside, out;
  hash_into(inside.data(), inner.bytes(), first, second);
  hash_into(out.data(), outer.bytes(), inside.bytes());
  return out;
}

Derived hkdf(Bytes chaining_key, Bytes input, bool three) {
  static constexpr std::uint8_t kOne[1]{1}, kTwo[1]{2}, kThree[1]{3};
  Derived out;
  HashSecret temporary = hmac(chaining_key, input);
  out.first = hmac(temporary.bytes(), kOne);
  out.second = hmac(temporary.bytes(), out.first.bytes(), kTwo);
  if (three) out.third = hmac(temporary.bytes(), out.second.bytes(), kThree);
  return out;
}

}  // namespace causeway::noise

#include "core/noise/keys.h"

#include <sodium.h>

#include <algorithm>

namespace causeway::noise {

SodiumRandom::SodiumRandom() { CAUSEWAY_ASSERT(sodium_init() >= 0); }

void SodiumRandom::fill(MutableBytes out) { randombytes_buf(out.data(), out.size()); }

KeyPair generate(Random& random) {
  PrivateKey key;
  random.fill(key.bytes());
  return from_private(key);
}

KeyPair from_private(const PrivateKey& private_key) {
  KeyPair pair;
  pair.private_key = private_key;
  crypto_scalarmult_base(pair.public_key.data(), private_key.data());
  return pair;
}

bool diffie_hellman(const PrivateKey& own, const PublicKey& peer, Secret<32>& shared) {
  return crypto_scalarmult(shared.data(), own.data(), peer.data()) == 0;
}

std::string encode_key(Bytes key) {
  CAUSEWAY_ASSERT(key.size() == 32);
  char text[sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL)];
  sodium_bin2base64(text, sizeof text, key.data(), key.size(), sodium_base64_VARIANT_ORIGINAL);
  std::string out = text;
  sodium_memzero(text, sizeof text);
  return out;
}

std::optional<Secret<32>> parse_key(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return std::nullopt;
  text = text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
  if (text.size() != 44) return std::nullopt;
  Secret<32> key;
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(key.data(), 32, text.data(), text.size(), nullptr, &size, &end,
                        sodium_base64_VARIANT_ORIGINAL) != 0 ||
      size != 32 || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return key;
}

std::optional<PublicKey> parse_public_key(std::string_view text) {
  auto key = parse_key(text);
  if (!key) return std::nullopt;
  PublicKey out;
  std::copy(key->bytes().begin(), key->bytes().end(), out.begin());
  return out;
}

std::string fingerprint(const PublicKey& key) {
  char text[9];
  sodium_bin2hex(text, sizeof text, key.data(), 4);
  return text;
}

}  // namespace causeway::noise

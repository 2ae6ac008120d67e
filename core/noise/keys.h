// X25519 keys, their text form (base64, 44 characters, as WireGuard's) and the randomness they come from.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/random.h"
#include "core/base/secret.h"

namespace causeway::noise {

using PublicKey = std::array<std::uint8_t, 32>;
using PrivateKey = Secret<32>;

struct KeyPair {
  PrivateKey private_key;
  PublicKey public_key{};
};

// libsodium's generator; the first one made initialises the library.
class SodiumRandom final : public Random {
 public:
  SodiumRandom();
  void fill(MutableBytes out) override;
};

KeyPair generate(Random& random);
KeyPair from_private(const PrivateKey& private_key);

// False for a point of low order: the shared secret would be zero (RFC 7748, section 6.1).
bool diffie_hellman(const PrivateKey& own, const PublicKey& peer, Secret<32>& shared);

std::string encode_key(Bytes key);  // 32 bytes
// Exactly 44 characters of base64; white space around them is allowed.
std::optional<Secret<32>> parse_key(std::string_view text);
std::optional<PublicKey> parse_public_key(std::string_view text);
// The first 8 hex digits, for people.
std::string fingerprint(const PublicKey& key);

}  // namespace causeway::noise

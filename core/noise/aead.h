// ChaCha20-Poly1305 (RFC 8439) as one library does it; the bytes are the same whichever does. For one thread.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "core/base/secret.h"

namespace causeway::noise {

class Aead {
 public:
  static constexpr std::size_t kTag = 16;
  using Key = Secret<32>;
  using Nonce = std::array<std::uint8_t, 12>;

  Aead() = default;
  virtual ~Aead() = default;
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;

  virtual std::string name() const = 0;  // "libsodium 1.0.18"

  // Seals the first `size` bytes of `text` in place and puts the tag behind them.
  virtual void seal(const Key& key, const Nonce& nonce, Bytes associated, MutableBytes text, std::size_t size) = 0;
  // Opens `text` in place; its last 16 bytes are the tag. False where the tag is wrong: what stood before it is zeroed.
  [[nodiscard]] virtual bool open(const Key& key, const Nonce& nonce, Bytes associated, MutableBytes text) = 0;
  // Wipes what is kept from one record to the next.
  virtual void forget() = 0;
};

std::unique_ptr<Aead> libsodium_aead();
// Null where the program was built without libcrypto, or where libcrypto was built without this cipher.
std::unique_ptr<Aead> libcrypto_aead();

}  // namespace causeway::noise

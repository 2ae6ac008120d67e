#include "core/noise/cipher_state.h"

#include <sodium.h>

namespace causeway::noise {
namespace {

struct Nonce {
  explicit Nonce(std::uint64_t n) {
    for (int i = 0; i < 8; ++i) bytes[4 + i] = std::uint8_t(n >> (8 * i));
  }
  std::uint8_t bytes[12]{};
};

}  // namespace

bool CipherState::seal(Bytes associated, MutableBytes text, std::size_t size) {
  CAUSEWAY_ASSERT(has_key_ && text.size() >= size + kTag);
  if (nonce_ == kLastNonce) return false;
  crypto_aead_chacha20poly1305_ietf_encrypt(text.data(), nullptr, text.data(), size, associated.data(), associated.size(),
                                            nullptr, Nonce(nonce_).bytes, key_.data());
  ++nonce_;
  return true;
}

bool CipherState::open(Bytes associated, MutableBytes text) {
  CAUSEWAY_ASSERT(has_key_);
  if (nonce_ == kLastNonce || text.size() < kTag) return false;
  if (crypto_aead_chacha20poly1305_ietf_decrypt(text.data(), nullptr, nullptr, text.data(), text.size(), associated.data(),
                                                associated.size(), Nonce(nonce_).bytes, key_.data()) != 0) {
    return false;
  }
  ++nonce_;
  return true;
}

}  // namespace causeway::noise

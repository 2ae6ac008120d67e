#include "core/noise/cipher_state.h"

#include "core/noise/aead_choice.h"

namespace causeway::noise {
namespace {

// Noise section 12: four bytes of zeros, then the counter, little-endian.
Aead::Nonce nonce_of(std::uint64_t n) {
  Aead::Nonce bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[4 + i] = std::uint8_t(n >> (8 * i));
  return bytes;
}

}  // namespace

bool CipherState::seal(Bytes associated, MutableBytes text, std::size_t size) {
  CAUSEWAY_ASSERT(has_key_ && text.size() >= size + kTag);
  if (nonce_ == kLastNonce) return false;
  aead().of(size).seal(key_, nonce_of(nonce_), associated, text, size);
  ++nonce_;
  return true;
}

bool CipherState::open(Bytes associated, MutableBytes text) {
  CAUSEWAY_ASSERT(has_key_);
  if (nonce_ == kLastNonce || text.size() < kTag) return false;
  if (!aead().of(text.size() - kTag).open(key_, nonce_of(nonce_), associated, text)) return false;
  ++nonce_;
  return true;
}

void CipherState::wipe() {
  if (has_key_) forget_last_key();
  key_.wipe();
  has_key_ = false;
}

}  // namespace causeway::noise

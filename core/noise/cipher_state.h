// One direction's key and counter (Noise section 5.1), sealing and opening in place. The only caller of the AEAD.
// A plain value, cheap to copy.
#pragma once

#include "core/noise/aead.h"

namespace causeway::noise {

class CipherState {
 public:
  static constexpr std::size_t kTag = Aead::kTag;
  static constexpr std::uint64_t kLastNonce = ~std::uint64_t(0);  // reserved by Noise

  CipherState() = default;
  explicit CipherState(Bytes key) : key_(key), has_key_(true) {}
  CipherState(const CipherState&) = default;
  CipherState& operator=(const CipherState&) = default;
  ~CipherState() { wipe(); }

  bool has_key() const { return has_key_; }
  std::uint64_t nonce() const { return nonce_; }
  void set_nonce(std::uint64_t nonce) { nonce_ = nonce; }

  // Seals the first `size` bytes of `text`, which has room for the tag behind them. False once the nonces are used up.
  [[nodiscard]] bool seal(Bytes associated, MutableBytes text, std::size_t size);
  // Opens `text` (the tag is its last 16 bytes) in place. A failure zeroes the text and changes
  // nothing else.
  [[nodiscard]] bool open(Bytes associated, MutableBytes text);

  // The key, and what the AEAD kept of the last one.
  void wipe();

 private:
  Secret<32> key_;
  bool has_key_ = false;
  std::uint64_t nonce_ = 0;
};

}  // namespace causeway::noise

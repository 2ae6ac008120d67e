#include <sodium.h>

#include "core/noise/aead.h"

namespace causeway::noise {
namespace {

class LibsodiumAead final : public Aead {
 public:
  // It has no fast code before it is initialised. Repeating that is harmless.
  LibsodiumAead() { CAUSEWAY_ASSERT(sodium_init() >= 0); }

  std::string name() const override { return std::string("libsodium ") + sodium_version_string(); }

  void seal(const Key& key, const Nonce& nonce, Bytes associated, MutableBytes text, std::size_t size) override {
    crypto_aead_chacha20poly1305_ietf_encrypt(text.data(), nullptr, text.data(), size, associated.data(),
                                              associated.size(), nullptr, nonce.data(), key.data());
  }

  bool open(const Key& key, const Nonce& nonce, Bytes associated, MutableBytes text) override {
    return crypto_aead_chacha20poly1305_ietf_decrypt(text.data(), nullptr, nullptr, text.data(), text.size(),
                                                     associated.data(), associated.size(), nonce.data(),
                                                     key.data()) == 0;
  }

  void forget() override {}
};

}  // namespace

std::unique_ptr<Aead> libsodium_aead() { return std::make_unique<LibsodiumAead>(); }

}  // namespace causeway::noise

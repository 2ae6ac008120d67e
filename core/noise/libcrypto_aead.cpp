// Through OpenSSL 3's EVP interface (EVP_EncryptInit(3)). One context serves all keys: keying it anew costs 50 ns a
// record, a hundredth of a full one, and a CipherState stays a plain value.
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <climits>

#include "core/noise/aead.h"

namespace causeway::noise {
namespace {

struct Free {
  void operator()(OSSL_LIB_CTX* library) const { OSSL_LIB_CTX_free(library); }
  void operator()(OSSL_PROVIDER* provider) const { OSSL_PROVIDER_unload(provider); }
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

class LibcryptoAead final : public Aead {
 public:
  // A library context of its own, with the default provider whatever the machine's openssl.cnf asks for.
  LibcryptoAead()
      : library_(OSSL_LIB_CTX_new()),
        provider_(OSSL_PROVIDER_load(library_.get(), "default")),
        cipher_(EVP_CIPHER_fetch(library_.get(), "ChaCha20-Poly1305", nullptr)),
        context_(EVP_CIPHER_CTX_new()) {}

  bool usable() const { return library_ && provider_ && cipher_ && context_; }

  std::string name() const override { return std::string("libcrypto ") + OpenSSL_version(OPENSSL_VERSION_STRING); }

  void seal(const Key& key, const Nonce& nonce, Bytes associated, MutableBytes text, std::size_t size) override {
    begin(key, nonce, associated, true);
    int done = update(text.data(), text.first(size));
    int more = 0;
    CAUSEWAY_ASSERT(EVP_CipherFinal_ex(context_.get(), text.data() + done, &more) == 1);
    OSSL_PARAM tag[] = {tag_at(text.data() + size), OSSL_PARAM_construct_end()};
    CAUSEWAY_ASSERT(EVP_CIPHER_CTX_get_params(context_.get(), tag) == 1);
  }

  bool open(const Key& key, const Nonce& nonce, Bytes associated, MutableBytes text) override {
    MutableBytes body = text.first(text.size() - kTag);
    begin(key, nonce, associated, false);
    OSSL_PARAM tag[] = {tag_at(text.data() + body.size()), OSSL_PARAM_construct_end()};
    CAUSEWAY_ASSERT(EVP_CIPHER_CTX_set_params(context_.get(), tag) == 1);
    int done = update(text.data(), body);
    int more = 0;
    if (EVP_CipherFinal_ex(context_.get(), text.data() + done, &more) == 1) return true;
    // It deciphers before it knows the tag.
    ::explicit_bzero(body.data(), body.size());
    return false;
  }

  void forget() override {
    if (!keyed_) return;
    EVP_CIPHER_CTX_reset(context_.get());
    keyed_ = false;
  }

 private:
  static OSSL_PARAM tag_at(std::uint8_t* tag) {
    return OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, kTag);
  }

  void begin(const Key& key, const Nonce& nonce, Bytes associated, bool sealing) {
    // Naming the cipher again would make the context anew.
    const EVP_CIPHER* cipher = keyed_ ? nullptr : cipher_.get();
    CAUSEWAY_ASSERT(EVP_CipherInit_ex2(context_.get(), cipher, key.data(), nonce.data(), sealing, nullptr) == 1);
    keyed_ = true;
    if (!associated.empty()) update(nullptr, associated);
  }

  int update(std::uint8_t* out, Bytes in) {
    CAUSEWAY_ASSERT(in.size() <= INT_MAX);
    int done = 0;
    CAUSEWAY_ASSERT(EVP_CipherUpdate(context_.get(), out, &done, in.data(), int(in.size())) == 1);
    return done;
  }

  Owned<OSSL_LIB_CTX> library_;
  Owned<OSSL_PROVIDER> provider_;
  Owned<EVP_CIPHER> cipher_;
  Owned<EVP_CIPHER_CTX> context_;
  bool keyed_ = false;
};

}  // namespace

std::unique_ptr<Aead> libcrypto_aead() {
  auto aead = std::make_unique<LibcryptoAead>();
  if (!aead->usable()) return nullptr;
  return aead;
}

}  // namespace causeway::noise

// Which library seals and opens a record: libsodium, or for larger ones a faster one that has proved itself.
#pragma once

#include "core/noise/aead.h"

namespace causeway::noise {

class AeadChoice {
 public:
  // Below this libcrypto's fixed cost of a record (its calls, the key) is more than it saves.
  static constexpr std::size_t kFasterFrom = 768;

  // Tests `faster` against libsodium. Where it fails, or is null, libsodium does everything.
  explicit AeadChoice(std::unique_ptr<Aead> faster);

  // For a text of `size` bytes, its tag not counted.
  Aead& of(std::size_t size) { return faster_ && size >= kFasterFrom ? *faster_ : *libsodium_; }
  // Who does it, for people: "ChaCha20-Poly1305 by libcrypto 3.0.19".
  const std::string& name() const { return name_; }
  void forget();

 private:
  std::unique_ptr<Aead> libsodium_, faster_;
  std::string name_;
};

// This thread's, chosen when it is first asked for.
AeadChoice& aead();
// Wipes what this thread's AEADs keep of the last key, if there are any.
void forget_last_key();
inline const std::string& cipher_name() { return aead().name(); }

}  // namespace causeway::noise

#include "core/noise/aead_choice.h"

#include "core/noise/aead_self_test.h"

namespace causeway::noise {
namespace {

// Null before the thread's choice is made and after it is gone: a key of static duration is wiped later than that.
thread_local AeadChoice* chosen = nullptr;

struct Owner {
  Owner() { chosen = &choice; }
  ~Owner() { chosen = nullptr; }
  AeadChoice choice{libcrypto_aead()};
};

}  // namespace

AeadChoice::AeadChoice(std::unique_ptr<Aead> faster) : libsodium_(libsodium_aead()), faster_(std::move(faster)) {
  name_ = "ChaCha20-Poly1305 by " + libsodium_->name();
  if (!faster_) return;
  if (passes_self_test(*faster_, *libsodium_)) {
    name_ = "ChaCha20-Poly1305 by " + faster_->name();
  } else {
    name_ += " (" + faster_->name() + " failed its self-test)";
    faster_.reset();
  }
}

void AeadChoice::forget() {
  libsodium_->forget();
  if (faster_) faster_->forget();
}

AeadChoice& aead() {
  thread_local Owner owner;
  return owner.choice;
}

void forget_last_key() {
  if (chosen) chosen->forget();
}

}  // namespace causeway::noise

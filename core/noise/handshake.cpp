#include "core/noise/handshake.h"

#include <algorithm>

namespace causeway::noise {

Handshake Handshake::initiator(Pattern pattern, Bytes prologue, const KeyPair& own, const PublicKey& responder) {
  return Handshake(pattern, true, prologue, own, responder);
}

Handshake Handshake::responder(Pattern pattern, Bytes prologue, const KeyPair& own) {
  return Handshake(pattern, false, prologue, own, own.public_key);
}

Handshake::Handshake(Pattern pattern, bool initiator, Bytes prologue, const KeyPair& own, const PublicKey& responder)
    : pattern_(pattern), initiator_(initiator), own_(own) {
  std::string_view name =
      pattern == Pattern::kIk ? "Noise_IK_25519_ChaChaPoly_BLAKE2b" : "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b";
  std::copy(name.begin(), name.end(), h_.begin());  // shorter than a hash: padded with zeros, not hashed
  chaining_key_ = HashSecret(Bytes(h_));
  mix_hash(prologue);
  mix_hash(responder);
  if (initiator) peer_ = responder;
}

void Handshake::mix_key(Bytes input) {
  Derived derived = hkdf(chaining_key_.bytes(), input);
  chaining_key_ = derived.first;
  cipher_ = CipherState(derived.second.bytes().first(32));
}

void Handshake::mix_key_and_hash(Bytes input) {
  Derived derived = hkdf(chaining_key_.bytes(), input, true);
  chaining_key_ = derived.first;
  mix_hash(derived.second.bytes());
  cipher_ = CipherState(derived.third.bytes().first(32));
}

bool Handshake::mix_dh(const PrivateKey& own, const PublicKey& peer) {
  Secret<32> shared;
  if (!diffie_hellman(own, peer, shared)) return false;
  mix_key(shared.bytes());
  return true;
}

// Where a pre-shared key is in the pattern, every ephemeral key is mixed into the key too (section 9.2).
void Handshake::mix_ephemeral(const PublicKey& key) {
  mix_hash(key);
  if (pattern_ == Pattern::kIkPsk2) mix_key(key);
}

void Handshake::append_sealed(Bytes text, std::vector<std::uint8_t>& out) {
  std::size_t at = out.size();
  out.insert(out.end(), text.begin(), text.end());
  out.resize(out.size() + CipherState::kTag);
  CAUSEWAY_ASSERT(cipher_.seal(h_, MutableBytes(out).subspan(at), text.size()));
  mix_hash(Bytes(out).subspan(at));
}

bool Handshake::open_sealed(Bytes text, std::vector<std::uint8_t>& out) {
  out.assign(text.begin(), text.end());
  if (!cipher_.open(h_, out)) {
    out.clear();
    return false;
  }
  out.resize(out.size() - CipherState::kTag);
  mix_hash(text);
  return true;
}

bool Handshake::write_one(const KeyPair& ephemeral, Bytes payload, std::vector<std::uint8_t>& out) {
  CAUSEWAY_ASSERT(initiator_);
  if (payload.size() + kOverheadOne > kMaxMessage) return false;
  ephemeral_ = ephemeral;
  out.assign(ephemeral_.public_key.begin(), ephemeral_.public_key.end());
  mix_ephemeral(ephemeral_.public_key);
  if (!mix_dh(ephemeral_.private_key, peer_)) return false;
  append_sealed(own_.public_key, out);
  if (!mix_dh(own_.private_key, peer_)) return false;
  append_sealed(payload, out);
  return true;
}

bool Handshake::read_one(Bytes message, std::vector<std::uint8_t>& payload) {
  CAUSEWAY_ASSERT(!initiator_);
  if (message.size() < kOverheadOne || message.size() > kMaxMessage) return false;
  std::copy_n(message.begin(), 32, peer_ephemeral_.begin());
  mix_ephemeral(peer_ephemeral_);
  if (!mix_dh(own_.private_key, peer_ephemeral_)) return false;
  std::vector<std::uint8_t> key;
  if (!open_sealed(message.subspan(32, 48), key)) return false;
  std::copy(key.begin(), key.end(), peer_.begin());
  if (!mix_dh(own_.private_key, peer_)) return false;
  return open_sealed(message.subspan(80), payload);
}

bool Handshake::write_two(const KeyPair& ephemeral, Bytes payload, std::vector<std::uint8_t>& out) {
  CAUSEWAY_ASSERT(!initiator_ && (pattern_ == Pattern::kIk || psk_));
  if (payload.size() + kOverheadTwo > kMaxMessage) return false;
  ephemeral_ = ephemeral;
  out.assign(ephemeral_.public_key.begin(), ephemeral_.public_key.end());
  mix_ephemeral(ephemeral_.public_key);
  if (!mix_dh(ephemeral_.private_key, peer_ephemeral_) || !mix_dh(ephemeral_.private_key, peer_)) return false;
  if (pattern_ == Pattern::kIkPsk2) mix_key_and_hash(psk_->bytes());
  append_sealed(payload, out);
  return true;
}

bool Handshake::read_two(Bytes message, std::vector<std::uint8_t>& payload) {
  CAUSEWAY_ASSERT(initiator_ && (pattern_ == Pattern::kIk || psk_));
  if (message.size() < kOverheadTwo || message.size() > kMaxMessage) return false;
  std::copy_n(message.begin(), 32, peer_ephemeral_.begin());
  mix_ephemeral(peer_ephemeral_);
  if (!mix_dh(ephemeral_.private_key, peer_ephemeral_) || !mix_dh(own_.private_key, peer_ephemeral_)) return false;
  if (pattern_ == Pattern::kIkPsk2) mix_key_and_hash(psk_->bytes());
  return open_sealed(message.subspan(32), payload);
}

void Handshake::split(CipherState& send, CipherState& receive) const {
  Derived derived = hkdf(chaining_key_.bytes(), {});
  CipherState first(derived.first.bytes().first(32));
  CipherState second(derived.second.bytes().first(32));
  send = initiator_ ? first : second;
  receive = initiator_ ? second : first;
}

}  // namespace causeway::noise

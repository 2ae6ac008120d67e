// The handshakes Noise_IK_25519_ChaChaPoly_BLAKE2b and Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b (revision 34), both roles.
//
//   IK:      <- s  ...  -> e, es, s, ss   <- e, ee, se          IKpsk2: the second ends with psk
//
// A Handshake copies, so that an answer is tried on a copy and garbage does not end one that is pending. Reading gives false and
// leaves the object unusable; whoever may want to try again keeps a copy.
#pragma once

#include <optional>
#include <vector>

#include "core/noise/cipher_state.h"
#include "core/noise/hash.h"
#include "core/noise/keys.h"

namespace causeway::noise {

using Psk = Secret<32>;

class Handshake {
 public:
  enum class Pattern : std::uint8_t { kIk = 1, kIkPsk2 = 2 };
  static constexpr std::size_t kOverheadOne = 32 + 48 + 16;
  static constexpr std::size_t kOverheadTwo = 32 + 16;
  static constexpr std::size_t kMaxMessage = 65535;

  static Handshake initiator(Pattern pattern, Bytes prologue, const KeyPair& own, const PublicKey& responder);
  static Handshake responder(Pattern pattern, Bytes prologue, const KeyPair& own);

  // IKpsk2's shared secret; before message two is written or read.
  void set_psk(const Psk& psk) { psk_ = psk; }

  // `ephemeral` is fresh for every handshake.
  [[nodiscard]] bool write_one(const KeyPair& ephemeral, Bytes payload, std::vector<std::uint8_t>& out);
  [[nodiscard]] bool read_one(Bytes message, std::vector<std::uint8_t>& payload);
  [[nodiscard]] bool write_two(const KeyPair& ephemeral, Bytes payload, std::vector<std::uint8_t>& out);
  [[nodiscard]] bool read_two(Bytes message, std::vector<std::uint8_t>& payload);

  // The peer's static key: given to an initiator, learnt by a responder from message one.
  const PublicKey& peer() const { return peer_; }
  const Hash& handshake_hash() const { return h_; }
  // After message two.
  void split(CipherState& send, CipherState& receive) const;

 private:
  Handshake(Pattern pattern, bool initiator, Bytes prologue, const KeyPair& own, const PublicKey& responder);

  void mix_hash(Bytes data) { h_ = hash(h_, data); }
  void mix_key(Bytes input);
  void mix_key_and_hash(Bytes input);
  bool mix_dh(const PrivateKey& own, const PublicKey& peer);
  void mix_ephemeral(const PublicKey& key);
  void append_sealed(Bytes text, std::vector<std::uint8_t>& out);
  bool open_sealed(Bytes text, std::vector<std::uint8_t>& out);

  Pattern pattern_;
  bool initiator_;
  KeyPair own_;
  KeyPair ephemeral_;
  PublicKey peer_{};
  PublicKey peer_ephemeral_{};
  std::optional<Psk> psk_;
  HashSecret chaining_key_;
  Hash h_{};
  CipherState cipher_;
};

}  // namespace causeway::noise

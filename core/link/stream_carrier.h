// One stream carrier (TCP, or a connected descriptor) from its first byte to its last: handshake, records, rekey. The link
// above sees the plaintext of records, in order, and nothing of how they were sealed.
//
// On the wire, client to gateway: one byte that names the pattern (1 IK, 2 IKpsk2), a 2-byte length, Noise message one, and a
// 16-byte mac keyed with the gateway's public key, over all before it. Gateway to client: a 2-byte length and message two. Then
// records both ways: a 2-byte length and a ciphertext of at most kMaxRecord + 16 bytes.
//
// Rekey: HANDSHAKE frames (frame type kHandshakeFrame, then a kind: 1 message one, 2 message two, 3 switch), each alone in its
// record. The client starts one 120 s after the last or when its records run out; the gateway's records are under the new
// key from the one behind message two, the client's from the one behind its switch; old keys are erased there. The gateway ends a
// carrier that was not rekeyed for 180 s. A rekey is always Noise IK: what it agrees on is sealed by the keys before it. Its
// prologue is that of the first handshake and the previous handshake's hash.
//
// Sources: the Noise protocol framework, revision 34; WireGuard's mac1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/base/time.h"
#include "core/link/receive_blocks.h"
#include "core/link/send_ring.h"
#include "core/noise/handshake.h"

namespace causeway::link {

using PublicKey = std::array<std::uint8_t, 32>;

inline constexpr std::uint8_t kHandshakeFrame = 0x0c;

class StreamCarrier {
 public:
  static constexpr std::size_t kMaxRecord = 16 * 1024;  // plaintext of a record
  static constexpr std::size_t kTag = 16;
  static constexpr std::size_t kMaxHandshakePayload = 1024;

  // Defaults are the protocol's; tests make them small.
  struct Timing {
    Duration handshake = std::chrono::seconds(10);    // from start() or creation to open
    Duration rekey_after = std::chrono::seconds(120);
    Duration rekey_limit = std::chrono::seconds(180);
    std::uint64_t rekey_records = std::uint64_t(1) << 32;
  };

  struct Keys {
    Secret<32> private_key;
    PublicKey public_key{};
  };

  enum class State : std::uint8_t {
    kIdle,        // client: start() comes next. Gateway: waits for message one
    kArrived,     // gateway: message one was valid; admit() or refuse() comes next
    kAnswered,    // client: message one sent. Gateway: message two sent, no valid record yet
    kOpen,        // records flow
    kRefused,     // client: the gateway said no, see peer_payload(). Gateway: it has refused; ends once all is transmitted
    kFailed,      // see failure(); nothing more is read or written. Who cannot make message one gets silence: a gateway in this
                  // state has written nothing
  };

  // Client: knows the gateway's key and may share a secret with it.
  StreamCarrier(BufferPool& pool, Random& random, const Keys& own, const PublicKey& gateway,
                const std::optional<Secret<32>>& psk, const Timing& timing);
  // Gateway.
  StreamCarrier(BufferPool& pool, Random& random, const Keys& own, const Timing& timing, Instant now);

  State state() const { return state_; }
  const Error& failure() const { return *failure_; }

  // Client: sends message one.
  void start(Bytes payload, Instant now);
  // Gateway, in kArrived.
  const PublicKey& peer() const { return peer_; }
  Bytes peer_payload() const { return peer_payload_; }  // message one's payload; on the client, once kOpen or kRefused, message two's
  // `psk` must be there exactly when wants_psk(): the peer used the pattern with a pre-shared key.
  bool wants_psk() const { return pattern_ == noise::Handshake::Pattern::kIkPsk2; }
  void admit(Bytes payload, const std::optional<Secret<32>>& psk, Instant now);
  // Message two with a refusal as its payload. Under IKpsk2 it is sealed with the all-zero pre-shared key, which a client tries
  // second and then accepts nothing but a refusal from.
  void refuse(Bytes payload, Instant now);

  // The hash of the first handshake: what join tokens are bound to. Valid from kAnswered (gateway) or kOpen.
  std::span<const std::uint8_t, 64> binding() const { return binding_; }

  // Bytes from the carrier: read into receive_space() (never empty unless failed), then say how many.
  MutableBytes receive_space();
  void received(std::size_t n, Instant now);

  // The next record's plaintext, opened in place; its block lives as long as the slice. Empty when there is none yet.
  // HANDSHAKE records are taken care of inside and never seen here, but are counted in records_received().
  std::optional<Slice> next_record(Instant now);
  std::uint64_t records_received() const { return received_; }  // valid ones so far

  // Room for one record's plaintext in the send ring, kMaxRecord bytes, or empty while the ring is full or the state is not
  // kOpen (gateway: a record may be sent once the client's first valid one came). Write the frames there, then seal().
  MutableBytes record_space();
  // Nothing was written there: an idle carrier holds no memory.
  void leave_space() { out_.release_if_empty(); }
  // Seals the first `n` bytes (at least 1) of record_space(). Gives the record's number: 1 for the first, without gaps, across
  // rekeys, counting handshake records too.
  std::uint64_t seal(std::size_t n);
  std::uint64_t records_sent() const { return sent_; }

  // What is to be written to the carrier, in at most two pieces; then say how much was.
  std::size_t transmit(std::array<Bytes, 2>& pieces) const { return out_.pieces(pieces); }  // how many pieces
  void transmitted(std::size_t n) { out_.remove(n); }
  std::size_t unsent() const { return out_.size(); }  // bytes sealed and not transmitted

  // Handshake timeout and rekey.
  Instant deadline() const;
  void advance(Instant now);

  std::uint64_t rekeys() const { return rekeys_; }

 private:
  enum class Role : std::uint8_t { kClient, kGateway };
  enum class RekeyStep : std::uint8_t { kNone, kAsked, kSwitchDue };

  void fail_with(ErrorCode code, std::string message, std::string advice = {});
  noise::KeyPair ephemeral();
  std::vector<std::uint8_t> prologue() const;
  // The next length-prefixed message that is there as a whole, without its length.
  std::optional<MutableBytes> next_message(std::size_t shortest, std::size_t longest);
  void put_message(Bytes before, Bytes message, Bytes behind);
  void read_first();
  void read_answer(Instant now);
  bool try_answer(Bytes message, const std::optional<Secret<32>>& psk, bool refusal_only);
  void answer(Bytes payload, const std::optional<Secret<32>>& psk, Instant now, State next);
  bool handshake_record(Bytes record, Instant now);
  void start_rekey();
  void put_handshake(std::uint8_t kind, Bytes message);
  std::uint64_t seal_record(MutableBytes space, std::size_t n);

  BufferPool& pool_;
  Random& random_;
  Timing timing_;
  Role role_;
  State state_ = State::kIdle;
  std::optional<Error> failure_;
  noise::KeyPair own_;
  PublicKey peer_{};
  std::optional<Secret<32>> psk_;
  noise::Handshake::Pattern pattern_ = noise::Handshake::Pattern::kIk;
  std::optional<noise::Handshake> handshake_;
  std::vector<std::uint8_t> peer_payload_;
  noise::Hash binding_{};
  noise::Hash last_hash_{};

  ReceiveBlocks in_;
  SendRing out_;
  noise::CipherState sealing_, opening_, next_opening_;
  std::uint64_t received_ = 0, sent_ = 0, sent_since_rekey_ = 0, rekeys_ = 0;
  RekeyStep rekey_ = RekeyStep::kNone;
  noise::CipherState next_sealing_;
  bool unopened_ = false;  // something came in the answer's place that does not open
  Instant handshake_due_ = kNever;
  Instant rekeyed_{};
};

}  // namespace causeway::link

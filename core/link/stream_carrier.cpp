#include "core/link/stream_carrier.h"

#include <algorithm>

#include "core/link/hello.h"
#include "core/noise/mac.h"

namespace causeway::link {
namespace {

using noise::Handshake;

constexpr std::size_t kLongestFirst = Handshake::kOverheadOne + StreamCarrier::kMaxHandshakePayload + noise::kMacSize;
constexpr std::size_t kLongestAnswer = Handshake::kOverheadTwo + StreamCarrier::kMaxHandshakePayload;
constexpr std::size_t kLongestRecord = StreamCarrier::kMaxRecord + StreamCarrier::kTag;
constexpr std::size_t kRecordSpace = 2 + kLongestRecord;
// What every record leaves free behind itself, so that a rekey is answered however full the ring is.
constexpr std::size_t kRekeyReserve = 1024;

enum HandshakeKind : std::uint8_t { kMessageOne = 1, kMessageTwo = 2, kSwitch = 3 };

}  // namespace

StreamCarrier::StreamCarrier(BufferPool& pool, Random& random, const Keys& own, const PublicKey& gateway,
                             const std::optional<Secret<32>>& psk, const Timing& timing)
    : pool_(pool),
      random_(random),
      timing_(timing),
      role_(Role::kClient),
      own_{own.private_key, own.public_key},
      peer_(gateway),
      psk_(psk),
      pattern_(psk ? Handshake::Pattern::kIkPsk2 : Handshake::Pattern::kIk),
      in_(pool),
      out_(pool) {}

StreamCarrier::StreamCarrier(BufferPool& pool, Random& random, const Keys& own, const Timing& timing, Instant now)
    : pool_(pool),
      random_(random),
      timing_(timing),
      role_(Role::kGateway),
      own_{own.private_key, own.public_key},
      in_(pool, 3 + kLongestFirst),
      out_(pool),
      handshake_due_(now + timing.handshake) {}

void StreamCarrier::fail_with(ErrorCode code, std::string message, std::string advice) {
  state_ = State::kFailed;
  failure_ = Error{code, std::move(message), std::move(advice)};
}

noise::KeyPair StreamCarrier::ephemeral() { return noise::generate(random_); }

std::vector<std::uint8_t> StreamCarrier::prologue() const {
  constexpr std::string_view kPrologue = "causeway/1";
  std::vector<std::uint8_t> out(kPrologue.begin(), kPrologue.end());
  out.push_back(std::uint8_t(pattern_));
  return out;
}

void StreamCarrier::put_message(Bytes before, Bytes message, Bytes behind) {
  std::size_t size = before.size() + 2 + message.size() + behind.size();
  MutableBytes space = out_.space(size);
  CAUSEWAY_ASSERT(!space.empty());
  std::uint8_t* at = std::copy(before.begin(), before.end(), space.data());
  store16(at, std::uint16_t(message.size() + behind.size()));
  at = std::copy(message.begin(), message.end(), at + 2);
  std::copy(behind.begin(), behind.end(), at);
  out_.add(space.data(), size);
}

void StreamCarrier::start(Bytes payload, Instant now) {
  CAUSEWAY_ASSERT(role_ == Role::kClient && state_ == State::kIdle && payload.size() <= kMaxHandshakePayload);
  handshake_due_ = now + timing_.handshake;
  handshake_ = Handshake::initiator(pattern_, prologue(), own_, peer_);
  std::vector<std::uint8_t> message;
  if (!handshake_->write_one(ephemeral(), payload, message)) {
    return fail_with(ErrorCode::kInvalid, "the gateway's public key is not a usable key", "check gateway_key");
  }
  const std::uint8_t pattern[1]{std::uint8_t(pattern_)};
  std::vector<std::uint8_t> covered{pattern[0], 0, 0};
  store16(&covered[1], std::uint16_t(message.size() + noise::kMacSize));
  covered.insert(covered.end(), message.begin(), message.end());
  put_message(pattern, message, noise::first_message_mac(peer_, covered));
  state_ = State::kAnswered;
}

MutableBytes StreamCarrier::receive_space() { return state_ == State::kFailed ? MutableBytes() : in_.space(); }

void StreamCarrier::received(std::size_t n, Instant now) {
  if (state_ == State::kFailed) return;
  in_.filled(n);
  if (role_ == Role::kGateway && state_ == State::kIdle) read_first();
  if (role_ == Role::kClient && state_ == State::kAnswered) read_answer(now);
  if (state_ != State::kRefused) return;
  in_.consume(in_.waiting().size());  // nobody reads it any more
  in_.release_if_empty();
}

std::optional<MutableBytes> StreamCarrier::next_message(std::size_t shortest, std::size_t longest) {
  MutableBytes waiting = in_.waiting();
  if (waiting.size() < 2) return std::nullopt;
  std::size_t size = load16(waiting.data());
  if (size < shortest || size > longest) {
    fail_with(ErrorCode::kProtocol, "a message of " + std::to_string(size) + " bytes where " + std::to_string(shortest) +
                                        " to " + std::to_string(longest) + " may be");
    return std::nullopt;
  }
  if (waiting.size() < 2 + size) return std::nullopt;
  in_.consume(2 + size);
  return waiting.subspan(2, size);
}

// The gateway's side of message one. Until the mac is right nothing is computed on a curve, and nothing is ever answered.
void StreamCarrier::read_first() {
  MutableBytes waiting = in_.waiting();
  if (waiting.size() < 3) return;
  std::uint8_t pattern = waiting[0];
  std::size_t size = load16(&waiting[1]);
  if ((pattern != 1 && pattern != 2) || size < Handshake::kOverheadOne + noise::kMacSize || size > kLongestFirst) {
    return fail_with(ErrorCode::kProtocol, "not a first message");
  }
  if (waiting.size() < 3 + size) return;
  Bytes covered = waiting.first(3 + size - noise::kMacSize);
  if (!noise::mac_equal(noise::first_message_mac(own_.public_key, covered), waiting.subspan(covered.size(), noise::kMacSize))) {
    return fail_with(ErrorCode::kProtocol, "a first message without the right mac");
  }
  pattern_ = Handshake::Pattern(pattern);
  handshake_ = Handshake::responder(pattern_, prologue(), own_);
  if (!handshake_->read_one(covered.subspan(3), peer_payload_)) {
    return fail_with(ErrorCode::kProtocol, "a first message that does not open");
  }
  in_.consume(3 + size);
  peer_ = handshake_->peer();
  state_ = State::kArrived;
}

void StreamCarrier::answer(Bytes payload, const std::optional<Secret<32>>& psk, Instant now, State next) {
  CAUSEWAY_ASSERT(state_ == State::kArrived && payload.size() <= kMaxHandshakePayload);
  if (wants_psk()) handshake_->set_psk(psk ? *psk : Secret<32>());
  std::vector<std::uint8_t> message;
  if (!handshake_->write_two(ephemeral(), payload, message)) {
    return fail_with(ErrorCode::kProtocol, "a first message with an unusable key");
  }
  put_message({}, message, {});
  binding_ = last_hash_ = handshake_->handshake_hash();
  handshake_->split(sealing_, opening_);
  handshake_.reset();
  rekeyed_ = now;
  state_ = next;
}

void StreamCarrier::admit(Bytes payload, const std::optional<Secret<32>>& psk, Instant now) {
  CAUSEWAY_ASSERT(psk.has_value() == wants_psk());
  answer(payload, psk, now, State::kAnswered);
  in_.widen();
}

void StreamCarrier::refuse(Bytes payload, Instant now) {
  answer(payload, std::nullopt, now, State::kRefused);
  sealing_.wipe();
  opening_.wipe();
}

// Every message that may be the answer is tried on copies of the handshake: garbage does not end it, only time does.
void StreamCarrier::read_answer(Instant now) {
  while (state_ == State::kAnswered) {
    std::optional<MutableBytes> message = next_message(0, 65535);
    if (!message) return;
    unopened_ = true;
    if (message->size() > kLongestAnswer) continue;
    if (!try_answer(*message, psk_, false) && !(psk_ && try_answer(*message, Secret<32>(), true))) continue;
    unopened_ = false;
    rekeyed_ = now;
    handshake_due_ = kNever;
  }
}

bool StreamCarrier::try_answer(Bytes message, const std::optional<Secret<32>>& psk, bool refusal_only) {
  Handshake attempt = *handshake_;
  if (psk) attempt.set_psk(*psk);
  std::vector<std::uint8_t> payload;
  if (!attempt.read_two(message, payload)) return false;
  auto parsed = parse_answer(payload);
  bool refused = parsed && std::holds_alternative<Refusal>(*parsed);
  if (refusal_only && !refused) return false;
  peer_payload_ = std::move(payload);
  binding_ = last_hash_ = attempt.handshake_hash();
  if (!refused) attempt.split(sealing_, opening_);
  handshake_.reset();
  state_ = refused ? State::kRefused : State::kOpen;
  return true;
}

std::optional<Slice> StreamCarrier::next_record(Instant now) {
  while (state_ == State::kOpen || (role_ == Role::kGateway && state_ == State::kAnswered)) {
    std::optional<MutableBytes> message = next_message(kTag + 1, kLongestRecord);
    if (!message) break;
    if (!opening_.open({}, *message)) {
      fail_with(ErrorCode::kProtocol, "a record that does not open");
      break;
    }
    ++received_;
    if (state_ == State::kAnswered) {
      state_ = State::kOpen;
      handshake_due_ = kNever;
    }
    Bytes text = message->first(message->size() - kTag);
    if (text[0] != kHandshakeFrame) return Slice{in_.block(), text.data(), text.size()};
    if (!handshake_record(text, now)) {
      fail_with(ErrorCode::kProtocol, "a HANDSHAKE frame that does not belong here");
      break;
    }
  }
  in_.release_if_empty();
  return std::nullopt;
}

MutableBytes StreamCarrier::record_space() {
  if (state_ != State::kOpen) return {};
  MutableBytes space = out_.space(kRecordSpace + kRekeyReserve);
  return space.empty() ? space : space.subspan(2, kMaxRecord);
}

std::uint64_t StreamCarrier::seal(std::size_t n) {
  MutableBytes space = out_.space(kRecordSpace + kRekeyReserve);
  CAUSEWAY_ASSERT(state_ == State::kOpen && !space.empty() && n > 0 && n <= kMaxRecord);
  std::uint64_t number = seal_record(space, n);
  if (role_ == Role::kClient && rekey_ == RekeyStep::kNone && sent_since_rekey_ >= timing_.rekey_records) start_rekey();
  return number;
}

std::uint64_t StreamCarrier::seal_record(MutableBytes space, std::size_t n) {
  store16(space.data(), std::uint16_t(n + kTag));
  CAUSEWAY_ASSERT(sealing_.seal({}, space.subspan(2), n));
  out_.add(space.data(), 2 + n + kTag);
  ++sent_since_rekey_;
  return ++sent_;
}

void StreamCarrier::put_handshake(std::uint8_t kind, Bytes message) {
  MutableBytes space = out_.space(2 + 2 + message.size() + kTag);
  CAUSEWAY_ASSERT(!space.empty());
  space[2] = kHandshakeFrame;
  space[3] = kind;
  std::copy(message.begin(), message.end(), space.begin() + 4);
  seal_record(space, 2 + message.size());
}

// While the ring is full a rekey waits for the next seal() or advance().
void StreamCarrier::start_rekey() {
  if (!out_.fits(kRecordSpace + kRekeyReserve)) return;
  std::vector<std::uint8_t> bound = prologue();
  bound.insert(bound.end(), last_hash_.begin(), last_hash_.end());
  handshake_ = Handshake::initiator(Handshake::Pattern::kIk, bound, own_, peer_);
  std::vector<std::uint8_t> message;
  CAUSEWAY_ASSERT(handshake_->write_one(ephemeral(), {}, message));
  put_handshake(kMessageOne, message);
  rekey_ = RekeyStep::kAsked;
}

bool StreamCarrier::handshake_record(Bytes record, Instant now) {
  if (record.size() < 2) return false;
  Bytes message = record.subspan(2);
  std::vector<std::uint8_t> payload, reply;
  switch (record[1]) {
    case kMessageOne: {
      if (role_ != Role::kGateway || rekey_ != RekeyStep::kNone) return false;
      std::vector<std::uint8_t> bound = prologue();
      bound.insert(bound.end(), last_hash_.begin(), last_hash_.end());
      Handshake fresh = Handshake::responder(Handshake::Pattern::kIk, bound, own_);
      if (!fresh.read_one(message, payload) || fresh.peer() != peer_) return false;
      if (!fresh.write_two(ephemeral(), {}, reply)) return false;
      // Only a peer that asks for one rekey after the other without reading the answers uses the reserve up.
      if (!out_.fits(2 + 2 + reply.size() + kTag)) return false;
      put_handshake(kMessageTwo, reply);
      fresh.split(sealing_, next_opening_);
      last_hash_ = fresh.handshake_hash();
      rekey_ = RekeyStep::kSwitchDue;
      sent_since_rekey_ = 0;
      return true;
    }
    case kMessageTwo: {
      if (role_ != Role::kClient || rekey_ != RekeyStep::kAsked) return false;
      if (!handshake_->read_two(message, payload)) return false;
      handshake_->split(next_sealing_, opening_);
      last_hash_ = handshake_->handshake_hash();
      handshake_.reset();
      if (!out_.fits(2 + 2 + kTag)) return false;
      put_handshake(kSwitch, {});
      sealing_ = next_sealing_;
      next_sealing_.wipe();
      rekey_ = RekeyStep::kNone;
      rekeyed_ = now;
      sent_since_rekey_ = 0;
      ++rekeys_;
      return true;
    }
    case kSwitch:
      if (role_ != Role::kGateway || rekey_ != RekeyStep::kSwitchDue || !message.empty()) return false;
      opening_ = next_opening_;
      next_opening_.wipe();
      rekey_ = RekeyStep::kNone;
      rekeyed_ = now;
      ++rekeys_;
      return true;
    default:
      return false;
  }
}

Instant StreamCarrier::deadline() const {
  if (state_ == State::kFailed || state_ == State::kRefused) return kNever;
  if (state_ != State::kOpen) return handshake_due_;
  bool asks = role_ == Role::kClient && rekey_ == RekeyStep::kNone && out_.fits(kRecordSpace + kRekeyReserve);
  if (asks) return rekeyed_ + timing_.rekey_after;
  return rekeyed_ + timing_.rekey_limit;
}

void StreamCarrier::advance(Instant now) {
  if (now < deadline()) return;
  switch (state_) {
    case State::kIdle:
      return fail_with(ErrorCode::kTimedOut, "no first message came");
    case State::kArrived:
      return;
    case State::kAnswered:
      if (role_ == Role::kGateway) return fail_with(ErrorCode::kTimedOut, "the client never showed a valid record");
      if (unopened_) {
        return fail_with(ErrorCode::kProtocol, psk_ ? "the gateway's answer does not open: the pre-shared key differs"
                                                    : "the gateway's answer does not open");
      }
      return fail_with(ErrorCode::kTimedOut, "no answer: wrong gateway key, or no gateway there",
                       "compare gateway_key with the gateway's own key");
    case State::kOpen:
      if (role_ == Role::kClient && rekey_ == RekeyStep::kNone && now >= rekeyed_ + timing_.rekey_after) start_rekey();
      if (now >= rekeyed_ + timing_.rekey_limit) fail_with(ErrorCode::kTimedOut, "the carrier was not rekeyed in time");
      return;
    default:
      return;
  }
}

}  // namespace causeway::link

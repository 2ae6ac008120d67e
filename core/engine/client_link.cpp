// The carrier's life: dialled, handshake, session, death, and dialled again.
#include <algorithm>

#include "core/engine/client_impl.h"
#include "core/noise/keys.h"

namespace causeway::engine {
namespace {

// What this end lets the gateway send before it hears more.
constexpr link::Limits kLimits{64 * 1024 * 1024, 256 * 1024, 1024};
constexpr Duration kRefusedPause = std::chrono::seconds(30);

}  // namespace

void Client::Impl::start(Instant now) {
  CAUSEWAY_ASSERT(phase_ == Phase::kStopped);
  sweep_at_ = now + std::chrono::seconds(1);
  phase_ = Phase::kPausing;
  dial_at_ = now;
}

void Client::Impl::stop(Instant now) {
  if (phase_ == Phase::kStopped) return;
  dial_at_ = kNever;
  if (session_) {
    // Freed now, not when a lease runs out.
    while (!intercepts_.empty()) leave(intercepts_.begin()->first);
    session_->link.flush(now);
    session_->link.close(link::CloseCode::kGoodbye, "the client went down");
    session_->link.flush(now);
    lose_session(now);
  }
  phase_ = Phase::kStopped;
  flows_.for_each([&](Flow& flow) {
    if (flow.kind == Flow::Kind::kStub || flow.kind == Flow::Kind::kDirect) stack_.abort(flow.connection);
    if (flow.kind == Flow::Kind::kTcp && flow.half_open) refused(flow, link::Reason::kHostUnreachable, now);
  });
  emit(ClientEvent::Kind::kCloseCarrier);
  pump(now);
}

void Client::Impl::carrier_connected(Instant now) {
  if (phase_ != Phase::kDialling) return;
  carrier_ = std::make_unique<link::StreamCarrier>(pool_, random_, config_.keys, config_.gateway_key, config_.psk,
                                                   config_.timing);
  std::uint64_t wall = config_.wall_clock_ns + std::uint64_t((now - started_).count());
  hello_number_ = std::max(wall, hello_number_ + 1);
  ClientEvent event{};
  event.kind = ClientEvent::Kind::kHelloNumber;
  event.number = hello_number_;
  events_.push_back(std::move(event));
  link::Hello hello;
  hello.number = hello_number_;
  hello.limits = kLimits;
  carrier_->start(link::encode(hello), now);
  phase_ = Phase::kHandshake;
}

void Client::Impl::dial_failed(const Error& error, Instant now) {
  if (phase_ != Phase::kDialling) return;
  Duration pause = redial_.next(random_);
  end_carrier(error, std::max<Duration>(pause, std::chrono::seconds(1)), now);
}

void Client::Impl::received(std::size_t n, Instant now) {
  if (!carrier_ || phase_ < Phase::kHandshake) return;
  carrier_in_ += n;
  carrier_->received(n, now);
  carrier_state_changed(now);
  if (!session_) return;
  session_->link.receive(now);
  link_moved(now);
  pump(now);
}

void Client::Impl::carrier_state_changed(Instant now) {
  using State = link::StreamCarrier::State;
  switch (carrier_->state()) {
    case State::kOpen:
      if (!session_) begin_session(now);
      break;
    case State::kRefused: {
      auto answer = link::parse_answer(carrier_->peer_payload());
      Error error = !answer ? answer.error() : refusal(std::get<link::Refusal>(*answer));
      emit(ClientEvent::Kind::kRefused, error);
      emit(ClientEvent::Kind::kCloseCarrier);
      end_carrier(std::move(error), kRefusedPause, now);
      return;
    }
    case State::kFailed:
      emit(ClientEvent::Kind::kCloseCarrier);
      end_carrier(carrier_->failure(), redial_.next(random_), now);
      return;
    default:
      break;
  }
  if (session_) link_moved(now);
}

Error Client::Impl::refusal(const link::Refusal& refusal) const {
  switch (refusal.code) {
    case link::RefusalCode::kUnknownKey:
      return {ErrorCode::kRefused, "the gateway does not know our key " + noise::fingerprint(config_.keys.public_key),
              "add this line to its authorised keys: " + noise::encode_key(config_.keys.public_key) + " NAME"};
    case link::RefusalCode::kNoCommonVersion:
      return {ErrorCode::kRefused, "the gateway speaks no protocol version that we do: " + refusal.text,
              "update the older of the two"};
    case link::RefusalCode::kReplay:
      return {ErrorCode::kRefused, "the gateway has seen a newer hello of this key", "check the clock of this machine"};
    case link::RefusalCode::kTooMany:
      return {ErrorCode::kRefused, "this key has as many sessions at the gateway as it may",
              "end another one, or raise sessions_per_client there"};
    case link::RefusalCode::kPskMismatch:
      return {ErrorCode::kRefused, "the gateway says: " + refusal.text, "give both sides the same pre-shared key, or none"};
    case link::RefusalCode::kShuttingDown:
      return {ErrorCode::kRefused, "the gateway is shutting down", "try again when it is back"};
  }
  return {ErrorCode::kRefused, "the gateway refused us: " + refusal.text, {}};
}

void Client::Impl::begin_session(Instant now) {
  auto answer = link::parse_answer(carrier_->peer_payload());
  if (!answer || !std::holds_alternative<link::Welcome>(*answer)) {
    emit(ClientEvent::Kind::kCloseCarrier);
    end_carrier({ErrorCode::kProtocol, "the gateway's answer makes no sense", {}}, redial_.next(random_), now);
    return;
  }
  const link::Welcome& welcome = std::get<link::Welcome>(*answer);
  icmp_echo_ = welcome.icmp_echo;
  mux::Mux::Settings settings;
  settings.own = kLimits;
  settings.peer = welcome.limits;
  session_ = std::make_unique<Session>(pool_, settings);
  session_->link.attach(*carrier_, now);
}

// Looks at what the link has come to after anything that may have moved it.
void Client::Impl::link_moved(Instant now) {
  link::Link& link = session_->link;
  if (link.round_trip()) session_->mux.set_round_trip(*link.round_trip());
  if (phase_ == Phase::kHandshake && link.heard() && !link.over()) {
    phase_ = Phase::kUp;
    ++links_;
    last_error_.clear();
    redial_.succeeded();
    emit(ClientEvent::Kind::kLinkUp);
    names_.link_changed(true, now);
    open_all_held(now);
    ask_for_all(now);
  }
  echoes_.clear();
  link.take_echoes(echoes_);
  for (const link::Link::Echo& echo : echoes_) {
    ClientEvent event{};
    event.kind = ClientEvent::Kind::kEcho;
    event.token = echo.token;
    event.elapsed = echo.elapsed;
    events_.push_back(std::move(event));
  }
  if (carrier_->state() == link::StreamCarrier::State::kFailed) {
    emit(ClientEvent::Kind::kCloseCarrier);
    end_carrier(carrier_->failure(), redial_.next(random_), now);
  } else if (link.over()) {
    link.flush(now);
    Error error = link.error();
    emit(ClientEvent::Kind::kCloseCarrier, error);
    end_carrier(std::move(error), redial_.next(random_), now);
  }
}

void Client::Impl::carrier_closed(const Error& error, Instant now) {
  if (phase_ < Phase::kHandshake) {
    carrier_.reset();
    return;
  }
  Error why = error;
  if (phase_ == Phase::kHandshake) {
    why = {ErrorCode::kUnavailable, "no answer: wrong gateway key, or no gateway there",
           "compare gateway_key with the output of `tunctl pubkey` for the gateway's key file"};
  }
  end_carrier(std::move(why), redial_.next(random_), now);
  carrier_.reset();
  pump(now);
}

void Client::Impl::end_carrier(Error error, Duration pause, Instant now) {
  last_error_ = error.message;
  lose_session(now);
  if (phase_ == Phase::kStopped) return;
  phase_ = Phase::kPausing;
  dial_at_ = now + pause;
  emit(ClientEvent::Kind::kLinkDown, std::move(error));
}

// Every flow over the link ends, but SYNs that are still held wait for the next one. What came before is handed on first, while
// the mux still knows its streams: a stream that is unknown looks like one that ended in order.
void Client::Impl::lose_session(Instant now) {
  if (!session_) return;
  take_mux_events(now);
  session_->mux.lose_all();
  bool was_up = up();
  if (was_up) phase_ = Phase::kPausing;
  take_mux_events(now);
  while (!questions_.empty()) {
    answer_question(questions_.begin()->first, Error{ErrorCode::kUnavailable, "the link is down: " + last_error_, {}});
  }
  close_relays();
  lose_direct_streams();
  intercepts_wait();
  session_.reset();
  if (was_up) names_.link_changed(false, now);
}

void Client::Impl::echo(std::uint64_t token, Instant now) {
  if (session_) session_->link.echo(token, now);
}

}  // namespace causeway::engine

// Where services meet sessions: which of a session's events are theirs, and what they need of it.
#include <algorithm>

#include "core/engine/gateway_impl.h"
#include "core/noise/keys.h"

namespace causeway::engine {
namespace {

// A client whose carrier owes a sign of life for this long, or for four round trips, gets nothing new. Programs that have to wait for the
// processor of a busy laptop need less.
constexpr Duration kSilent = std::chrono::milliseconds(500);

}  // namespace

mux::Mux* Gateway::Impl::mux(CarrierId id) {
  Carrier* carrier = find(id);
  if (!carrier || !carrier->session) return nullptr;
  touch(id, *carrier);
  return &carrier->session->mux;
}

void Gateway::Impl::close_relay(RelayId relay, bool reset) {
  GatewayEvent& event = emit(GatewayEvent::Kind::kCloseRelay);
  event.relay = relay;
  event.reset = reset;
}

// Keys may share a name; an owner is one key.
std::string Gateway::Impl::owner_of(const Carrier& carrier) const {
  const auto same = std::count_if(clients_.begin(), clients_.end(),
                                  [&](const AuthorisedClient& c) { return c.name == carrier.client; });
  return same < 2 ? carrier.client : carrier.client + " (" + noise::fingerprint(carrier.key) + ")";
}

RelayId Gateway::Impl::service_accepted(ServiceId service, const packet::Endpoint& source, Instant now) {
  return stopping_ ? 0 : services_.accepted(service, source, now);
}

void Gateway::Impl::service_event(CarrierId id, Carrier& carrier, mux::MuxEvent& event, Instant now) {
  using Kind = mux::MuxEvent::Kind;
  if (event.kind == Kind::kListen) {
    carrier.listened = true;
    services_.listen(id, owner_of(carrier), event, now);
  } else if (event.kind == Kind::kUnlisten) {
    services_.unlisten(id, event.listen, now);
  } else if (carrier.listened) {
    services_.stream_event(id, event, now);
  } else if (event.kind == Kind::kReset) {
    carrier.session->mux.forget(event.stream);
  }
}

void Gateway::Impl::join(RelayId id, CarrierId carrier, link::StreamId stream, bool finished) {
  Relay& relay = relays_[id];
  relay.id = id;
  relay.carrier = carrier;
  relay.stream = stream;
  relay.protocol = flow::Protocol::kTcp;
  relay.dialling = false;
  Session& session = touch(relay);
  session.relays[stream] = id;
  if (finished) {
    relay.socket_finished = true;
    if (session.mux.writable(stream)) session.mux.finish(stream);
  }
  note_writable(relay);
}

void Gateway::Impl::cut(RelayId id) {
  Relay* relay = find_relay(id);
  if (!relay) return;
  mux::Mux& mux = touch(*relay).mux;
  mux.reset(relay->stream, link::Reason::kTimedOut);
  mux.forget(relay->stream);
  remove(*relay, true, true);
}

Instant Gateway::Impl::silent_at(const Carrier& carrier) const {
  if (!carrier.session) return kNever;
  const link::Link& link = carrier.session->link;
  const Instant since = link.waiting_since();
  return since == kNever ? kNever : since + std::max(kSilent, 4 * link.undisturbed_round_trip().value_or(Duration::zero()));
}

void Gateway::Impl::look_for_silence(CarrierId id, Carrier& carrier, Instant now) {
  if (!carrier.session) return;
  carrier.session->link.watch(services_.waits_for(id));
  const bool silent = silent_at(carrier) <= now;
  if (silent == carrier.silent) return;
  carrier.silent = silent;
  services_.session_answers(id, !silent, now);
}

}  // namespace causeway::engine

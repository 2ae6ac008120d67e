// Streams and the sockets they are joined to.
#include <algorithm>

#include "core/engine/gateway_impl.h"

namespace causeway::engine {

Gateway::Impl::Relay* Gateway::Impl::find_relay(RelayId id) {
  auto it = relays_.find(id);
  return it == relays_.end() ? nullptr : &it->second;
}

Gateway::Impl::Session& Gateway::Impl::session_of(const Relay& relay) { return *find(relay.carrier)->session; }

Gateway::Impl::Session& Gateway::Impl::touch(const Relay& relay) {
  Carrier& carrier = *find(relay.carrier);
  touch(relay.carrier, carrier);
  return *carrier.session;
}

void Gateway::Impl::mux_events(CarrierId id, Carrier& carrier, Instant now) {
  using Kind = mux::MuxEvent::Kind;
  Session& session = *carrier.session;
  mux_events_.clear();
  session.mux.take_events(mux_events_);
  for (mux::MuxEvent& event : mux_events_) {
    if (event.kind == Kind::kOpen) {
      open(id, carrier, event, now);
      continue;
    }
    auto it = session.relays.find(event.stream);
    if (it == session.relays.end()) {
      service_event(id, carrier, event, now);
      continue;
    }
    Relay& relay = *find_relay(it->second);
    switch (event.kind) {
      case Kind::kReadable:
        note_writable(relay);
        finish_if_drained(relay);
        break;
      case Kind::kSent:
        session.mux.take_sent(event.stream);
        if (relay.resumes(session.mux)) resume_relay(relay.id);
        break;
      case Kind::kReset:
        stream_ended(id, carrier, relay.id, true);
        break;
      case Kind::kClosed:
        stream_ended(id, carrier, relay.id, false);
        break;
      case Kind::kDatagram:
        queue_datagram(relay, std::move(event.data), now);
        break;
      default:
        break;
    }
  }
  mux_events_.clear();
}

void Gateway::Impl::open(CarrierId id, Carrier& carrier, mux::MuxEvent& event, Instant now) {
  Session& session = *carrier.session;
  if (stopping_ || session.dialling >= config_.dials_per_client) {
    session.mux.refuse(event.stream, stopping_ ? link::Reason::kShuttingDown : link::Reason::kLimit);
    return;
  }
  ++counters_.dials;
  ++session.dialling;
  RelayId relay_id = next_relay_++;
  Relay& relay = relays_[relay_id];
  relay.id = relay_id;
  relay.carrier = id;
  relay.stream = event.stream;
  relay.protocol = event.destination.protocol;
  relay.last = now;
  session.relays[event.stream] = relay_id;
  if (!flow::is_stream(relay.protocol)) {
    datagram_relays_.insert(relay_id);
    if (sweep_at_ == kNever) sweep_at_ = now;
    if (event.data.owner) queue_datagram(relay, std::move(event.data), now);
  }
  const bool catalogue = relay.protocol == flow::Protocol::kCatalogue;
  GatewayEvent& dial = emit(catalogue ? GatewayEvent::Kind::kCatalogue : GatewayEvent::Kind::kDial);
  dial.carrier = id;
  dial.relay = relay_id;
  dial.client = catalogue ? owner_of(carrier) : carrier.client;
  dial.source = event.source;
  dial.destination = std::move(event.destination);
}

void Gateway::Impl::dialled(RelayId id, Instant now) {
  Relay* relay = find_relay(id);
  if (!relay) return services_.dialled(id, now);
  if (!relay->dialling) return;
  relay->dialling = false;
  Session& session = touch(*relay);
  --session.dialling;
  session.mux.accept(relay->stream);
  if (!relay->datagrams.empty()) note_writable(*relay);
}

void Gateway::Impl::dial_failed(RelayId id, link::Reason why, Instant now) {
  Relay* relay = find_relay(id);
  if (!relay) return services_.dial_failed(id, why, now);
  if (!relay->dialling) return;
  ++(why == link::Reason::kForbidden ? counters_.forbidden : counters_.dial_failures);
  touch(*relay).mux.refuse(relay->stream, why);
  remove(*relay, false, false);
}

void Gateway::Impl::stream_ended(CarrierId, Carrier& carrier, RelayId id, bool reset) {
  Relay& relay = *find_relay(id);
  if (reset && flow::is_stream(relay.protocol) && !relay.dialling && carrier.session->mux.has_readable(relay.stream)) {
    // What came before the reset is still the service's to read: it is offered once, then the socket is reset.
    relay.ending = true;
    note_writable(relay);
    resets_.push_back(id);
    return;
  }
  carrier.session->mux.forget(relay.stream);
  remove(relay, true, reset && flow::is_stream(relay.protocol));
}

void Gateway::Impl::remove(Relay& relay, bool close_socket, bool reset) {
  if (close_socket) close_relay(relay.id, reset);
  Carrier* carrier = find(relay.carrier);
  if (carrier && carrier->session) {
    carrier->session->relays.erase(relay.stream);
    if (relay.dialling) --carrier->session->dialling;
  }
  if (is_handed_over(relay)) services_.joined_over(relay.carrier, relay.stream);
  datagram_relays_.erase(relay.id);
  relays_.erase(relay.id);
}

void Gateway::Impl::note_writable(Relay& relay) {
  if (relay.writable_noted || relay.dialling) return;
  relay.writable_noted = true;
  noted_relays_.push_back(relay.id);
}

MutableBytes Gateway::Impl::relay_space(RelayId id) {
  Relay* relay = find_relay(id);
  if (!relay) return services_.space(id);
  return relay->reads(session_of(*relay).mux) ? read_.space() : MutableBytes();
}

void Gateway::Impl::relay_received(RelayId id, std::size_t n, Instant now) {
  Relay* relay = find_relay(id);
  if (!relay) return services_.received(id, n, now);
  if (n == 0 || relay->ending) return;
  relay->last = now;
  touch(*relay).mux.write(relay->stream, read_.taken(n));
}

void Gateway::Impl::relay_finished(RelayId id, Instant now) {
  Relay* relay = find_relay(id);
  if (!relay) return services_.finished(id, now);
  relay->finished(touch(*relay).mux);
}

void Gateway::Impl::relay_failed(RelayId id, link::Reason why, Instant now) {
  Relay* relay = find_relay(id);
  if (!relay) return services_.failed(id, why, now);
  Session& session = touch(*relay);
  session.mux.reset(relay->stream, why);
  session.mux.forget(relay->stream);
  remove(*relay, false, false);
}

std::size_t Gateway::Impl::relay_transmit(RelayId id, std::span<Bytes> pieces) {
  Relay* relay = find_relay(id);
  if (!relay) return services_.transmit(id, pieces);
  return relay->dialling ? 0 : session_of(*relay).mux.readable(relay->stream, pieces);
}

void Gateway::Impl::relay_transmitted(RelayId id, std::size_t n, Instant now) {
  Relay* relay = find_relay(id);
  if (!relay) return services_.transmitted(id, n, now);
  if (n == 0) return;
  relay->last = now;
  touch(*relay).mux.consume(relay->stream, n);
  finish_if_drained(*relay);
}

void Gateway::Impl::finish_if_drained(Relay& relay) {
  if (relay.drained(session_of(relay).mux)) finish_relay(relay.id);
}

void Gateway::Impl::queue_datagram(Relay& relay, Slice datagram, Instant now) {
  relay.last = now;
  Slice kept = pool_.compact(std::move(datagram));
  if (relay.datagram_bytes + kept.cost() > kDatagramQueue) return;
  relay.datagram_bytes += kept.cost();
  relay.datagrams.push_back(std::move(kept));
  note_writable(relay);
}

void Gateway::Impl::relay_datagram(RelayId id, Bytes datagram, Instant now) {
  Relay* relay = find_relay(id);
  if (!relay || relay->dialling) return;
  relay->last = now;
  touch(*relay).mux.send_datagram(relay->stream, pool_.copy(datagram), now);
}

std::optional<Slice> Gateway::Impl::relay_next_datagram(RelayId id) {
  Relay* relay = find_relay(id);
  if (!relay || relay->dialling || relay->datagrams.empty()) return std::nullopt;
  Slice datagram = relay->datagrams.pop_front();
  relay->datagram_bytes -= datagram.cost();
  return datagram;
}

}  // namespace causeway::engine

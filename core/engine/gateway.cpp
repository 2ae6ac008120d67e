#include "core/engine/gateway.h"

#include <algorithm>

#include "core/engine/gateway_impl.h"

namespace causeway::engine {
namespace {

constexpr Duration kSweep = std::chrono::seconds(1);

}  // namespace

Gateway::Impl::Impl(const GatewayConfig& config, BufferPool& pool, Random& random, Instant)
    : config_(config), pool_(pool), random_(random), refusals_(config.refusals_per_second), read_(pool), services_(*this, config, pool, read_) {}

GatewayEvent& Gateway::Impl::emit(GatewayEvent::Kind kind) {
  events_.emplace_back();
  events_.back().kind = kind;
  return events_.back();
}

void Gateway::Impl::note_writable(CarrierId id, Carrier& carrier) {
  if (carrier.writable_noted || carrier.stream.unsent() == 0) return;
  carrier.writable_noted = true;
  noted_carriers_.push_back(id);
}

void Gateway::Impl::touch(CarrierId id, Carrier& carrier) {
  if (carrier.touched) return;
  carrier.touched = true;
  touched_.push_back(id);
}

void Gateway::Impl::set_deadline(CarrierId id, Carrier& carrier) {
  Instant due = carrier.closing ? kNever : carrier.stream.deadline();
  if (carrier.session) due = std::min(due, carrier.session->link.deadline());
  if (carrier.listened && !carrier.silent) due = std::min(due, silent_at(carrier));
  if (due == carrier.due) return;
  // The node moves: a deadline changes with nearly every turn.
  auto node = deadlines_.extract({carrier.due, id});
  node.value().first = carrier.due = due;
  deadlines_.insert(std::move(node));
}

Instant Gateway::Impl::deadline() const {
  if (!resets_due_.empty()) return Instant{};
  Instant at = std::min(deadlines_.empty() ? kNever : deadlines_.begin()->first, services_.deadline());
  return datagram_relays_.empty() ? at : std::min(at, sweep_at_);
}

void Gateway::Impl::advance(Instant now) {
  due_.clear();
  for (auto at = deadlines_.begin(); at != deadlines_.end() && at->first <= now; ++at) due_.push_back(at->second);
  for (CarrierId id : due_) {
    Carrier& carrier = *find(id);
    touch(id, carrier);
    if (carrier.closing) continue;
    carrier.stream.advance(now);
    if (carrier.session) carrier.session->link.advance(now);
    state_changed(id, carrier, now);
  }
  services_.advance(now);
  if (datagram_relays_.empty() || now < sweep_at_) return;
  sweep_at_ = now + kSweep;
  std::vector<RelayId> idle;
  for (RelayId id : datagram_relays_) {
    if (now - find_relay(id)->last >= config_.udp_idle) idle.push_back(id);
  }
  for (RelayId id : idle) {
    Relay& relay = *find_relay(id);
    touch(relay).mux.reset(relay.stream, link::Reason::kNone);
    remove(relay, true, false);
  }
}

void Gateway::Impl::flush(Instant now) {
  end_reset_relays();
  // What came by one carrier may be answered through another.
  while (!touched_.empty()) {
    touched_before_.swap(touched_);
    for (CarrierId id : touched_before_) {
      if (Carrier* carrier = find(id)) flush_carrier(id, *carrier, now);
    }
    touched_before_.clear();
  }
  lend_writable();
}

void Gateway::Impl::flush_carrier(CarrierId id, Carrier& carrier, Instant now) {
  carrier.touched = false;
  if (carrier.session) {
    mux_events(id, carrier, now);
    carrier.session->link.flush(now);
    link_moved(id, carrier, now);
  }
  if (carrier.session) {
    mux_events(id, carrier, now);
    unsettled_.push_back(id);
  }
  if (carrier.listened) look_for_silence(id, carrier, now);
  note_writable(id, carrier);
  set_deadline(id, carrier);
}

void Gateway::Impl::settle() {
  services_.settle();
  for (CarrierId id : unsettled_) {
    Carrier* carrier = find(id);
    if (carrier && carrier->session) carrier->session->mux.settle();
  }
  unsettled_.clear();
}

// What came before the reset was offered in the last turn: what the socket did not take then is lost, as with any reset.
void Gateway::Impl::end_reset_relays() {
  for (RelayId id : resets_due_) {
    Relay* relay = find_relay(id);
    if (!relay) {
      services_.end_offered(id);
      continue;
    }
    touch(*relay).mux.forget(relay->stream);
    remove(*relay, true, true);
  }
  resets_due_.clear();
  resets_due_.swap(resets_);
}

void Gateway::Impl::lend_writable() {
  writable_carriers_.clear();
  writable_carriers_.swap(noted_carriers_);
  for (CarrierId id : writable_carriers_) {
    if (Carrier* carrier = find(id)) carrier->writable_noted = false;
  }
  writable_relays_.clear();
  writable_relays_.swap(noted_relays_);
  for (RelayId id : writable_relays_) {
    if (Relay* relay = find_relay(id)) {
      relay->writable_noted = false;
    } else {
      services_.lent(id);
    }
  }
}

GatewayStatus Gateway::Impl::status() const {
  GatewayStatus s = counters_;
  for (const auto& [id, carrier] : carriers_) s.sessions += carrier.session ? 1 : 0;
  s.handshakes = handshakes_;
  s.relays = relays_.size();
  s.memory = pool_.in_use();
  s.accepted = services_.connections();
  s.intercepts = services_.intercepts();
  return s;
}

Gateway::Gateway(const GatewayConfig& config, BufferPool& pool, Random& random, Instant now)
    : impl_(std::make_unique<Impl>(config, pool, random, now)) {}
Gateway::~Gateway() = default;

void Gateway::set_clients(std::vector<AuthorisedClient> clients, Instant now) { impl_->set_clients(std::move(clients), now); }
void Gateway::stop(Instant now) { impl_->stop(now); }
CarrierId Gateway::carrier_accepted(const packet::Endpoint& source, Instant now) { return impl_->accepted(source, now); }
MutableBytes Gateway::receive_space(CarrierId id) {
  Impl::Carrier* carrier = impl_->find(id);
  return carrier && !carrier->closing ? carrier->stream.receive_space() : MutableBytes();
}
void Gateway::received(CarrierId id, std::size_t n, Instant now) { impl_->received(id, n, now); }
std::size_t Gateway::transmit(CarrierId id, std::array<Bytes, 2>& pieces) {
  Impl::Carrier* carrier = impl_->find(id);
  return carrier ? carrier->stream.transmit(pieces) : 0;
}
void Gateway::transmitted(CarrierId id, std::size_t n, Instant) { impl_->transmitted(id, n); }
void Gateway::carrier_progressed(CarrierId id, Instant now) {
  Impl::Carrier* carrier = impl_->find(id);
  if (carrier && carrier->session) carrier->session->link.progressed(now);
}
void Gateway::set_carrier_room(CarrierId id, std::size_t bytes) {
  Impl::Carrier* carrier = impl_->find(id);
  if (!carrier || !carrier->session) return;
  carrier->session->link.set_room(bytes);
  impl_->touch(id, *carrier);
}
void Gateway::carrier_closed(CarrierId id, Instant now) { impl_->closed(id, now); }
void Gateway::dialled(RelayId relay, Instant now) { impl_->dialled(relay, now); }
void Gateway::dial_failed(RelayId relay, link::Reason why, Instant now) { impl_->dial_failed(relay, why, now); }
MutableBytes Gateway::relay_space(RelayId relay) { return impl_->relay_space(relay); }
void Gateway::relay_received(RelayId relay, std::size_t n, Instant now) { impl_->relay_received(relay, n, now); }
void Gateway::relay_finished(RelayId relay, Instant now) { impl_->relay_finished(relay, now); }
void Gateway::relay_failed(RelayId relay, link::Reason why, Instant now) { impl_->relay_failed(relay, why, now); }
std::size_t Gateway::relay_transmit(RelayId relay, std::span<Bytes> pieces) { return impl_->relay_transmit(relay, pieces); }
void Gateway::relay_transmitted(RelayId relay, std::size_t n, Instant now) { impl_->relay_transmitted(relay, n, now); }
void Gateway::relay_datagram(RelayId relay, Bytes datagram, Instant now) { impl_->relay_datagram(relay, datagram, now); }
std::optional<Slice> Gateway::relay_next_datagram(RelayId relay) { return impl_->relay_next_datagram(relay); }
void Gateway::set_endpoints(ServiceId service, std::vector<packet::Endpoint> endpoints) {
  impl_->services().set_endpoints(service, std::move(endpoints));
}
RelayId Gateway::service_accepted(ServiceId service, const packet::Endpoint& source, Instant now) {
  return impl_->service_accepted(service, source, now);
}
void Gateway::probe_from(RelayId relay, const packet::Endpoint& local) { impl_->services().probe_from(relay, local); }
std::size_t Gateway::free_intercepts(std::string_view service, std::string_view owner, Instant now) {
  return impl_->services().free(service, owner, now);
}
std::vector<ServiceStatus> Gateway::services() const { return impl_->services().status(); }
Instant Gateway::deadline() const { return impl_->deadline(); }
void Gateway::advance(Instant now) { impl_->advance(now); }
void Gateway::flush(Instant now) { impl_->flush(now); }
std::span<const CarrierId> Gateway::writable_carriers() const { return impl_->writable_carriers_; }
std::span<const RelayId> Gateway::writable_relays() const { return impl_->writable_relays_; }
void Gateway::take_events(std::vector<GatewayEvent>& out) { out.swap(impl_->events_); }
void Gateway::settle() { impl_->settle(); }
GatewayStatus Gateway::status() const { return impl_->status(); }

}  // namespace causeway::engine

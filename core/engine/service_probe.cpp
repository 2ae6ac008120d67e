// The proof that an intercept works: the gateway connects to its own listener, and hands that connection over as a probe, which the
// client's engine answers. Neither the local process nor the original sees it.
#include "core/engine/services.h"
#include "core/intercept/request.h"

namespace causeway::engine {

void Services::probe(intercept::InterceptId intercept, ServiceId service, Instant now) {
  Socket& socket = sockets_.add(Use::kProbe, 0);
  socket.connection = socket.id;
  socket.dialling = true;
  Probe& probe = probes_[socket.id];
  probe.intercept = intercept;
  probe.service = service;
  probe.since = now;
  GatewayEvent& dial = host_.emit(GatewayEvent::Kind::kDialProbe);
  dial.relay = socket.id;
  dial.service = service;
}

void Services::probe_from(RelayId relay, const packet::Endpoint& local) {
  auto it = probes_.find(relay);
  if (it == probes_.end()) return;
  it->second.from = local;
  probe_of_[local] = relay;
}

// The gateway's own connection has arrived where those of the cluster do.
RelayId Services::probe_accepted(RelayId id, Instant now) {
  auto it = probes_.find(id);
  if (it == probes_.end()) return 0;
  const RelayId accepted = sockets_.add(Use::kProbe, id).id;
  it->second.accepted = accepted;
  CarrierId carrier = 0;
  const link::StreamId stream = open_stream(it->second.intercept, it->second.from, {}, link::kProbe,
                                            {StreamUse::Kind::kProbe, id, 0, it->second.intercept}, carrier);
  it->second.carrier = carrier;
  it->second.stream = stream;
  if (stream == 0) probe_failed(id, link::Reason::kNotAvailable, "no stream to the laptop can be opened", now);
  return accepted;
}

void Services::probe_proven(RelayId id, Instant now) {
  const Probe probe = probes_.at(id);
  end_probe(id, now);
  const Listening* listening = find_listening(probe.intercept);
  const intercept::Intercept* known = table_.find(probe.intercept);
  if (!listening || !known) return;
  table_.proven(probe.intercept);
  intercept::Accepted accepted;
  const Service& service = services_[probe.service];
  accepted.http = service.config.http;
  accepted.endpoints = service.endpoints;
  accepted.round_trip = now - probe.since;
  if (mux::Mux* mux = host_.mux(listening->carrier)) mux->listening(listening->listen, intercept::encode(accepted));
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(accepted.round_trip).count();
  log(known->owner, "intercepts " + described(*known) + ", proven in " + std::to_string(micros) + " us");
}

void Services::probe_failed(RelayId id, link::Reason reason, const std::string& why, Instant now) {
  const Probe probe = probes_.at(id);
  end_probe(id, now);
  const Listening* found = find_listening(probe.intercept);
  if (!found) return;
  const Listening listening = *found;
  if (const intercept::Intercept* known = table_.find(probe.intercept)) {
    log(known->owner, "does not intercept " + described(*known) + ": " + why);
  }
  table_.remove(probe.intercept);
  listening_.erase(probe.intercept);
  if (Listener* listener = find_listener(listening.carrier)) listener->listens.erase(listening.listen);
  if (mux::Mux* mux = host_.mux(listening.carrier)) mux->unlisten(listening.listen, reason, why);
}

void Services::end_probe(RelayId id, Instant now) {
  const Probe probe = std::move(probes_.extract(id).mapped());
  if (Socket* socket = sockets_.find(id)) sockets_.close(*socket, true);
  if (Socket* socket = probe.accepted ? sockets_.find(probe.accepted) : nullptr) sockets_.close(*socket, true);
  if (auto it = probe_of_.find(probe.from); it != probe_of_.end() && it->second == id) {
    // It may still be accepted, and must not be taken for somebody else's.
    it->second = 0;
    given_up_.emplace_back(now + kLinger, probe.from);
  }
  if (probe.stream == 0) return;
  if (Listener* listener = find_listener(probe.carrier)) listener->streams.erase(probe.stream);
  if (mux::Mux* mux = host_.mux(probe.carrier)) mux->reset(probe.stream, link::Reason::kNone);
}

void Services::end_probes_of(intercept::InterceptId intercept, Instant now) {
  std::vector<RelayId> probes;
  for (const auto& [id, probe] : probes_) {
    if (probe.intercept == intercept) probes.push_back(id);
  }
  for (RelayId id : probes) end_probe(id, now);
}

void Services::probe_event(CarrierId carrier, RelayId id, const mux::MuxEvent& event, Instant now) {
  using Kind = mux::MuxEvent::Kind;
  if (event.kind == Kind::kOpened) return probe_proven(id, now);
  if (event.kind != Kind::kRefused && event.kind != Kind::kReset) return;
  if (event.kind == Kind::kReset) host_.mux(carrier)->forget(event.stream);
  probe_failed(id, link::Reason::kNotAvailable,
               std::string("the laptop refused the probe: ") + link::reason_name(event.reason), now);
}

void Services::advance_probes(Instant now) {
  while (!probes_.empty() && probes_.begin()->second.since + kProbeLimit <= now) {
    const auto& [id, probe] = *probes_.begin();
    probe_failed(id, link::Reason::kTimedOut,
                 probe.accepted == 0 ? "the gateway's own connection did not arrive at its listener within 5 s"
                                     : "the laptop did not answer the probe within 5 s",
                 now);
  }
  for (; !given_up_.empty() && given_up_.front().first <= now; given_up_.pop_front()) {
    auto it = probe_of_.find(given_up_.front().second);
    if (it != probe_of_.end() && it->second == 0) probe_of_.erase(it);
  }
}

}  // namespace causeway::engine

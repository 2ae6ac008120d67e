// Connections to services, and the sockets they are made of.
#include "core/engine/services.h"

#include <algorithm>

namespace causeway::engine {
Services::Services(ServiceHost& host, const GatewayConfig& config, BufferPool& pool, ReadBlock& read)
    : host_(host),
      pool_(pool),
      read_(read),
      max_accepted_(config.max_accepted),
      grace_(config.intercept_grace),
      table_(config.intercept_lease),
      sockets_(host, pool),
      http_(*this, sockets_, pool) {
  std::vector<intercept::InterceptTable::Service> known;
  for (const ServiceConfig& service : config.services) {
    known.push_back({service.name, service.http, service.original_when_down});
    services_.push_back({service, {}, std::make_unique<intercept::ServiceRouter>(table_, service.name), 0});
  }
  table_.set_services(std::move(known));
}

Services::~Services() = default;

void Services::set_endpoints(ServiceId service, std::vector<packet::Endpoint> endpoints) {
  services_.at(service).endpoints = std::move(endpoints);
}

std::vector<ServiceStatus> Services::status() const {
  std::vector<ServiceStatus> all;
  for (const Service& service : services_) {
    ServiceStatus& status = all.emplace_back();
    status.config = service.config;
    status.endpoints = service.endpoints;
    status.connections = service.connections;
    for (const intercept::Intercept* each : table_.of_service(service.config.name)) status.intercepts.push_back(*each);
  }
  return all;
}

RelayId Services::accepted(ServiceId service, const packet::Endpoint& source, Instant now) {
  if (auto probe = probe_of_.find(source); probe != probe_of_.end()) {
    const RelayId id = probe->second;
    probe_of_.erase(probe);
    return id == 0 ? 0 : probe_accepted(id, now);
  }
  if (connections() >= max_accepted_) return 0;
  const bool http = services_.at(service).config.http;
  Socket& socket = sockets_.add(http ? Use::kHttp : Use::kPlain, 0);
  const RelayId front = socket.id;
  socket.connection = front;
  if (http) {
    begin_http(front, service, source, now);
    return front;
  }
  ++services_[service].connections;
  Plain& plain = plains_[front];
  plain.service = service;
  plain.source = source;
  hand_over(front, plain);
  return front;
}

RelayId Services::dial_original(ServiceId service, const packet::Endpoint& source, Use use, RelayId connection,
                                intercept::ConnectionId upstream) {
  Socket& socket = sockets_.add(use, connection, upstream);
  socket.dialling = true;
  GatewayEvent& dial = host_.emit(GatewayEvent::Kind::kDial);
  dial.relay = socket.id;
  dial.service = service;
  dial.configured = true;
  dial.source = source;
  dial.destination = services_[service].config.original;
  return socket.id;
}

// --- the driver's calls

void Services::dialled(RelayId id, Instant now) {
  Socket* socket = sockets_.find(id);
  if (!socket || !socket->dialling) return;
  sockets_.connected(*socket);
  if (socket->use == Use::kHttp) http_.connected(socket->connection, socket->upstream, now);
}

void Services::dial_failed(RelayId id, link::Reason why, Instant now) {
  Socket* socket = sockets_.find(id);
  if (socket && socket->dialling) failed(id, why, now);
}

MutableBytes Services::space(RelayId id) {
  Socket* socket = sockets_.find(id);
  if (!socket || !socket->readable()) return {};
  if (socket->use == Use::kHttp) {
    socket->paused = !http_.reads(socket->connection, socket->upstream);
  } else {
    Plain& plain = plains_.at(RelayId(socket->connection));
    socket->paused = way_of(*socket, plain).size() >= (plain.original == 0 ? kHeld : kUnsent);
  }
  return socket->paused ? MutableBytes() : read_.space();
}

void Services::received(RelayId id, std::size_t n, Instant now) {
  Socket* socket = sockets_.find(id);
  if (!socket || n == 0) return;
  if (socket->use == Use::kHttp) {
    http_.received(socket->connection, socket->upstream, read_.taken(n), now);
  } else if (socket->use == Use::kPlain) {
    Plain& plain = plains_.at(RelayId(socket->connection));
    if (Socket* other = other_of(*socket, plain)) {
      sockets_.send(*other, read_.taken(n));
    } else {
      plain.held.append(pool_.compact(read_.taken(n)), pool_);
    }
  }
}

void Services::finished(RelayId id, Instant now) {
  Socket* socket = sockets_.find(id);
  if (!socket || socket->finished || socket->ending) return;
  socket->finished = true;
  if (socket->use == Use::kHttp) {
    http_.finished(socket->connection, socket->upstream, now);
  } else if (socket->use == Use::kPlain) {
    const RelayId front = RelayId(socket->connection);
    if (Socket* other = other_of(*socket, plains_.at(front))) sockets_.finish(*other);
    end_plain_if_done(front);
  }
}

void Services::failed(RelayId id, link::Reason why, Instant now) {
  const std::optional<Socket> socket = sockets_.take(id);
  if (!socket) return;
  switch (socket->use) {
    case Use::kPlain: return end_plain(RelayId(socket->connection));
    case Use::kHttp: return http_.failed(socket->connection, socket->upstream, why, now);
    case Use::kProbe:
      return probe_failed(RelayId(socket->connection), link::Reason::kNotAvailable,
                          std::string("the gateway cannot connect to its own listener: ") + link::reason_name(why),
                          now);
    case Use::kClosing: return;
  }
}

void Services::transmitted(RelayId id, std::size_t n, Instant now) {
  Socket* socket = sockets_.transmitted(id, n);
  if (!socket) return;
  if (socket->use == Use::kHttp) {
    http_.sent(socket->connection, socket->upstream, n, now);
  } else if (socket->use == Use::kPlain) {
    const RelayId front = RelayId(socket->connection);
    Socket* other = other_of(*socket, plains_.at(front));
    if (other && socket->out.size() < kUnsent / 2) sockets_.resume(*other);
    end_plain_if_done(front);
  }
}

// --- connections whose bytes nobody looks into

bool Services::engine_said_no(link::Reason why) {
  return why == link::Reason::kNotAvailable || why == link::Reason::kLimit || why == link::Reason::kLinkLost ||
         why == link::Reason::kShuttingDown;
}

Services::Socket* Services::other_of(const Socket& socket, const Plain& plain) {
  return sockets_.find(socket.id == socket.connection ? plain.original : RelayId(socket.connection));
}

// Where what the socket reads waits.
OutQueue& Services::way_of(const Socket& socket, Plain& plain) {
  Socket* other = other_of(socket, plain);
  return other ? other->out : plain.held;
}

void Services::hand_over(RelayId front, Plain& plain) {
  auto route = table_.route_all(services_[plain.service].config.name);
  if (!route) return to_original(front, plain);
  plain.route = *route;
  plain.stream =
      open_stream(route->to, plain.source, {}, 0, {StreamUse::Kind::kPlain, front, 0, route->to}, plain.carrier);
  if (plain.stream == 0) {
    table_.count_failure(route->to, "too many connections to the laptop at once");
    return to_original(front, plain);
  }
  table_.count_request(route->to);
}

// A stream to the laptop that has it; 0 where there cannot be one.
link::StreamId Services::open_stream(intercept::InterceptId intercept, const packet::Endpoint& source,
                                     const Slice& first, std::uint8_t flags, const StreamUse& use, CarrierId& carrier) {
  const Listening* listening = find_listening(intercept);
  mux::Mux* mux = listening ? host_.mux(listening->carrier) : nullptr;
  if (!mux) return 0;
  const Service& service = services_[listening->service];
  flow::Destination to;
  to.protocol = flow::Protocol::kTcp;
  to.name = service.config.name;
  to.endpoint.port = service.endpoints.empty() ? service.config.original.endpoint.port : service.endpoints.front().port;
  const link::StreamId stream = mux->open(to, source, listening->listen, first, flags);
  if (stream == 0) return 0;
  carrier = listening->carrier;
  listeners_.at(carrier).streams[stream] = use;
  return stream;
}

void Services::to_original(RelayId front, Plain& plain) {
  plain.carrier = 0;
  plain.stream = 0;
  plain.original = dial_original(plain.service, plain.source, Use::kPlain, front, intercept::kClient);
  Socket& original = *sockets_.find(plain.original);
  sockets_.send_all(original, plain.held);
  Socket& accepted = *sockets_.find(front);
  original.finish_due = accepted.finished;
  sockets_.resume(accepted);
}

void Services::offer_refused(RelayId front, link::Reason why) {
  Plain& plain = plains_.at(front);
  table_.count_failure(plain.route.to,
                       why == link::Reason::kTimedOut ? "the laptop does not answer" : link::reason_name(why));
  if (plain.route.original_when_down || engine_said_no(why)) return to_original(front, plain);
  plain.stream = 0;
  end_plain(front);
}

void Services::offer_taken(RelayId front) {
  Plain plain = std::move(plains_.extract(front).mapped());
  const std::optional<Socket> socket = sockets_.take(front);
  --services_[plain.service].connections;
  mux::Mux& mux = *host_.mux(plain.carrier);
  while (!plain.held.empty()) {
    Slice piece = plain.held.pop_front();
    if (mux.writable(plain.stream)) mux.write(plain.stream, std::move(piece));
  }
  host_.join(front, plain.carrier, plain.stream, socket->finished);
  if (socket->paused) host_.resume_relay(front);
}

void Services::end_plain_if_done(RelayId front) {
  const Plain& plain = plains_.at(front);
  Socket* original = sockets_.find(plain.original);
  Socket* accepted = sockets_.find(front);
  if (!original || !accepted->finished || !original->finished || !accepted->finish_given || !original->finish_given)
    return;
  sockets_.close(*accepted, false);
  sockets_.close(*original, false);
  --services_[plain.service].connections;
  plains_.erase(front);
}

// One side of it is gone: so is the other, after what came before.
void Services::end_plain(RelayId front) {
  const Plain plain = std::move(plains_.extract(front).mapped());
  --services_[plain.service].connections;
  if (Socket* accepted = sockets_.find(front)) sockets_.reset_when_offered(*accepted);
  if (Socket* original = sockets_.find(plain.original)) sockets_.reset_when_offered(*original);
  if (plain.stream == 0) return;
  if (Listener* listener = find_listener(plain.carrier)) listener->streams.erase(plain.stream);
  if (mux::Mux* mux = host_.mux(plain.carrier)) mux->reset(plain.stream, link::Reason::kConnectionReset);
}

void Services::stop() {
  for (auto& [carrier, listener] : listeners_) listener.streams.clear();
  http_.clear();
  https_.clear();
  plains_.clear();
  probes_.clear();
  probe_of_.clear();
  sockets_.close_all();
  for (Service& service : services_) service.connections = 0;
}

// --- time

Instant Services::deadline() const {
  Instant at = std::min({lease_due_, cut_due_, sockets_.deadline(), http_.deadline()});
  for (const std::deque<Due>* list : {&discarded_, &over_}) {
    if (!list->empty()) at = std::min(at, list->front().at);
  }
  if (!probes_.empty()) at = std::min(at, probes_.begin()->second.since + kProbeLimit);
  if (!given_up_.empty()) at = std::min(at, given_up_.front().first);
  return at;
}

void Services::advance(Instant now) {
  sockets_.advance(now);
  http_.advance(now);
  advance_probes(now);
  for (; !discarded_.empty() && discarded_.front().at <= now; discarded_.pop_front()) {
    const Due& due = discarded_.front();
    Listener* listener = find_listener(due.carrier);
    if (!listener || listener->streams.erase(due.what) == 0) continue;
    if (mux::Mux* mux = host_.mux(due.carrier)) mux->reset(due.what, link::Reason::kTimedOut);
  }
  cut_overdue(now);
  if (lease_due_ > now) return;
  told_over(table_.expire(now), link::Reason::kNone, now);
  lease_due_ = table_.deadline();
}

}  // namespace causeway::engine

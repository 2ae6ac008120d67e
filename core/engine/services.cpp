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
      table_(config.intercept_lease) {
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
  Socket& socket = add_socket(http ? Socket::Use::kHttp : Socket::Use::kPlain, 0);
  const RelayId front = socket.connection = socket.id;
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

// --- sockets

Services::Socket* Services::find(RelayId id) {
  auto it = sockets_.find(id);
  return it == sockets_.end() ? nullptr : &it->second;
}

Services::Socket& Services::add_socket(Socket::Use use, RelayId connection, intercept::ConnectionId upstream) {
  const RelayId id = host_.new_relay();
  Socket& socket = sockets_[id];
  socket.id = id;
  socket.use = use;
  socket.connection = connection;
  socket.upstream = upstream;
  return socket;
}

RelayId Services::dial_original(ServiceId service, const packet::Endpoint& source, Socket::Use use, RelayId connection,
                                intercept::ConnectionId upstream) {
  Socket& socket = add_socket(use, connection, upstream);
  socket.dialling = true;
  GatewayEvent& dial = host_.emit(GatewayEvent::Kind::kDial);
  dial.relay = socket.id;
  dial.service = service;
  dial.configured = true;
  dial.source = source;
  dial.destination = services_[service].config.original;
  return socket.id;
}

void Services::send(Socket& socket, Slice slice) {
  socket.out.append(std::move(slice), pool_);
  note_writable(socket);
  if (socket.unsettled) return;
  socket.unsettled = true;
  unsettled_.push_back(socket.id);
}

void Services::note_writable(Socket& socket) {
  if (socket.writable_noted || socket.dialling || socket.out.empty()) return;
  socket.writable_noted = true;
  host_.note_writable(socket.id);
}

void Services::lent(RelayId id) {
  if (Socket* socket = find(id)) socket->writable_noted = false;
}

void Services::resume(Socket& socket) {
  if (!socket.paused) return;
  socket.paused = false;
  host_.emit(GatewayEvent::Kind::kResumeReading).relay = socket.id;
}

void Services::finish_if_due(Socket& socket) {
  if (!socket.finish_due || socket.finish_given || socket.dialling || !socket.out.empty()) return;
  socket.finish_given = true;
  host_.emit(GatewayEvent::Kind::kFinishRelay).relay = socket.id;
}

void Services::close(Socket& socket, bool reset) {
  GatewayEvent& event = host_.emit(GatewayEvent::Kind::kCloseRelay);
  event.relay = socket.id;
  event.reset = reset;
  sockets_.erase(socket.id);
}

void Services::close_when_written(Socket& socket, Instant now) {
  if (socket.out.empty() || socket.dialling) return close(socket, false);
  socket.use = Socket::Use::kClosing;
  closing_.push_back({now + kLinger, 0, socket.id});
}

// What came before the reset is still to be read: it is offered once.
void Services::reset_when_offered(Socket& socket) {
  if (socket.out.empty() || socket.dialling) return close(socket, true);
  socket.use = Socket::Use::kClosing;
  socket.ending = true;
  note_writable(socket);
  host_.reset_once_offered(socket.id);
}

void Services::end_offered(RelayId id) {
  if (Socket* socket = find(id)) close(*socket, true);
}

void Services::dialled(RelayId id, Instant now) {
  Socket* socket = find(id);
  if (!socket || !socket->dialling) return;
  socket->dialling = false;
  note_writable(*socket);
  finish_if_due(*socket);
  if (socket->use != Socket::Use::kHttp) return;
  const RelayId front = socket->connection;
  https_.at(front).proxy->connected(socket->upstream, now);
  run(front, now);
}

void Services::dial_failed(RelayId id, link::Reason why, Instant now) {
  Socket* socket = find(id);
  if (socket && socket->dialling) failed(id, why, now);
}

MutableBytes Services::space(RelayId id) {
  Socket* socket = find(id);
  if (!socket || socket->dialling || socket->finished || socket->ending) return {};
  bool reads = false;
  switch (socket->use) {
    case Socket::Use::kPlain: {
      Plain& plain = plains_.at(socket->connection);
      reads = way_of(*socket, plain).size() < (plain.original == 0 ? kHeld : kUnsent);
      break;
    }
    case Socket::Use::kHttp:
      reads = https_.at(socket->connection).proxy->reads(socket->upstream);
      break;
    default:
      return {};
  }
  socket->paused = !reads;
  return reads ? read_.space() : MutableBytes();
}

void Services::received(RelayId id, std::size_t n, Instant now) {
  Socket* socket = find(id);
  if (!socket || n == 0) return;
  if (socket->use == Socket::Use::kHttp) {
    const RelayId front = socket->connection;
    https_.at(front).proxy->received(socket->upstream, read_.taken(n), now);
    run(front, now);
  } else if (socket->use == Socket::Use::kPlain) {
    Plain& plain = plains_.at(socket->connection);
    if (Socket* other = other_of(*socket, plain)) {
      send(*other, read_.taken(n));
    } else {
      plain.held.append(pool_.compact(read_.taken(n)), pool_);
    }
  }
}

void Services::finished(RelayId id, Instant now) {
  Socket* socket = find(id);
  if (!socket || socket->finished || socket->ending) return;
  socket->finished = true;
  if (socket->use == Socket::Use::kHttp) {
    const RelayId front = socket->connection;
    https_.at(front).proxy->finished(socket->upstream, now);
    run(front, now);
  } else if (socket->use == Socket::Use::kPlain) {
    const RelayId front = socket->connection;
    if (Socket* other = other_of(*socket, plains_.at(front))) {
      other->finish_due = true;
      finish_if_due(*other);
    }
    end_plain_if_done(front);
  }
}

void Services::failed(RelayId id, link::Reason why, Instant now) {
  auto node = sockets_.extract(id);
  if (node.empty()) return;
  const Socket& socket = node.mapped();
  switch (socket.use) {
    case Socket::Use::kPlain:
      return end_plain(socket.connection);
    case Socket::Use::kHttp: {
      Http& http = https_.at(socket.connection);
      std::erase_if(http.upstreams, [&](const Upstream& each) { return each.socket == id; });
      http.proxy->failed(socket.upstream, why, now);
      return run(socket.connection, now);
    }
    case Socket::Use::kProbe:
      return probe_failed(socket.connection, link::Reason::kNotAvailable,
                          std::string("the gateway cannot connect to its own listener: ") + link::reason_name(why), now);
    case Socket::Use::kClosing:
      return;
  }
}

std::size_t Services::transmit(RelayId id, std::span<Bytes> pieces) {
  Socket* socket = find(id);
  return socket && !socket->dialling ? socket->out.pieces(pieces) : 0;
}

void Services::transmitted(RelayId id, std::size_t n, Instant now) {
  Socket* socket = find(id);
  if (!socket || n == 0) return;
  socket->out.remove(n);
  finish_if_due(*socket);
  switch (socket->use) {
    case Socket::Use::kPlain: {
      const RelayId front = socket->connection;
      Socket* other = other_of(*socket, plains_.at(front));
      if (other && socket->out.size() < kUnsent / 2) resume(*other);
      return end_plain_if_done(front);
    }
    case Socket::Use::kHttp: {
      const RelayId front = socket->connection;
      https_.at(front).proxy->sent(socket->upstream, n, now);
      return run(front, now);
    }
    case Socket::Use::kClosing:
      if (socket->out.empty()) close(*socket, socket->ending);
      return;
    case Socket::Use::kProbe:
      return;
  }
}

void Services::settle() {
  for (RelayId id : unsettled_) {
    Socket* socket = find(id);
    if (!socket) continue;
    socket->unsettled = false;
    socket->out.settle(pool_);
  }
  unsettled_.clear();
}

bool Services::engine_said_no(link::Reason why) {
  return why == link::Reason::kNotAvailable || why == link::Reason::kLimit || why == link::Reason::kLinkLost ||
         why == link::Reason::kShuttingDown;
}

// --- connections whose bytes nobody looks into

Services::Socket* Services::other_of(const Socket& socket, const Plain& plain) {
  return find(socket.id == socket.connection ? plain.original : socket.connection);
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
  plain.stream = open_stream(route->to, plain.source, {}, 0, {StreamUse::Kind::kPlain, front, 0, route->to}, plain.carrier);
  if (plain.stream == 0) {
    table_.count_failure(route->to, "too many connections to the laptop at once");
    return to_original(front, plain);
  }
  table_.count_request(route->to);
}

// A stream to the laptop that has it; 0 where there cannot be one.
link::StreamId Services::open_stream(intercept::InterceptId intercept, const packet::Endpoint& source, const Slice& first,
                                     std::uint8_t flags, const StreamUse& use, CarrierId& carrier) {
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
  plain.original = dial_original(plain.service, plain.source, Socket::Use::kPlain, front, intercept::kClient);
  Socket& original = *find(plain.original);
  plain.held.move_to(original.out, pool_);
  Socket& accepted = *find(front);
  original.finish_due = accepted.finished;
  resume(accepted);
}

void Services::offer_refused(RelayId front, link::Reason why) {
  Plain& plain = plains_.at(front);
  table_.count_failure(plain.route.to, why == link::Reason::kTimedOut ? "the laptop does not answer" : link::reason_name(why));
  if (plain.route.original_when_down || engine_said_no(why)) return to_original(front, plain);
  plain.stream = 0;
  end_plain(front);
}

void Services::offer_taken(RelayId front) {
  Plain plain = std::move(plains_.extract(front).mapped());
  const Socket socket = std::move(sockets_.extract(front).mapped());
  --services_[plain.service].connections;
  mux::Mux& mux = *host_.mux(plain.carrier);
  std::array<Bytes, 16> pieces;
  while (std::size_t count = plain.held.pieces(pieces)) {
    std::size_t n = 0;
    for (const Bytes& piece : std::span(pieces.data(), count)) {
      if (mux.writable(plain.stream)) mux.write(plain.stream, pool_.copy(piece));
      n += piece.size();
    }
    plain.held.remove(n);
  }
  host_.join(front, plain.carrier, plain.stream, socket.finished);
  if (socket.paused) host_.emit(GatewayEvent::Kind::kResumeReading).relay = front;
}

void Services::end_plain_if_done(RelayId front) {
  const Plain& plain = plains_.at(front);
  Socket* original = find(plain.original);
  Socket* accepted = find(front);
  if (!original || !accepted->finished || !original->finished || !accepted->finish_given || !original->finish_given) return;
  close(*accepted, false);
  close(*original, false);
  --services_[plain.service].connections;
  plains_.erase(front);
}

// One side of it is gone: so is the other, after what came before.
void Services::end_plain(RelayId front) {
  const Plain plain = std::move(plains_.extract(front).mapped());
  --services_[plain.service].connections;
  if (Socket* accepted = find(front)) reset_when_offered(*accepted);
  if (Socket* original = find(plain.original)) reset_when_offered(*original);
  if (plain.stream == 0) return;
  if (Listener* listener = find_listener(plain.carrier)) listener->streams.erase(plain.stream);
  if (mux::Mux* mux = host_.mux(plain.carrier)) mux->reset(plain.stream, link::Reason::kConnectionReset);
}

void Services::stop() {
  for (auto& [carrier, listener] : listeners_) listener.streams.clear();
  https_.clear();
  due_.clear();
  plains_.clear();
  probes_.clear();
  probe_of_.clear();
  while (!sockets_.empty()) close(sockets_.begin()->second, true);
  for (Service& service : services_) service.connections = 0;
}

// --- time

Instant Services::deadline() const {
  Instant at = std::min(lease_due_, cut_due_);
  if (!due_.empty()) at = std::min(at, due_.begin()->first);
  for (const std::deque<Due>* list : {&closing_, &discarded_, &over_}) {
    if (!list->empty()) at = std::min(at, list->front().at);
  }
  if (!probes_.empty()) at = std::min(at, probes_.begin()->second.since + kProbeLimit);
  if (!given_up_.empty()) at = std::min(at, given_up_.front().first);
  return at;
}

void Services::advance(Instant now) {
  while (!closing_.empty() && closing_.front().at <= now) {
    Socket* socket = find(RelayId(closing_.front().what));
    closing_.pop_front();
    if (socket && socket->use == Socket::Use::kClosing) close(*socket, true);
  }
  advance_http(now);
  advance_listens(now);
}

}  // namespace causeway::engine

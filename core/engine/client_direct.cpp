// Connections of this machine's programs to services that are intercepted here: they go straight to the local process, without the
// way through the cluster. Where only some requests are intercepted each is told apart, and the others go to the cluster as ever.
//
//   SYN > everything is intercepted > the local process is dialled > the stack answers the SYN > bytes are spliced
//                                                       > refused  > the cluster, as if there were no intercept
//       > some requests are         > OPEN to the cluster > OPENED > the stack answers the SYN > HttpProxy
#include <algorithm>

#include "core/engine/client_impl.h"

namespace causeway::engine {
namespace {

// What one side may have waiting for the other, before it is not read.
constexpr std::size_t kUnsent = 256 * 1024;
constexpr Duration kLinger = std::chrono::seconds(10);
// Streams know their session by a carrier; there is one.
constexpr CarrierId kCarrier = 1;

}  // namespace

intercept::Route Client::Impl::OwnRouter::route(const http::Head& request) {
  for (InterceptId id : impl.shortcuts_to(endpoint)) {
    if (impl.intercepts_.at(id).status.request.match.accepts(request)) return {id, true};
  }
  return {};
}

// More conditions win, then the older, as at the gateway.
void Client::Impl::know_shortcuts() {
  shortcuts_.clear();
  for (const auto& [id, own] : intercepts_) {
    if (!own.was_ready || !own.status.request.shortcut) continue;
    for (const packet::Endpoint& endpoint : own.status.endpoints) shortcuts_[endpoint].push_back(id);
  }
  for (auto& [endpoint, ids] : shortcuts_) {
    std::stable_sort(ids.begin(), ids.end(), [&](InterceptId a, InterceptId b) {
      return intercepts_.at(a).status.request.match.conditions() > intercepts_.at(b).status.request.match.conditions();
    });
  }
}

std::span<const InterceptId> Client::Impl::shortcuts_to(const packet::Endpoint& to) const {
  if (shortcuts_.empty()) return {};
  auto it = shortcuts_.find(to);
  return it == shortcuts_.end() ? std::span<const InterceptId>() : it->second;
}

// Only some requests of connections to it go to a local process. (Everything and some of it cannot be had at once.)
bool Client::Impl::is_told_apart(const packet::Endpoint& to) const {
  const auto ids = shortcuts_to(to);
  return !ids.empty() && !intercepts_.at(ids.front()).status.request.match.everything();
}

// True: the local process is asked.
bool Client::Impl::go_direct(Flow& flow) {
  if (shortcuts_.empty()) return false;
  const packet::Endpoint to = real(flow.tuple.destination);
  const auto ids = shortcuts_to(to);
  if (ids.empty() || is_told_apart(to)) return false;
  flow.direct = true;
  dial_process(ids.front(), QueuedSockets::Use::kPlain, flow.handle, intercept::kClient);
  return true;
}

RelayId Client::Impl::dial_process(InterceptId id, QueuedSockets::Use use, FlowHandle flow, intercept::ConnectionId upstream) {
  OwnIntercept& own = intercepts_.at(id);
  ++own.status.connections;
  QueuedSockets::Socket& socket = sockets_.add(use, flow, upstream);
  socket.dialling = true;
  socket_of_[socket.id] = id;
  ClientEvent& dial = emit_intercept(ClientEvent::Kind::kDialLocal, id);
  dial.relay = socket.id;
  dial.local = own.status.request.local;
  return socket.id;
}

// The stack has answered the SYN of a connection whose bytes nobody looks into.
void Client::Impl::begin_plain(Flow& flow, RelayId process) {
  flow.kind = Flow::Kind::kDirect;
  directs_[flow.handle].process = process;
}

// And here of one whose requests are told apart; `stream` to the cluster is open.
void Client::Impl::begin_http(Flow& flow, link::StreamId stream, Instant now) {
  flows_.clear_stream(flow);
  flow.kind = Flow::Kind::kDirect;
  Direct& direct = directs_[flow.handle];
  direct.original = stream;
  direct.router = std::make_unique<OwnRouter>(*this, real(flow.tuple.destination));
  direct_streams_[stream] = {flow.handle, intercept::kClient, false};
  intercept::HttpProxy::Settings settings;
  settings.client = flow.tuple.source;
  http_.begin(flow.handle, *direct.router, settings, now);
}

void Client::Impl::push_later(FlowHandle handle, Direct& direct) {
  if (std::exchange(direct.push_noted, true)) return;
  pushes_.push_back(handle);
}

bool Client::Impl::push_directs(Instant now) {
  std::vector<FlowHandle> pushes = std::exchange(pushes_, {});
  for (FlowHandle handle : pushes) {
    if (Flow* flow = flows_.find(handle)) push_direct(*flow, now);
  }
  return !pushes.empty();
}

// Hands the stack what has come for the app, as far as it takes it.
void Client::Impl::push_direct(Flow& flow, Instant now) {
  auto it = directs_.find(flow.handle);
  if (it == directs_.end() || flow.connection == 0) return;
  Direct& direct = it->second;
  direct.push_noted = false;
  if (flow.peer_finished) return;
  std::size_t taken = 0;
  while (!direct.to_app.empty()) {
    const std::size_t size = direct.to_app.front().size;
    const std::size_t n = stack_.write(flow.connection, direct.to_app.front());
    direct.to_app.remove(n);
    taken += n;
    if (n < size) break;
  }
  direct.to_app.settle(pool_);
  if (direct.finish_due && direct.to_app.empty()) {
    flow.peer_finished = true;
    stack_.finish(flow.connection);
  }
  if (taken == 0) return;
  if (direct.router) {
    if (http_.contains(flow.handle)) http_.sent(flow.handle, intercept::kClient, taken, now);
  } else if (QueuedSockets::Socket* process = sockets_.find(direct.process); process && direct.to_app.size() < kUnsent / 2) {
    sockets_.resume(*process);
  }
}

void Client::Impl::direct_event(Flow& flow, StackEvent& event, Instant now) {
  Direct& direct = directs_.at(flow.handle);
  const bool http = http_.contains(flow.handle);
  QueuedSockets::Socket* process = direct.process ? sockets_.find(direct.process) : nullptr;
  switch (event.kind) {
    case StackEvent::Kind::kEstablished:
    case StackEvent::Kind::kWritable:
      push_direct(flow, now);
      break;
    case StackEvent::Kind::kReceived: {
      const std::size_t size = event.data.size;
      if (process) {
        sockets_.send(*process, std::move(event.data));  // consumed when it is written
        break;
      }
      if (http) {
        direct.unconsumed += size;
        http_.received(flow.handle, intercept::kClient, std::move(event.data), now);
        if (!http_.contains(flow.handle) || http_.reads(flow.handle, intercept::kClient)) consume(flow, direct);
        break;
      }
      stack_.consumed(flow.connection, size);  // nobody wants it any more
      break;
    }
    case StackEvent::Kind::kFinished:
      flow.app_finished = true;
      if (process) sockets_.finish(*process);
      if (http) http_.finished(flow.handle, intercept::kClient, now);
      break;
    case StackEvent::Kind::kReset:
      if (process) sockets_.close(*process, true);
      if (http) http_.failed(flow.handle, intercept::kClient, link::Reason::kConnectionReset, now);
      break;
    case StackEvent::Kind::kClosed:
      flow.connection = 0;
      --connections_;
      if (process) {
        const bool in_order = flow.app_finished && flow.peer_finished;
        in_order ? sockets_.close_when_written(*process, now) : sockets_.reset_when_offered(*process);
      }
      if (http) http_.failed(flow.handle, intercept::kClient, link::Reason::kConnectionReset, now);
      leave_original(direct);
      directs_.erase(flow.handle);
      flows_.remove(flow, now);
      break;
  }
}

void Client::Impl::consume(const Flow& flow, Direct& direct) {
  if (direct.unconsumed > 0 && flow.connection != 0) stack_.consumed(flow.connection, std::exchange(direct.unconsumed, 0));
}

// The way to the cluster that was never used.
void Client::Impl::leave_original(Direct& direct) {
  if (direct.original == 0) return;
  direct_streams_.erase(direct.original);
  if (session_) session_->mux.reset(std::exchange(direct.original, 0), link::Reason::kNone);
}

// --- what the driver says of sockets to local processes

void Client::Impl::process_dialled(RelayId id, Instant now) {
  QueuedSockets::Socket* socket = sockets_.find(id);
  if (!socket || !socket->dialling) return;
  sockets_.connected(*socket);
  if (socket->use == QueuedSockets::Use::kHttp) return http_.connected(socket->connection, socket->upstream, now);
  if (socket->use != QueuedSockets::Use::kPlain) return;
  Flow* flow = flows_.find(socket->connection);
  if (!flow || !flow->direct || !flow->half_open) return sockets_.close(*socket, true);  // the app has given up
  if (accept(*flow, now)) {
    begin_plain(*flow, id);
  } else {
    sockets_.close(*socket, true);
  }
}

void Client::Impl::process_failed(RelayId id, link::Reason why, Instant now) {
  const std::optional<QueuedSockets::Socket> socket = sockets_.take(id);
  const InterceptId intercept = std::exchange(socket_of_[id], 0);
  socket_of_.erase(id);
  if (!socket) return;
  if (socket->dialling) count_failure(intercept, why);
  if (socket->use == QueuedSockets::Use::kHttp) return http_.failed(socket->connection, socket->upstream, why, now);
  Flow* flow = socket->use == QueuedSockets::Use::kPlain ? flows_.find(socket->connection) : nullptr;
  if (!flow) return;
  if (!socket->dialling) {
    push_direct(*flow, now);
    return stack_.abort(flow->connection);
  }
  if (!flow->half_open) return;
  flow->direct = false;
  if (up()) open_held(*flow, now);
}

MutableBytes Client::Impl::process_space(RelayId id) {
  QueuedSockets::Socket* socket = sockets_.find(id);
  if (!socket || !socket->readable()) return {};
  if (socket->use == QueuedSockets::Use::kHttp) {
    socket->paused = !http_.reads(socket->connection, socket->upstream);
  } else {
    auto direct = directs_.find(socket->connection);
    socket->paused = direct == directs_.end() || direct->second.to_app.size() >= kUnsent;
  }
  return socket->paused ? MutableBytes() : read_.space();
}

void Client::Impl::process_received(RelayId id, std::size_t n, Instant now) {
  QueuedSockets::Socket* socket = sockets_.find(id);
  if (!socket || n == 0) return;
  if (auto own = intercepts_.find(socket_of_[id]); own != intercepts_.end()) own->second.status.last_answer = now;
  if (socket->use == QueuedSockets::Use::kHttp) {
    http_.received(socket->connection, socket->upstream, read_.taken(n), now);
  } else if (auto direct = directs_.find(socket->connection); direct != directs_.end()) {
    direct->second.to_app.append(read_.taken(n), pool_);
    push_later(direct->first, direct->second);
  }
}

void Client::Impl::process_finished(RelayId id, Instant now) {
  QueuedSockets::Socket* socket = sockets_.find(id);
  if (!socket || socket->finished || socket->ending) return;
  socket->finished = true;
  if (socket->use == QueuedSockets::Use::kHttp) {
    http_.finished(socket->connection, socket->upstream, now);
  } else if (auto direct = directs_.find(socket->connection); direct != directs_.end()) {
    direct->second.finish_due = true;
    push_later(direct->first, direct->second);
  }
}

void Client::Impl::process_transmitted(RelayId id, std::size_t n, Instant now) {
  QueuedSockets::Socket* socket = sockets_.transmitted(id, n);
  if (!socket) return;
  if (socket->use == QueuedSockets::Use::kHttp) {
    http_.sent(socket->connection, socket->upstream, n, now);
  } else if (socket->use == QueuedSockets::Use::kPlain) {
    const Flow* flow = flows_.find(socket->connection);
    if (flow && flow->connection != 0) stack_.consumed(flow->connection, n);
  }
}

// --- what HTTP connections ask for

void Client::Impl::send_to_client(HttpConnections::Key key, Slice bytes) {
  auto direct = directs_.find(key);
  if (direct == directs_.end()) return;
  direct->second.to_app.append(std::move(bytes), pool_);
  push_later(key, direct->second);
}

void Client::Impl::finish_client(HttpConnections::Key key) {
  auto direct = directs_.find(key);
  if (direct == directs_.end()) return;
  direct->second.finish_due = true;
  push_later(key, direct->second);
}

void Client::Impl::close_client(HttpConnections::Key key, bool reset, Instant now) {
  const Flow* flow = flows_.find(key);
  if (!flow || flow->connection == 0) return;
  if (reset) return stack_.abort(flow->connection);
  finish_client(key);
  lingering_.emplace_back(now + kLinger, key);
}

void Client::Impl::resume_client(HttpConnections::Key key) {
  const Flow* flow = flows_.find(key);
  if (flow) consume(*flow, directs_.at(key));
}

std::size_t Client::Impl::first_bytes(HttpConnections::Key key, intercept::InterceptId target) {
  auto direct = directs_.find(key);
  const bool opens = target == intercept::kOriginal && up() && direct != directs_.end() && direct->second.original == 0;
  return opens ? session_->mux.first_bytes() : 0;
}

HttpConnections::Way Client::Impl::way_to(HttpConnections::Key key, intercept::ConnectionId upstream,
                                          intercept::InterceptId target, const Slice& first) {
  HttpConnections::Way way;
  const Flow* flow = flows_.find(key);
  if (target != intercept::kOriginal) {
    if (intercepts_.contains(target)) way.socket = dial_process(target, QueuedSockets::Use::kHttp, key, upstream);
    return way;
  }
  auto direct = directs_.find(key);
  if (!flow || direct == directs_.end() || !up()) return way;
  way.carrier = kCarrier;
  if (direct->second.original != 0) {
    way.stream = std::exchange(direct->second.original, 0);
    way.open = true;
  } else {
    flow::Destination destination;
    destination.protocol = flow::Protocol::kTcp;
    destination.endpoint = real(flow->tuple.destination);
    way.stream = session_->mux.open(destination, flow->tuple.source, 0, first);
    way.why = link::Reason::kLimit;
  }
  if (way.stream != 0) direct_streams_[way.stream] = {key, upstream, false};
  return way;
}

mux::Mux* Client::Impl::mux_of(CarrierId) { return session_ ? &session_->mux : nullptr; }

void Client::Impl::stream_left(CarrierId, link::StreamId stream, bool reset, Instant now) {
  if (reset) {
    direct_streams_.erase(stream);
    return;
  }
  direct_streams_[stream].discard = true;
  discarded_.emplace_back(now + kLinger, stream);
}

void Client::Impl::happened(HttpConnections::Key, const intercept::ProxyEvent&, Instant) {}

void Client::Impl::http_over(HttpConnections::Key key) {
  auto direct = directs_.find(key);
  const Flow* flow = flows_.find(key);
  if (direct == directs_.end() || !flow) return;
  leave_original(direct->second);
  consume(*flow, direct->second);
}

// True: the stream is one of theirs.
bool Client::Impl::direct_stream_event(const mux::MuxEvent& event, Instant now) {
  using Kind = mux::MuxEvent::Kind;
  auto it = direct_streams_.find(event.stream);
  if (it == direct_streams_.end()) return false;
  const DirectStream use = it->second;
  mux::Mux& mux = session_->mux;
  const bool over = event.kind == Kind::kReset || event.kind == Kind::kRefused || event.kind == Kind::kClosed;
  if (use.discard) {
    while (mux.has_readable(event.stream)) mux.consume(event.stream, mux.readable(event.stream).size);
    if (event.kind == Kind::kSent) mux.take_sent(event.stream);
    if (event.kind == Kind::kReset) mux.forget(event.stream);
    if (over) direct_streams_.erase(event.stream);
  } else if (use.upstream == intercept::kClient) {
    // Not used yet: what comes waits, and an end is found out about by another that is opened.
    if (!over) return true;
    if (auto direct = directs_.find(use.flow); direct != directs_.end()) direct->second.original = 0;
    if (event.kind == Kind::kReset) mux.forget(event.stream);
    direct_streams_.erase(event.stream);
  } else if (http_.stream_event(use.flow, use.upstream, event, now)) {
    direct_streams_.erase(event.stream);
  }
  return true;
}

Instant Client::Impl::direct_deadline() const {
  Instant at = std::min(http_.deadline(), sockets_.deadline());
  if (!lingering_.empty()) at = std::min(at, lingering_.front().first);
  if (!discarded_.empty()) at = std::min(at, discarded_.front().first);
  return at;
}

void Client::Impl::advance_directs(Instant now) {
  http_.advance(now);
  sockets_.advance(now);
  for (; !lingering_.empty() && lingering_.front().first <= now; lingering_.pop_front()) {
    const Flow* flow = flows_.find(lingering_.front().second);
    if (flow && flow->connection != 0) stack_.abort(flow->connection);
  }
  for (; !discarded_.empty() && discarded_.front().first <= now; discarded_.pop_front()) {
    if (direct_streams_.erase(discarded_.front().second) > 0 && session_) {
      session_->mux.reset(discarded_.front().second, link::Reason::kTimedOut);
    }
  }
}

// The mux forgets its streams with the link.
void Client::Impl::lose_direct_streams() {
  direct_streams_.clear();
  discarded_.clear();
  for (auto& [handle, direct] : directs_) direct.original = 0;
}

}  // namespace causeway::engine

#include "core/engine/http_connections.h"

#include <algorithm>
#include <array>

namespace causeway::engine {

using intercept::kClient;
using intercept::ProxyEvent;
using Socket = QueuedSockets::Socket;

void HttpConnections::begin(Key key, intercept::Router& router, const intercept::HttpProxy::Settings& settings,
                            Instant now) {
  connections_[key].proxy = std::make_unique<intercept::HttpProxy>(settings, router, pool_, now);
  run(key, now);
}

void HttpConnections::clear() {
  connections_.clear();
  due_.clear();
}

HttpConnections::Upstream* HttpConnections::find(Connection& connection, intercept::ConnectionId id) {
  auto it = std::find_if(connection.upstreams.begin(), connection.upstreams.end(),
                         [&](const Upstream& each) { return each.id == id; });
  return it == connection.upstreams.end() ? nullptr : &*it;
}

void HttpConnections::connected(Key key, intercept::ConnectionId upstream, Instant now) {
  at(key).proxy->connected(upstream, now);
  run(key, now);
}

void HttpConnections::failed(Key key, intercept::ConnectionId id, link::Reason why, Instant now) {
  Connection& connection = at(key);
  std::erase_if(connection.upstreams, [&](const Upstream& each) { return each.id == id; });
  connection.proxy->failed(id, why, now);
  run(key, now);
}

void HttpConnections::received(Key key, intercept::ConnectionId connection, Slice bytes, Instant now) {
  at(key).proxy->received(connection, std::move(bytes), now);
  run(key, now);
}

void HttpConnections::finished(Key key, intercept::ConnectionId connection, Instant now) {
  at(key).proxy->finished(connection, now);
  run(key, now);
}

void HttpConnections::sent(Key key, intercept::ConnectionId connection, std::size_t n, Instant now) {
  at(key).proxy->sent(connection, n, now);
  run(key, now);
}

bool HttpConnections::reads(Key key, intercept::ConnectionId connection) const {
  return connections_.at(key).proxy->reads(connection);
}

void HttpConnections::silent(Key key, intercept::InterceptId target, Instant now) {
  at(key).proxy->silent(target, now);
  run(key, now);
}

void HttpConnections::answering(Key key, intercept::InterceptId target, Instant now) {
  at(key).proxy->answering(target, now);
  run(key, now);
}

// After every call of the proxy.
void HttpConnections::run(Key key, Instant now) {
  Connection& connection = at(key);
  drain(key, connection, now);
  while (!resumed_.empty()) {
    std::vector<intercept::ConnectionId> resumed = std::exchange(resumed_, {});
    for (intercept::ConnectionId id : resumed) read(key, id, now);
  }
  if (!connection.proxy->done()) return set_due(key, connection);
  for (const Upstream& upstream : connection.upstreams) leave(upstream, true, now);
  due_.erase({connection.due, key});
  connections_.erase(key);
  host_.http_over(key);
}

void HttpConnections::drain(Key key, Connection& connection, Instant now) {
  while (true) {
    events_.clear();
    connection.proxy->take_events(events_);
    if (events_.empty() && answers_.empty()) return;
    for (ProxyEvent& event : events_) carry_out(key, connection, event, now);
    open_ways(key, connection);
    if (answers_.empty()) continue;
    const Answer answer = answers_.front();
    answers_.pop_front();
    switch (answer.kind) {
      case Answer::Kind::kSent: connection.proxy->sent(answer.connection, answer.sent, now); break;
      case Answer::Kind::kConnected: connection.proxy->connected(answer.connection, now); break;
      case Answer::Kind::kFailed: connection.proxy->failed(answer.connection, answer.why, now); break;
    }
  }
}

void HttpConnections::carry_out(Key key, Connection& connection, ProxyEvent& event, Instant now) {
  using Kind = ProxyEvent::Kind;
  const bool client = event.connection == kClient;
  Upstream* upstream = client ? nullptr : find(connection, event.connection);
  Socket* socket = upstream && upstream->way.socket ? sockets_.find(upstream->way.socket) : nullptr;
  switch (event.kind) {
    case Kind::kConnect: {
      Upstream& fresh = connection.upstreams.emplace_back();
      fresh.id = event.connection;
      fresh.target = event.target;
      break;
    }
    case Kind::kSend:
      if (client) {
        host_.send_to_client(key, std::move(event.bytes));
      } else if (socket) {
        sockets_.send(*socket, std::move(event.bytes));
      } else if (upstream && upstream->way.open) {
        write(*upstream, std::move(event.bytes));
      } else if (upstream) {
        upstream->pending.append(std::move(event.bytes), pool_);
      }
      break;
    case Kind::kFinish:
      if (client) {
        host_.finish_client(key);
      } else if (socket) {
        sockets_.finish(*socket);
      } else if (upstream && upstream->way.open) {
        finish(*upstream);
      } else if (upstream) {
        upstream->finish_due = true;
      }
      break;
    case Kind::kClose:
    case Kind::kReset:
      if (client) {
        host_.close_client(key, event.kind == Kind::kReset, now);
      } else if (upstream) {
        leave(*upstream, event.kind == Kind::kReset, now);
        std::erase_if(connection.upstreams, [&](const Upstream& each) { return each.id == event.connection; });
      }
      break;
    case Kind::kResumeReading:
      if (client) {
        host_.resume_client(key);
      } else if (socket) {
        sockets_.resume(*socket);
      } else if (upstream) {
        resumed_.push_back(event.connection);
      }
      break;
    default: host_.happened(key, event, now); break;
  }
}

// Together with what is to be sent at once: that is nothing which may not be sent twice.
void HttpConnections::open_ways(Key key, Connection& connection) {
  for (Upstream& upstream : connection.upstreams) {
    if (upstream.asked) continue;
    upstream.asked = true;
    const Slice first = first_of(upstream, host_.first_bytes(key, upstream.target));
    upstream.way = host_.way_to(key, upstream.id, upstream.target, first);
    if (upstream.way.socket != 0) {
      Socket& socket = *sockets_.find(upstream.way.socket);
      sockets_.send_all(socket, upstream.pending);
      if (upstream.finish_due) sockets_.finish(socket);
    } else if (upstream.way.stream == 0) {
      answers_.push_back({Answer::Kind::kFailed, upstream.id, 0, upstream.way.why});
    } else {
      if (first.size > 0) answers_.push_back({Answer::Kind::kSent, upstream.id, first.size, {}});
      if (!upstream.way.open) continue;
      write_pending(upstream);
      resumed_.push_back(upstream.id);  // for what came on it before
      answers_.push_back({Answer::Kind::kConnected, upstream.id, 0, {}});
    }
  }
}

Slice HttpConnections::first_of(Upstream& upstream, std::size_t most) {
  if (upstream.pending.empty() || upstream.pending.size() > most) return {};
  Slice first{pool_.take(upstream.pending.size()), nullptr, 0};
  first.data = first.owner.data();
  while (!upstream.pending.empty()) {
    const Slice piece = upstream.pending.pop_front();
    copy_bytes(first.owner.bytes().subspan(first.size), piece.bytes());
    first.size += piece.size;
  }
  return first;
}

// The peer may have reset the stream, or the session may have ended, in this very turn: the word of it follows.
void HttpConnections::write(const Upstream& upstream, Slice bytes) {
  mux::Mux* mux = host_.mux_of(upstream.way.carrier);
  if (mux && mux->writable(upstream.way.stream)) mux->write(upstream.way.stream, std::move(bytes));
}

void HttpConnections::write_pending(Upstream& upstream) {
  while (!upstream.pending.empty()) write(upstream, upstream.pending.pop_front());
  if (upstream.finish_due) finish(upstream);
}

void HttpConnections::finish(const Upstream& upstream) {
  mux::Mux* mux = host_.mux_of(upstream.way.carrier);
  if (mux && mux->writable(upstream.way.stream)) mux->finish(upstream.way.stream);
}

// It is the proxy's no more. What was sent on it still arrives, unless it is reset.
void HttpConnections::leave(const Upstream& upstream, bool reset, Instant now) {
  if (Socket* socket = upstream.way.socket ? sockets_.find(upstream.way.socket) : nullptr) {
    reset ? sockets_.close(*socket, true) : sockets_.close_when_written(*socket, now);
  }
  if (upstream.way.stream == 0) return;
  mux::Mux* mux = host_.mux_of(upstream.way.carrier);
  if (!mux) return;
  const bool at_once = reset || !upstream.way.open;
  at_once ? mux->reset(upstream.way.stream, link::Reason::kConnectionReset) : finish(upstream);
  host_.stream_left(upstream.way.carrier, upstream.way.stream, at_once, now);
}

bool HttpConnections::stream_event(Key key, intercept::ConnectionId id, const mux::MuxEvent& event, Instant now) {
  using Kind = mux::MuxEvent::Kind;
  Connection& connection = at(key);
  Upstream* upstream = find(connection, id);
  CAUSEWAY_ASSERT(upstream);
  mux::Mux* mux = host_.mux_of(upstream->way.carrier);
  switch (event.kind) {
    case Kind::kOpened:
      upstream->way.open = true;
      write_pending(*upstream);
      connected(key, id, now);
      return false;
    case Kind::kReadable:
      read(key, id, now);
      run(key, now);
      return false;
    case Kind::kSent:
      if (mux) sent(key, id, std::size_t(mux->take_sent(event.stream)), now);
      return false;
    case Kind::kRefused: failed(key, id, event.reason, now); return true;
    case Kind::kReset: {
      read(key, id, now);  // what came before
      if (mux) mux->forget(event.stream);
      if (Upstream* still = find(connection, id)) {
        still->way.stream = 0;
        failed(key, id, event.reason, now);
      } else {
        run(key, now);
      }
      return true;
    }
    case Kind::kClosed: upstream->way.stream = 0; return true;
    default: return false;
  }
}

// Hands the proxy what has come on a stream, as far as it takes it.
void HttpConnections::read(Key key, intercept::ConnectionId id, Instant now) {
  Connection& connection = at(key);
  while (true) {
    Upstream* upstream = find(connection, id);
    mux::Mux* mux = upstream && upstream->way.stream != 0 ? host_.mux_of(upstream->way.carrier) : nullptr;
    if (!mux || upstream->finish_told) return;
    if (mux->has_readable(upstream->way.stream)) {
      if (!connection.proxy->reads(id)) return;
      Slice slice = mux->readable(upstream->way.stream);
      mux->consume(upstream->way.stream, slice.size);
      connection.proxy->received(id, std::move(slice), now);
    } else if (mux->read_done(upstream->way.stream)) {
      upstream->finish_told = true;
      connection.proxy->finished(id, now);
    } else {
      return;
    }
    drain(key, connection, now);
  }
}

void HttpConnections::set_due(Key key, Connection& connection) {
  const Instant at = connection.proxy->deadline();
  if (at == connection.due) return;
  // The node moves: a deadline changes with nearly every request.
  auto node = due_.extract({connection.due, key});
  connection.due = at;
  if (at == kNever) return;
  if (node.empty()) {
    due_.insert({at, key});
  } else {
    node.value() = {at, key};
    due_.insert(std::move(node));
  }
}

void HttpConnections::advance(Instant now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const Key key = due_.begin()->second;
    Connection& connection = at(key);
    due_.erase(due_.begin());
    connection.due = kNever;
    connection.proxy->advance(now);
    run(key, now);
  }
}

}  // namespace causeway::engine

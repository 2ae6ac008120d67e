// HTTP connections: what their HttpProxy asks for is carried out, and what comes of it is told.
#include <algorithm>

#include "core/engine/services.h"

namespace causeway::engine {

using intercept::kClient;
using intercept::kOriginal;
using intercept::ProxyEvent;

void Services::begin_http(RelayId front, ServiceId service, const packet::Endpoint& source, Instant now) {
  ++services_[service].connections;
  Http& http = https_[front];
  http.service = service;
  http.source = source;
  intercept::HttpProxy::Settings settings;
  settings.client = source;
  settings.grace = grace_;
  http.proxy = std::make_unique<intercept::HttpProxy>(settings, *services_[service].router, pool_, now);
  run(front, now);
}

Services::Upstream* Services::find_upstream(Http& http, intercept::ConnectionId id) {
  auto it = std::find_if(http.upstreams.begin(), http.upstreams.end(), [&](const Upstream& each) { return each.id == id; });
  return it == http.upstreams.end() ? nullptr : &*it;
}

// After every call of the proxy. The connection may be gone afterwards.
void Services::run(RelayId front, Instant now) {
  Http& http = https_.at(front);
  drain(front, http, now);
  while (!resumed_.empty()) {
    std::vector<intercept::ConnectionId> resumed = std::exchange(resumed_, {});
    for (intercept::ConnectionId id : resumed) read_upstream(front, id, now);
  }
  if (!http.proxy->done()) return set_due(front, http);
  for (Upstream& upstream : http.upstreams) leave_upstream(upstream, true, now);
  if (Socket* accepted = find(front); accepted && accepted->use == Socket::Use::kHttp) close_when_written(*accepted, now);
  --services_[http.service].connections;
  due_.erase({http.due, front});
  https_.erase(front);
}

void Services::drain(RelayId front, Http& http, Instant now) {
  while (true) {
    proxy_events_.clear();
    http.proxy->take_events(proxy_events_);
    if (proxy_events_.empty() && answers_.empty()) return;
    for (ProxyEvent& event : proxy_events_) carry_out(front, http, event, now);
    open_upstreams(front, http);
    if (answers_.empty()) continue;
    const Answer answer = answers_.front();
    answers_.pop_front();
    answer.sent > 0 ? http.proxy->sent(answer.connection, answer.sent, now)
                    : http.proxy->failed(answer.connection, answer.why, now);
  }
}

void Services::carry_out(RelayId front, Http& http, ProxyEvent& event, Instant now) {
  using Kind = ProxyEvent::Kind;
  const bool client = event.connection == kClient;
  Upstream* upstream = client ? nullptr : find_upstream(http, event.connection);
  Socket* socket = client ? find(front) : upstream && upstream->socket ? find(upstream->socket) : nullptr;
  switch (event.kind) {
    case Kind::kConnect: {
      Upstream& fresh = http.upstreams.emplace_back();
      fresh.id = event.connection;
      fresh.target = event.target;
      if (event.target == kOriginal)
        fresh.socket = dial_original(http.service, http.source, Socket::Use::kHttp, front, event.connection);
      break;
    }
    case Kind::kSend:
      if (socket) {
        send(*socket, std::move(event.bytes));
      } else if (upstream && upstream->open && upstream->stream != 0) {
        write(*upstream, std::move(event.bytes));
      } else if (upstream && upstream->socket == 0) {
        upstream->pending.append(std::move(event.bytes), pool_);
      }
      break;
    case Kind::kFinish:
      if (socket) {
        socket->finish_due = true;
        finish_if_due(*socket);
      } else if (upstream && upstream->open && upstream->stream != 0) {
        finish(*upstream);
      } else if (upstream) {
        upstream->finish_due = true;
      }
      break;
    case Kind::kClose:
    case Kind::kReset:
      if (client) {
        if (socket) event.kind == Kind::kReset ? close(*socket, true) : close_when_written(*socket, now);
      } else if (upstream) {
        leave_upstream(*upstream, event.kind == Kind::kReset, now);
        std::erase_if(http.upstreams, [&](const Upstream& each) { return each.id == event.connection; });
      }
      break;
    case Kind::kResumeReading:
      if (socket) {
        resume(*socket);
      } else if (upstream) {
        resumed_.push_back(event.connection);
      }
      break;
    case Kind::kHandedOver:
      if (event.target != kOriginal) table_.count_request(event.target);
      break;
    case Kind::kAnswered:
      if (event.target != kOriginal) table_.count_answer(event.target, now);
      break;
    case Kind::kFailed:
      if (event.target != kOriginal) table_.count_failure(event.target, event.text);
      break;
    case Kind::kRefused:
      break;
  }
}

// Streams to laptops, together with what is to be sent at once: that is nothing which may not be sent twice.
void Services::open_upstreams(RelayId front, Http& http) {
  for (Upstream& upstream : http.upstreams) {
    if (upstream.target == kOriginal || upstream.asked) continue;
    upstream.asked = true;
    const Listening* listening = find_listening(upstream.target);
    mux::Mux* mux = listening ? host_.mux(listening->carrier) : nullptr;
    Slice first;
    std::array<Bytes, 4> pieces;
    if (mux && upstream.pending.size() > 0 && upstream.pending.size() <= mux->first_bytes()) {
      first = {pool_.take(upstream.pending.size()), nullptr, 0};
      first.data = first.owner.data();
      while (std::size_t count = upstream.pending.pieces(pieces)) {
        std::size_t n = 0;
        for (const Bytes& piece : std::span(pieces.data(), count)) {
          copy_bytes(first.owner.bytes().subspan(first.size + n), piece);
          n += piece.size();
        }
        upstream.pending.remove(n);
        first.size += n;
      }
    }
    const StreamUse use{StreamUse::Kind::kUpstream, front, upstream.id, upstream.target};
    upstream.stream = open_stream(upstream.target, http.source, first, 0, use, upstream.carrier);
    if (upstream.stream != 0) {
      if (first.size > 0) answers_.push_back({upstream.id, first.size, link::Reason::kNone});
      continue;
    }
    answers_.push_back({upstream.id, 0, listening ? link::Reason::kLimit : link::Reason::kLinkLost});
  }
}

// The peer may have reset the stream, or the session may have ended, in this very turn: the word of it follows.
void Services::write(const Upstream& upstream, Slice bytes) {
  mux::Mux* mux = host_.mux(upstream.carrier);
  if (mux && mux->writable(upstream.stream)) mux->write(upstream.stream, std::move(bytes));
}

void Services::finish(const Upstream& upstream) {
  mux::Mux* mux = host_.mux(upstream.carrier);
  if (mux && mux->writable(upstream.stream)) mux->finish(upstream.stream);
}

// It is the proxy's no more. What was sent on it still arrives, unless it is reset.
void Services::leave_upstream(Upstream& upstream, bool reset, Instant now) {
  if (Socket* socket = upstream.socket ? find(upstream.socket) : nullptr) {
    reset ? close(*socket, true) : close_when_written(*socket, now);
  }
  if (upstream.stream == 0) return;
  Listener* listener = find_listener(upstream.carrier);
  mux::Mux* mux = host_.mux(upstream.carrier);
  if (!listener || !mux) return;
  if (reset || !upstream.open) {
    listener->streams.erase(upstream.stream);
    mux->reset(upstream.stream, link::Reason::kConnectionReset);
    return;
  }
  listener->streams[upstream.stream].kind = StreamUse::Kind::kDiscard;
  finish(upstream);
  discarded_.push_back({now + kLinger, upstream.carrier, upstream.stream});
}

void Services::upstream_event(CarrierId carrier, const StreamUse& use, const mux::MuxEvent& event, Instant now) {
  using Kind = mux::MuxEvent::Kind;
  mux::Mux& mux = *host_.mux(carrier);
  const RelayId front = use.connection;
  const intercept::ConnectionId id = use.upstream;
  Http& http = https_.at(front);
  Upstream* upstream = find_upstream(http, id);
  CAUSEWAY_ASSERT(upstream);
  switch (event.kind) {
    case Kind::kOpened: {
      upstream->open = true;
      std::array<Bytes, 16> pieces;
      while (std::size_t count = upstream->pending.pieces(pieces)) {
        std::size_t n = 0;
        for (const Bytes& piece : std::span(pieces.data(), count)) {
          write(*upstream, pool_.copy(piece));
          n += piece.size();
        }
        upstream->pending.remove(n);
      }
      if (upstream->finish_due) finish(*upstream);
      http.proxy->connected(id, now);
      return run(front, now);
    }
    case Kind::kReadable:
      read_upstream(front, id, now);
      return run(front, now);
    case Kind::kSent:
      http.proxy->sent(id, std::size_t(mux.take_sent(event.stream)), now);
      return run(front, now);
    case Kind::kRefused:
    case Kind::kReset:
      if (event.kind == Kind::kReset) {
        read_upstream(front, id, now);  // what came before
        mux.forget(event.stream);
      }
      if (Listener* listener = find_listener(carrier)) listener->streams.erase(event.stream);
      if (find_upstream(http, id)) {
        std::erase_if(http.upstreams, [&](const Upstream& each) { return each.id == id; });
        http.proxy->failed(id, engine_said_no(event.reason) ? link::Reason::kLinkLost : event.reason, now);
      }
      return run(front, now);
    case Kind::kClosed:
      upstream->stream = 0;
      if (Listener* listener = find_listener(carrier)) listener->streams.erase(event.stream);
      return;
    default:
      return;
  }
}

// Hands the proxy what has come, as far as it takes it.
void Services::read_upstream(RelayId front, intercept::ConnectionId id, Instant now) {
  while (true) {
    auto http = https_.find(front);
    Upstream* upstream = http == https_.end() ? nullptr : find_upstream(http->second, id);
    mux::Mux* mux = upstream && upstream->stream != 0 ? host_.mux(upstream->carrier) : nullptr;
    if (!mux || upstream->finish_told) return;
    intercept::HttpProxy& proxy = *http->second.proxy;
    if (mux->has_readable(upstream->stream)) {
      if (!proxy.reads(id)) return;
      Slice slice = mux->readable(upstream->stream);
      mux->consume(upstream->stream, slice.size);
      proxy.received(id, std::move(slice), now);
    } else if (mux->read_done(upstream->stream)) {
      upstream->finish_told = true;
      proxy.finished(id, now);
    } else {
      return;
    }
    drain(front, http->second, now);
  }
}

void Services::set_due(RelayId front, Http& http) {
  const Instant at = http.proxy->deadline();
  if (at == http.due) return;
  auto node = due_.extract({http.due, front});
  http.due = at;
  if (at == kNever) return;
  if (node.empty()) {
    due_.insert({at, front});
  } else {
    node.value() = {at, front};
    due_.insert(std::move(node));
  }
}

void Services::advance_http(Instant now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const RelayId front = due_.begin()->second;
    Http& http = https_.at(front);
    due_.erase(due_.begin());
    http.due = kNever;
    http.proxy->advance(now);
    run(front, now);
  }
}

}  // namespace causeway::engine

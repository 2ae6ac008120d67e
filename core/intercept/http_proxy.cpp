// The turn: what came goes to its side, and what that changes about reading and time.
#include "core/intercept/http_proxy.h"

#include <algorithm>
#include <utility>

#include "core/intercept/http_proxy_impl.h"

namespace causeway::intercept {

using Kind = ProxyEvent::Kind;

HttpProxy::Impl::Impl(const Settings& settings, Router& router, BufferPool& pool, std::vector<ProxyEvent>& events,
                      Instant now)
    : settings_(settings),
      client_text_(settings.forwarded ? settings.client.address.unmapped().text() : std::string()),
      router_(router),
      pool_(pool),
      events_(events),
      requests_(http::Parser::Kind::kRequests, pool),
      idle_until_(now + settings.idle) {}

ProxyEvent& HttpProxy::Impl::emit(Kind kind, ConnectionId id) {
  ProxyEvent& event = events_.emplace_back();
  event.kind = kind;
  event.connection = id;
  return event;
}

void HttpProxy::Impl::send_client(Slice bytes) {
  if (bytes.size == 0) return;
  client_unsent_ += bytes.size;
  emit(Kind::kSend).bytes = std::move(bytes);
}

void HttpProxy::Impl::received(ConnectionId id, Slice bytes, Instant now) {
  if (over() || bytes.size == 0) return;
  if (id == kClient) {
    if (phase_ == Phase::kLingering || client_finished_) return;
    inbox_.push_back(std::move(bytes));
    pump(now);
    // What has to wait must not hold a large block for a few bytes.
    if (!inbox_.empty()) inbox_.back() = pool_.compact(std::move(inbox_.back()));
  } else if (Upstream* upstream = find(id)) {
    connected(id);  // if the driver has not said so
    if (upstream == current_) {
      answer_received(std::move(bytes), now);
    } else {
      // Nobody asked (a 408 before its end, mostly): it cannot be the answer to what comes next.
      drop(*upstream, Kind::kReset);
    }
  }
  settle_reading();
}

void HttpProxy::Impl::finished(ConnectionId id, Instant now) {
  if (over()) return;
  if (id == kClient) {
    if (std::exchange(client_finished_, true)) return;
    pump(now);
  } else if (Upstream* upstream = find(id)) {
    if (std::exchange(upstream->finished, true)) return;
    if (upstream == current_) {
      upstream_ended(now);
    } else {
      drop(*upstream, Kind::kClose);
    }
  }
  settle_reading();
}

void HttpProxy::Impl::failed(ConnectionId id, link::Reason why, Instant now) {
  if (over()) return;
  if (id == kClient) {
    phase_ = Phase::kOver;
    while (!upstreams_.empty()) drop(*upstreams_.back(), Kind::kReset);
    return;
  }
  Upstream* upstream = find(id);
  if (!upstream) return;
  if (upstream != current_) {
    std::erase_if(upstreams_, [&](const auto& each) { return each.get() == upstream; });
  } else {
    upstream_lost(why, true, now);
  }
  settle_reading();
}

void HttpProxy::Impl::sent(ConnectionId id, std::size_t n, Instant now) {
  if (over()) return;
  if (id == kClient) {
    client_unsent_ -= std::min(n, client_unsent_);
    if (phase_ == Phase::kLingering && client_unsent_ == 0 && linger_until_ == kNever)
      linger_until_ = now + settings_.linger;
  } else if (Upstream* upstream = find(id)) {
    upstream->unsent -= std::min(n, upstream->unsent);
  }
  settle_reading();
}

bool HttpProxy::Impl::reads(ConnectionId id) const {
  if (id == kClient) return client_reads_;
  auto found = std::find_if(upstreams_.begin(), upstreams_.end(), [&](const auto& each) { return each->id == id; });
  return found != upstreams_.end() && (*found)->reads;
}

bool HttpProxy::Impl::client_should_read() const {
  if (client_finished_) return false;
  switch (phase_) {
    case Phase::kTunnel: return current_->is_connected && current_->unsent < settings_.window;
    case Phase::kLingering: return true;
    case Phase::kOver: return false;
    case Phase::kRequests: break;
  }
  if (exchange_.active && !exchange_.request_done)
    return current_->is_connected ? current_->unsent < settings_.window : exchange_.held_cost < settings_.hold;
  std::size_t ahead = 0;
  for (std::size_t i = 0; i < inbox_.size(); ++i) ahead += inbox_[i].cost();
  return ahead < settings_.hold;
}

bool HttpProxy::Impl::upstream_should_read(const Upstream& upstream) const {
  return !upstream.finished && (&upstream != current_ || client_unsent_ < settings_.window);
}

void HttpProxy::Impl::settle_reading() {
  const bool client = !over() && client_should_read();
  if (client && !client_reads_) emit(Kind::kResumeReading);
  client_reads_ = client;
  for (const auto& upstream : upstreams_) {
    const bool should = upstream_should_read(*upstream);
    if (should && !upstream->reads) emit(Kind::kResumeReading, upstream->id);
    upstream->reads = should;
  }
}

// --- the client's end ---

void HttpProxy::Impl::close_client(bool reset) {
  current_ = nullptr;
  exchange_.active = false;
  release_held();
  inbox_.clear();
  while (!upstreams_.empty()) drop(*upstreams_.back(), reset ? Kind::kReset : Kind::kClose);
  emit(reset ? Kind::kReset : Kind::kClose);
  phase_ = Phase::kOver;
}

// A socket closed with bytes unread is reset, and the reset may overtake our last answer: so the client's end is waited for.
void HttpProxy::Impl::linger(Instant now) {
  current_ = nullptr;
  exchange_.active = false;
  release_held();
  inbox_.clear();
  while (!upstreams_.empty()) drop(*upstreams_.back(), Kind::kClose);
  if (client_finished_) {
    emit(Kind::kClose);
    phase_ = Phase::kOver;
    return;
  }
  phase_ = Phase::kLingering;
  emit(Kind::kFinish);
  head_until_ = idle_until_ = kNever;
  linger_until_ = client_unsent_ == 0 ? now + settings_.linger : kNever;
}

// --- time ---

void HttpProxy::Impl::silent(InterceptId target, Instant now) {
  if (target == kOriginal) return;
  for (const auto& upstream : upstreams_) {
    if (upstream->target != target || std::exchange(upstream->is_silent, true)) continue;
    if (upstream.get() == current_) exchange_.give_up = now + settings_.grace;
  }
}

void HttpProxy::Impl::answering(InterceptId target) {
  for (const auto& upstream : upstreams_) {
    if (upstream->target != target) continue;
    upstream->is_silent = false;
    if (upstream.get() == current_) exchange_.give_up = kNever;
  }
}

Instant HttpProxy::Impl::deadline() const {
  switch (phase_) {
    case Phase::kRequests:
      if (exchange_.active) return exchange_.give_up;
      // While an upstream is there, how long nothing may happen is for its end to say.
      return upstreams_.empty() ? std::min(head_until_, idle_until_) : head_until_;
    case Phase::kTunnel: return exchange_.give_up;
    case Phase::kLingering: return linger_until_;
    case Phase::kOver: break;
  }
  return kNever;
}

void HttpProxy::Impl::advance(Instant now) {
  if (now < deadline()) return;
  if (phase_ == Phase::kLingering) {
    close_client(false);
  } else if (phase_ == Phase::kTunnel || exchange_.active) {
    upstream_lost(link::Reason::kLinkLost, false, now);
  } else if (head_until_ <= now) {
    refuse(408, "the request's head did not become complete", now);
  } else {
    close_client(false);
  }
  settle_reading();
}

// --- the door ---

HttpProxy::HttpProxy(const Settings& settings, Router& router, BufferPool& pool, Instant now)
    : impl_(std::make_unique<Impl>(settings, router, pool, events_, now)) {}
HttpProxy::~HttpProxy() = default;

void HttpProxy::connected(ConnectionId upstream, Instant) { impl_->connected(upstream); }
void HttpProxy::failed(ConnectionId connection, link::Reason why, Instant now) { impl_->failed(connection, why, now); }
void HttpProxy::received(ConnectionId connection, Slice bytes, Instant now) {
  impl_->received(connection, std::move(bytes), now);
}
void HttpProxy::finished(ConnectionId connection, Instant now) { impl_->finished(connection, now); }
void HttpProxy::sent(ConnectionId connection, std::size_t n, Instant now) { impl_->sent(connection, n, now); }
bool HttpProxy::reads(ConnectionId connection) const { return impl_->reads(connection); }
void HttpProxy::silent(InterceptId target, Instant now) { impl_->silent(target, now); }
void HttpProxy::answering(InterceptId target, Instant) { impl_->answering(target); }
Instant HttpProxy::deadline() const { return impl_->deadline(); }
void HttpProxy::advance(Instant now) { impl_->advance(now); }
bool HttpProxy::done() const { return impl_->over(); }

}  // namespace causeway::intercept

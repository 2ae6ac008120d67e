// Where requests go: connections that are opened, used again and lost, and what is sent once more.
#include <algorithm>

#include "core/intercept/http_proxy_impl.h"

namespace causeway::intercept {
namespace {

using Kind = ProxyEvent::Kind;

bool laptop_is_gone(link::Reason why) { return why == link::Reason::kLinkLost || why == link::Reason::kShuttingDown; }

}  // namespace

HttpProxy::Impl::Upstream* HttpProxy::Impl::find(ConnectionId id) {
  auto found = std::find_if(upstreams_.begin(), upstreams_.end(), [&](const auto& each) { return each->id == id; });
  return found == upstreams_.end() ? nullptr : found->get();
}

// Sends the request to `target` from its beginning, or what is there of it.
void HttpProxy::Impl::hand_over(InterceptId target, Instant now) {
  exchange_.target = target;
  exchange_.answer_begun = false;
  exchange_.held_sent = 0;
  emit(Kind::kHandedOver).target = target;
  auto idle =
      std::find_if(upstreams_.begin(), upstreams_.end(), [&](const auto& each) { return each->target == target; });
  current_ = idle != upstreams_.end() ? idle->get() : &connect(target);
  current_->parser.expect(exchange_.kind);
  exchange_.give_up = current_->is_silent ? now + settings_.grace : kNever;
  send_held();
}

HttpProxy::Impl::Upstream& HttpProxy::Impl::connect(InterceptId target) {
  Upstream& upstream = *upstreams_.emplace_back(std::make_unique<Upstream>(next_connection_++, target, pool_));
  emit(Kind::kConnect, upstream.id).target = target;
  return upstream;
}

void HttpProxy::Impl::connected(ConnectionId id) {
  Upstream* upstream = find(id);
  if (over() || !upstream || upstream->is_connected) return;
  upstream->is_connected = true;
  if (upstream == current_) send_held();
  settle_reading();
}

void HttpProxy::Impl::send_upstream(Upstream& upstream, Slice bytes) {
  upstream.unsent += bytes.size;
  emit(Kind::kSend, upstream.id).bytes = std::move(bytes);
}

// --- what may have to be sent again ---

void HttpProxy::Impl::send_held() {
  Exchange& x = exchange_;
  if (!current_->is_connected && !x.safe) return;
  for (; x.held_sent < x.held.size(); ++x.held_sent) send_upstream(*current_, x.held[x.held_sent]);
  pass_end();
  if (current_->is_connected && !may_be_needed_again()) release_held();
}

void HttpProxy::Impl::hold(const Slice& bytes) {
  Slice kept = pool_.compact(bytes);
  exchange_.held_cost += kept.cost();
  exchange_.held.push_back(std::move(kept));
}

void HttpProxy::Impl::release_held() {
  exchange_.held.clear();
  exchange_.held_cost = exchange_.held_sent = 0;
  exchange_.holds = false;
}

// For the original when a laptop goes, or for a fresh connection when one that was used before turns out to be closed.
bool HttpProxy::Impl::may_be_needed_again() const {
  return (exchange_.safe && exchange_.target != kOriginal) || (exchange_.idempotent && current_->used);
}

// --- connections that are through ---

void HttpProxy::Impl::drop(Upstream& upstream, Kind how) {
  emit(how, upstream.id);
  if (current_ == &upstream) current_ = nullptr;
  std::erase_if(upstreams_, [&](const auto& each) { return each.get() == &upstream; });
}

void HttpProxy::Impl::park(Upstream& upstream) {
  upstream.used = true;
  auto place =
      std::find_if(upstreams_.begin(), upstreams_.end(), [&](const auto& each) { return each.get() == &upstream; });
  std::rotate(place, place + 1, upstreams_.end());
  if (upstreams_.size() > kMaxIdle) drop(*upstreams_.front(), Kind::kClose);
}

// The current one is of no use any more. `closed`: the driver knows; otherwise we have given up waiting.
void HttpProxy::Impl::upstream_lost(link::Reason why, bool closed, Instant now) {
  Upstream& upstream = *current_;
  const bool was_connected = upstream.is_connected, was_used = upstream.used;
  if (closed) {
    current_ = nullptr;
    std::erase_if(upstreams_, [&](const auto& each) { return each.get() == &upstream; });
  } else {
    drop(upstream, Kind::kReset);
  }
  Exchange& x = exchange_;
  if (phase_ == Phase::kTunnel) {
    if (!was_connected || laptop_is_gone(why))
      note_failure(std::string("the connection was lost: ") + link::reason_name(why));
    return close_client(true);
  }
  // The answer is complete, only the request was not: nobody reads the rest.
  if (x.answer_done) return linger(now);
  if (!was_connected) return not_connected(why, now);

  const bool gone = x.target != kOriginal && laptop_is_gone(why);
  if (gone && x.safe && x.holds) return go_to_original("the laptop went away", now);
  if (gone) return fail("the laptop went away while it had the request", now);
  if (was_used && !x.answer_begun) {
    if (x.idempotent && x.holds) return hand_over(x.target, now);
    // As the service would have closed on the client itself: it knows whether to ask again.
    return close_client(false);
  }
  fail(std::string("the connection ended before the answer did: ") + link::reason_name(why), now);
}

// Nothing was delivered: all of the request so far is still here.
void HttpProxy::Impl::not_connected(link::Reason why, Instant now) {
  Exchange& x = exchange_;
  std::string text = std::string("no connection: ") + link::reason_name(why);
  if (x.target != kOriginal && (x.original_when_down || laptop_is_gone(why)))
    return go_to_original(std::move(text), now);
  fail(std::move(text), now);
}

void HttpProxy::Impl::go_to_original(std::string why, Instant now) {
  note_failure(std::move(why));
  hand_over(kOriginal, now);
}

void HttpProxy::Impl::note_failure(std::string text) {
  ProxyEvent& event = emit(Kind::kFailed);
  event.target = exchange_.target;
  event.text = std::move(text);
}

}  // namespace causeway::intercept

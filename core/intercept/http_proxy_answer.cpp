// What comes back: answers passed on to the client, and what it is told where there is none.
#include "core/intercept/http_proxy_impl.h"

namespace causeway::intercept {

using Kind = ProxyEvent::Kind;

void HttpProxy::Impl::answer_received(Slice bytes, Instant now) {
  using Event = http::Parser::Event;
  if (phase_ == Phase::kTunnel) return send_client(std::move(bytes));
  exchange_.answer_begun = true;
  // More than the answer, which nobody asked for.
  if (exchange_.answer_done) current_->keeps = false;
  const ConnectionId id = current_->id;
  // Until the answer has ended, or has turned out to be none, or opaque.
  while (current_ && current_->id == id && phase_ == Phase::kRequests && !exchange_.answer_done) {
    Upstream& upstream = *current_;
    const Event event = upstream.parser.next(bytes);
    if (event == Event::kMore) return;
    switch (event) {
      case Event::kHead: answer_head(upstream.parser.head(), now); break;
      case Event::kBody: send_client(std::move(upstream.parser.piece())); break;
      case Event::kEnd:
        if (bytes.size > 0 && exchange_.head_sent) upstream.keeps = false;
        if (exchange_.head_sent) answer_ended(now);
        break;
      case Event::kBad: bad_answer(upstream.parser.complaint().text, now); break;
      case Event::kMore: break;
    }
  }
  if (phase_ == Phase::kTunnel) send_client(std::move(bytes));
}

void HttpProxy::Impl::answer_head(const http::Head& head, Instant now) {
  Exchange& x = exchange_;
  const bool tunnel = head.framing == http::Framing::kTunnel;
  if (head.status == 101 && !x.upgrade) return bad_answer("an upgrade that was not asked for", now);
  if (head.status / 100 == 1 && !tunnel) {
    // Clients of HTTP/1.0 know no interim answers (RFC 9110, section 15.2).
    if (x.http_1_0) return;
    x.continued = x.continued || head.status == 100;
    release_held();
    return send_client(http::forward_response(head, {true, false}, pool_));
  }
  x.status = head.status;
  x.client_keeps = x.keep_alive && head.framing != http::Framing::kUntilClose;
  // A client that waits for a 100 may send its body after this, or not: what it sends next could be either.
  const bool body_is_open = x.expects_continue && !x.continued && !x.body_begun;
  if (!x.request_done && (!head.keep_alive || body_is_open)) x.client_keeps = false;
  current_->keeps = head.keep_alive;
  send_client(http::forward_response(head, {x.client_keeps, x.http_1_0}, pool_));
  x.head_sent = true;
  release_held();
  if (tunnel) enter_tunnel(now);
}

void HttpProxy::Impl::enter_tunnel(Instant now) {
  ProxyEvent& event = emit(Kind::kAnswered);
  event.target = exchange_.target;
  event.status = exchange_.status;
  phase_ = Phase::kTunnel;
  pump(now);
}

void HttpProxy::Impl::answer_ended(Instant now) {
  Exchange& x = exchange_;
  x.answer_done = true;
  ProxyEvent& event = emit(Kind::kAnswered);
  event.target = x.target;
  event.status = x.status;
  if (x.request_done) return complete(now);
  // An early answer. Where both ends go on the rest of the request is passed on, as the service will read it away.
  if (current_->keeps && x.client_keeps) return;
  drop(*current_, Kind::kReset);
  linger(now);
}

void HttpProxy::Impl::complete(Instant now) {
  Upstream& upstream = *current_;
  current_ = nullptr;
  exchange_.active = false;
  if (upstream.keeps && !upstream.finished) {
    park(upstream);
  } else {
    drop(upstream, Kind::kClose);
  }
  if (!exchange_.client_keeps) return linger(now);
  pump(now);
  note_waiting(now);
}

// The current upstream has sent its end.
void HttpProxy::Impl::upstream_ended(Instant now) {
  if (phase_ == Phase::kTunnel) {
    if (client_finished_ && inbox_.empty()) return close_client(false);
    emit(Kind::kFinish);
    return;
  }
  Exchange& x = exchange_;
  if (x.answer_done) {
    drop(*current_, Kind::kClose);
    return linger(now);
  }
  // An answer that ends with its connection.
  if (x.head_sent && current_->parser.finish() == http::Parser::Event::kEnd) return answer_ended(now);
  upstream_lost(link::Reason::kConnectionReset, false, now);
}

void HttpProxy::Impl::bad_answer(std::string_view text, Instant now) {
  drop(*current_, Kind::kReset);
  fail("the answer is none: " + std::string(text), now);
}

// There will be no answer to the request under way, whose upstream is gone.
void HttpProxy::Impl::fail(std::string text, Instant now) {
  note_failure(text);
  Exchange& x = exchange_;
  if (x.head_sent) return close_client(true);
  x.client_keeps = x.keep_alive && x.request_done;
  const http::ResponseHop hop{x.client_keeps, x.http_1_0};
  send_client(http::make_response(502, "causeway: " + text, hop, x.kind == http::Parser::ResponseTo::kHead, pool_));
  if (!x.client_keeps) return linger(now);
  x.active = false;
  release_held();
  pump(now);
  note_waiting(now);
}

}  // namespace causeway::intercept

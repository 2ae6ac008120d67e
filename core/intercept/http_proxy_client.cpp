// What the client sends: requests told apart and passed on.
#include <algorithm>
#include <utility>

#include "core/http/text.h"
#include "core/intercept/http_proxy_impl.h"

namespace causeway::intercept {
namespace {

using Kind = ProxyEvent::Kind;

// RFC 9113, section 3.4.
constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
// The first byte of a TLS handshake (RFC 8446, section 5.1), which begins no method.
constexpr char kTlsHandshake = 0x16;

bool is_any_of(std::string_view method, std::initializer_list<std::string_view> methods) {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

}  // namespace

void HttpProxy::Impl::pump(Instant now) {
  if (pumping_) return;
  pumping_ = true;
  while (!inbox_.empty() && phase_ != Phase::kOver) {
    const bool used_up = inbox_.front().size == 0;
    if (phase_ == Phase::kLingering) {
      inbox_.pop_front();
    } else if (phase_ == Phase::kTunnel) {
      Slice bytes = inbox_.pop_front();
      if (!used_up) send_upstream(*current_, std::move(bytes));
    } else if (exchange_.active && exchange_.request_done) {
      if (!used_up) break;
      inbox_.pop_front();
    } else if (sniffed_ || sniff(now)) {
      parse_some(now);
    } else if (phase_ != Phase::kTunnel) {
      break;
    }
  }
  pumping_ = false;
  if (inbox_.empty() && client_finished_) client_ended();
  note_waiting(now);
}

// What does not begin as HTTP/1.x goes to the original unread. False: it does not, or more bytes are needed to tell.
bool HttpProxy::Impl::sniff(Instant now) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < inbox_.size(); ++i) {
    const std::string_view text = as_text(inbox_[i].bytes());
    for (std::size_t at = 0; at < text.size() && seen < kHttp2Preface.size(); ++at, ++seen) {
      if (seen == 0 && text[0] == kTlsHandshake) {
        seen = kHttp2Preface.size();
      } else if (text[at] != kHttp2Preface[seen]) {
        sniffed_ = true;
        return true;
      }
    }
  }
  if (seen < kHttp2Preface.size()) return false;
  exchange_.active = true;
  exchange_.holds = false;
  hand_over(kOriginal, now);
  phase_ = Phase::kTunnel;
  return false;
}

// One event of the parser's.
void HttpProxy::Impl::parse_some(Instant now) {
  using Event = http::Parser::Event;
  switch (requests_.next(inbox_.front())) {
    case Event::kMore: inbox_.pop_front(); break;
    case Event::kHead: {
      begin_exchange(requests_.head(), now);
      // A request without a body has ended.
      if (requests_.head().framing != http::Framing::kNone) break;
      const bool ended = requests_.next(inbox_.front()) == Event::kEnd;
      CAUSEWAY_ASSERT(ended);
      request_ended(now);
      break;
    }
    case Event::kBody: pass_body(std::move(requests_.piece())); break;
    case Event::kEnd: request_ended(now); break;
    case Event::kBad: refuse(requests_.complaint().status, requests_.complaint().text, now); break;
  }
}

void HttpProxy::Impl::begin_exchange(const http::Head& head, Instant now) {
  Ring<Slice> held = std::move(exchange_.held);
  exchange_ = Exchange();
  exchange_.held = std::move(held);
  Exchange& x = exchange_;
  x.active = true;
  x.safe = is_any_of(head.method, {"GET", "HEAD"});
  x.idempotent = x.safe || is_any_of(head.method, {"PUT", "DELETE", "OPTIONS", "TRACE"});
  if (head.method == "HEAD") x.kind = http::Parser::ResponseTo::kHead;
  if (head.method == "CONNECT") x.kind = http::Parser::ResponseTo::kConnect;
  x.http_1_0 = head.minor == 0;
  x.keep_alive = head.keep_alive;
  x.upgrade = head.upgrade && !http::offers_only_h2c(head);
  x.expects_continue = head.expects_continue;
  const Route route = router_.route(head);
  x.original_when_down = route.original_when_down;
  hold(http::forward_request(head, {client_text_, head.keep_alive, x.upgrade}, pool_));
  head_until_ = idle_until_ = kNever;
  hand_over(route.to, now);
}

void HttpProxy::Impl::pass_body(Slice piece) {
  Exchange& x = exchange_;
  x.body_begun = true;
  const bool now_due = current_->is_connected || x.safe;
  if (x.holds) {
    hold(piece);
    if (now_due) ++x.held_sent;
  }
  if (now_due) send_upstream(*current_, std::move(piece));
  if (current_->is_connected && x.held_cost > settings_.hold) release_held();
}

void HttpProxy::Impl::request_ended(Instant now) {
  exchange_.request_done = true;
  if (exchange_.active && exchange_.answer_done) complete(now);
}

// It has sent its end, and all before was looked at.
void HttpProxy::Impl::client_ended() {
  switch (phase_) {
    case Phase::kRequests:
      if (!exchange_.active) return close_client(false);
      if (exchange_.request_done) return pass_end();  // it still reads
      note_refusal(0, "the client ended within its request");
      return close_client(true);
    case Phase::kTunnel:
      if (current_->finished) return close_client(false);
      return pass_end();
    case Phase::kLingering: return close_client(false);
    case Phase::kOver: return;
  }
}

// The upstream learns that the client has ended, as it would without us: some stop working then.
void HttpProxy::Impl::pass_end() {
  if (!client_finished_ || !inbox_.empty() || !current_ || current_->end_passed) return;
  if (phase_ != Phase::kTunnel && (!exchange_.request_done || !(current_->is_connected || exchange_.safe))) return;
  current_->end_passed = true;
  emit(Kind::kFinish, current_->id);
}

void HttpProxy::Impl::note_refusal(unsigned status, std::string_view text) {
  ProxyEvent& event = emit(Kind::kRefused);
  event.target = exchange_.active ? exchange_.target : kOriginal;
  event.status = status;
  event.text = text;
}

void HttpProxy::Impl::refuse(unsigned status, std::string_view text, Instant now) {
  note_refusal(status, text);
  if (current_) drop(*current_, Kind::kReset);
  // After an answer there is no other; within one only a reset tells that it is not whole.
  if (exchange_.active && exchange_.answer_done) return linger(now);
  if (exchange_.active && exchange_.head_sent) return close_client(true);
  send_client(http::make_response(status, "causeway: " + std::string(text),
                                  {false, exchange_.active && exchange_.http_1_0}, false, pool_));
  linger(now);
}

// Between requests: how long the next one may take to begin, and its head to be complete.
void HttpProxy::Impl::note_waiting(Instant now) {
  if (phase_ != Phase::kRequests || exchange_.active) return;
  const bool begun = !requests_.idle() || !inbox_.empty();
  if (begun && head_until_ == kNever) head_until_ = now + settings_.head;
  if (!begun) head_until_ = kNever;
  if (begun) idle_until_ = kNever;
  if (!begun && idle_until_ == kNever) idle_until_ = now + settings_.idle;
}

}  // namespace causeway::intercept

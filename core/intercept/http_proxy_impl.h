// The inside of HttpProxy, in the order of its files: http_proxy.cpp (turn, time), http_proxy_client.cpp (requests),
// http_proxy_upstream.cpp (where they go), http_proxy_answer.cpp (what comes back).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/ring.h"
#include "core/http/forward.h"
#include "core/http/parser.h"
#include "core/intercept/http_proxy.h"

namespace causeway::intercept {

class HttpProxy::Impl {
 public:
  Impl(const Settings& settings, Router& router, BufferPool& pool, std::vector<ProxyEvent>& events, Instant now);

  // http_proxy.cpp
  void failed(ConnectionId id, link::Reason why, Instant now);
  void received(ConnectionId id, Slice bytes, Instant now);
  void finished(ConnectionId id, Instant now);
  void sent(ConnectionId id, std::size_t n, Instant now);
  bool reads(ConnectionId id) const;
  void silent(InterceptId target, Instant now);
  void answering(InterceptId target);
  Instant deadline() const;
  void advance(Instant now);
  bool over() const { return phase_ == Phase::kOver; }

  // http_proxy_upstream.cpp
  void connected(ConnectionId id);

 private:
  enum class Phase : std::uint8_t {
    kRequests,
    kTunnel,     // opaque, both ways, with current_
    kLingering,  // our side of the client's connection is finished; what still comes is not wanted
    kOver,
  };

  struct Upstream {
    Upstream(ConnectionId number, InterceptId where, BufferPool& pool)
        : id(number), target(where), parser(http::Parser::Kind::kResponses, pool) {}

    const ConnectionId id;
    const InterceptId target;
    http::Parser parser;
    std::size_t unsent = 0;
    bool is_connected = false;
    bool used = false;        // has answered before
    bool keeps = true;        // may be used after this answer
    bool finished = false;    // has sent its end
    bool end_passed = false;  // was sent the client's end
    bool is_silent = false;   // its laptop is
    bool reads = true;        // as the driver knows it
  };

  // The request under way and its answer.
  struct Exchange {
    bool active = false;
    InterceptId target = kOriginal;
    bool original_when_down = true;

    // As the request says.
    bool safe = false;  // GET or HEAD: sent before the upstream is connected, and replayed to the original
    bool idempotent = false;
    http::Parser::ResponseTo kind = http::Parser::ResponseTo::kOther;
    bool http_1_0 = false, keep_alive = false, upgrade = false, expects_continue = false;

    bool request_done = false;
    bool body_begun = false;
    // Of this attempt.
    bool answer_begun = false;  // a byte came from the upstream
    // Of all attempts.
    bool continued = false;  // the client was sent a 100
    bool head_sent = false;  // the final one's
    bool answer_done = false;
    bool client_keeps = false;  // the client's connection goes on after it
    unsigned status = 0;

    // What was or is to be sent of the request, while it may be needed again: until the client has seen a part of the answer, at most.
    Ring<Slice> held;
    std::size_t held_cost = 0;
    std::size_t held_sent = 0;  // how many of them this attempt has sent
    bool holds = true;          // held has the request from its beginning

    Instant give_up = kNever;  // its laptop is silent; until then it may go on
  };

  // http_proxy.cpp
  ProxyEvent& emit(ProxyEvent::Kind kind, ConnectionId id = kClient);
  void send_client(Slice bytes);
  void settle_reading();
  bool client_should_read() const;
  bool upstream_should_read(const Upstream& upstream) const;
  void close_client(bool reset);
  void linger(Instant now);

  // http_proxy_client.cpp
  void pump(Instant now);
  bool sniff(Instant now);
  void parse_some(Instant now);
  void begin_exchange(const http::Head& head, Instant now);
  void pass_body(Slice piece);
  void request_ended(Instant now);
  void client_ended();
  void pass_end();
  void note_refusal(unsigned status, std::string_view text);
  void refuse(unsigned status, std::string_view text, Instant now);
  void note_waiting(Instant now);

  // http_proxy_upstream.cpp
  Upstream* find(ConnectionId id);
  void hand_over(InterceptId target, Instant now);
  Upstream& connect(InterceptId target);
  void send_upstream(Upstream& upstream, Slice bytes);
  void send_held();
  void hold(const Slice& bytes);
  void release_held();
  bool may_be_needed_again() const;
  void drop(Upstream& upstream, ProxyEvent::Kind how);
  void park(Upstream& upstream);
  void upstream_lost(link::Reason why, bool closed, Instant now);
  void not_connected(link::Reason why, Instant now);
  void go_to_original(std::string why, Instant now);
  void note_failure(std::string text);

  // http_proxy_answer.cpp
  void answer_received(Slice bytes, Instant now);
  void answer_head(const http::Head& head, Instant now);
  void answer_ended(Instant now);
  void upstream_ended(Instant now);
  void complete(Instant now);
  void enter_tunnel(Instant now);
  void bad_answer(std::string_view text, Instant now);
  void fail(std::string text, Instant now);

  // Connections that wait to be used again; beyond it the longest idle is closed.
  static constexpr std::size_t kMaxIdle = 4;

  const Settings settings_;
  const std::string client_text_;  // its address
  Router& router_;
  BufferPool& pool_;
  std::vector<ProxyEvent>& events_;

  Phase phase_ = Phase::kRequests;
  http::Parser requests_;
  Ring<Slice> inbox_;     // of the client, not yet looked at
  bool sniffed_ = false;  // it speaks HTTP/1.x
  bool client_finished_ = false;
  bool client_reads_ = true;  // as the driver knows it
  std::size_t client_unsent_ = 0;
  bool pumping_ = false;
  Instant head_until_ = kNever, idle_until_ = kNever, linger_until_ = kNever;

  Exchange exchange_;
  Upstream* current_ = nullptr;                       // of the exchange, or the tunnel's
  std::vector<std::unique_ptr<Upstream>> upstreams_;  // the idle ones in the order of their last use
  ConnectionId next_connection_ = 1;
};

}  // namespace causeway::intercept

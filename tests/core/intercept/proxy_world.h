// One HttpProxy with its client and its upstreams as strings: what was sent to whom, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/intercept/http_proxy.h"

namespace causeway::intercept {

// To the intercept that X-To names.
class HeaderRouter final : public Router {
 public:
  Route route(const http::Head& request) override {
    const http::Field* to = request.find("x-to");
    return {to && open ? InterceptId(std::stoi(std::string(to->value))) : kOriginal, original_when_down};
  }
  bool open = true;
  bool original_when_down = true;
};

class ProxyWorld {
 public:
  struct Peer {
    InterceptId target = kOriginal;
    std::string bytes;      // that it was sent
    bool finished = false;  // it was sent our end
    bool closed = false, reset = false;
    bool alive() const { return !closed && !reset; }
  };

  explicit ProxyWorld(HttpProxy::Settings settings = with_client()) : proxy(settings, router, pool, now) {}

  static HttpProxy::Settings with_client() {
    HttpProxy::Settings out;
    out.client = *packet::Endpoint::parse("10.1.2.3:40000");
    return out;
  }

  void client(std::string_view bytes) { receive(kClient, bytes); }
  void client_end() {
    proxy.finished(kClient, now);
    run();
  }
  void receive(ConnectionId from, std::string_view bytes) {
    proxy.received(from, pool.copy(as_bytes(bytes)), now);
    run();
  }
  void end(ConnectionId from) {
    proxy.finished(from, now);
    run();
  }
  void fail(ConnectionId id, link::Reason why) {
    if (id != kClient) peers.at(id).closed = true;
    proxy.failed(id, why, now);
    run();
  }
  void connect(ConnectionId id) {
    proxy.connected(id, now);
    run();
  }
  void silent(InterceptId target) {
    proxy.silent(target, now);
    run();
  }
  void answering(InterceptId target) {
    proxy.answering(target, now);
    run();
  }
  // Time goes by, with every deadline on the way.
  void pass(Duration time) {
    const Instant until = now + time;
    while (proxy.deadline() <= until) {
      now = std::max(now, proxy.deadline());
      proxy.advance(now);
      run();
      ASSERT_TRUE(proxy.deadline() > now) << "a deadline that stays";
    }
    now = until;
  }

  void run() {
    std::vector<ProxyEvent> events;
    proxy.take_events(events);
    for (ProxyEvent& event : events) {
      using Kind = ProxyEvent::Kind;
      if (event.kind == Kind::kConnect) {
        peers[event.connection].target = event.target;
        last = event.connection;
      }
      auto found = peers.find(event.connection);
      ASSERT_TRUE(found != peers.end() && found->second.alive()) << "an event for a connection that is gone";
      Peer& peer = found->second;
      switch (event.kind) {
        case Kind::kConnect: break;
        case Kind::kSend:
          ASSERT_FALSE(peer.finished) << "bytes after the end";
          ASSERT_GT(event.bytes.size, 0u);
          peer.bytes += as_text(event.bytes.bytes());
          if (take) proxy.sent(event.connection, event.bytes.size, now);
          break;
        case Kind::kFinish:
          ASSERT_FALSE(peer.finished);
          peer.finished = true;
          break;
        case Kind::kClose: peer.closed = true; break;
        case Kind::kReset: peer.reset = true; break;
        case Kind::kResumeReading: ++resumed[event.connection]; break;
        case Kind::kHandedOver: log += "to " + std::to_string(event.target) + '\n'; break;
        case Kind::kAnswered:
          log += "answer " + std::to_string(event.status) + " of " + std::to_string(event.target) + '\n';
          break;
        case Kind::kFailed: log += "failed " + std::to_string(event.target) + ": " + event.text + '\n'; break;
        case Kind::kRefused: log += "refused " + std::to_string(event.status) + ": " + event.text + '\n'; break;
      }
    }
    if (!events.empty()) run();
  }

  Peer& of_client() { return peers.at(kClient); }
  // What the client or an upstream was sent since the last call.
  std::string sent(ConnectionId id) { return std::exchange(peers.at(id).bytes, {}); }
  std::string answers() { return sent(kClient); }
  // The last that was opened.
  ConnectionId last = 0;

  BufferPool pool;
  Instant now{std::chrono::hours(1)};
  HeaderRouter router;
  std::map<ConnectionId, Peer> peers{{kClient, {}}};
  std::map<ConnectionId, int> resumed;
  std::string log;
  bool take = true;  // what is sent leaves at once
  HttpProxy proxy;
};

inline std::string get(std::string_view path, std::string_view lines = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: orders.shop\r\n" + std::string(lines) + "\r\n";
}
inline std::string post(std::string_view path, std::string_view body, std::string_view lines = {}) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: orders.shop\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(lines) + "\r\n" + std::string(body);
}
inline std::string ok(std::string_view body, std::string_view lines = {}) {
  return "HTTP/1.1 200 OK\r\n" + std::string(lines) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

}  // namespace causeway::intercept

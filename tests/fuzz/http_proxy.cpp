// A hostile client, hostile upstreams, laptops that come and go, in any order: every event is for a connection that is there, nothing is
// sent behind an end, deadlines move, memory stays bounded, and nothing is kept.
#include "core/intercept/http_proxy.h"

#include <algorithm>
#include <map>

#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace intercept;

// By the path's last character, so that inputs reach every place.
class PathRouter final : public Router {
 public:
  Route route(const http::Head& request) override {
    const std::string_view path = request.path();
    return {path.empty() ? kOriginal : InterceptId(std::uint8_t(path.back()) % 3), path.size() % 2 == 0};
  }
};

class World {
 public:
  World() : proxy_(settings(), router_, pool_, now_) {}

  void step(Input& input) {
    const std::uint8_t choice = input.byte();
    const ConnectionId upstream = some_upstream(choice);
    switch (choice % 12) {
      case 0:
      case 1: receive(kClient, input.chunk()); break;
      case 2:
      case 3: receive(upstream, input.chunk()); break;
      case 4: proxy_.connected(upstream, now_); break;
      case 5:
        proxy_.failed(upstream, link::Reason(choice / 16 % 13), now_);
        forget(upstream);
        break;
      case 6: proxy_.finished(upstream, now_); break;
      case 7: choice & 128 ? proxy_.finished(kClient, now_) : proxy_.answering(choice / 16 % 3, now_); break;
      case 8: proxy_.silent(choice / 16 % 3, now_); break;
      case 9:
        now_ += std::chrono::milliseconds(int(choice) * 40);
        if (proxy_.deadline() <= now_) {
          proxy_.advance(now_);
          take_events();
          CAUSEWAY_ASSERT(proxy_.deadline() > now_);
        }
        break;
      case 10: proxy_.sent(choice & 128 ? kClient : upstream, choice * 8, now_); break;
      case 11: polite_answer(choice); break;
    }
    take_events();
    CAUSEWAY_ASSERT(pool_.in_use() < 3 * 1024 * 1024);
  }

  bool finish() {
    proxy_.failed(kClient, link::Reason::kConnectionReset, now_);
    take_events();
    CAUSEWAY_ASSERT(proxy_.done() && proxy_.deadline() == kNever && upstreams_.empty());
    return answered_ > 0 && refused_ == 0;
  }

 private:
  static HttpProxy::Settings settings() {
    HttpProxy::Settings out;
    out.client = *packet::Endpoint::parse("10.0.0.1:40000");
    out.window = 20000;
    out.hold = 8000;
    return out;
  }

  struct Peer {
    bool connected = false, finished = false;
    InterceptId target = kOriginal;
  };

  ConnectionId some_upstream(std::uint8_t choice) const {
    if (upstreams_.empty()) return 1;
    return std::next(upstreams_.begin(), std::ptrdiff_t(choice / 12 % upstreams_.size()))->first;
  }

  void forget(ConnectionId upstream) { upstreams_.erase(upstream); }

  // As a driver reads.
  void receive(ConnectionId from, Bytes bytes) {
    if (bytes.empty() || !proxy_.reads(from)) return;
    proxy_.received(from, pool_.copy(bytes), now_);
  }

  // An answer that fits, so that an input need not spell it.
  void polite_answer(std::uint8_t choice) {
    const ConnectionId upstream = some_upstream(choice);
    const std::string_view answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                                        "HTTP/1.1 100 Continue\r\n\r\n",
                                        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
                                        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
                                        "HTTP/1.0 200 OK\r\n\r\nuntil the end"};
    receive(upstream, as_bytes(answers[choice / 12 % std::size(answers)]));
  }

  void take_events() {
    std::vector<ProxyEvent> events;
    proxy_.take_events(events);
    for (const ProxyEvent& event : events) {
      using Kind = ProxyEvent::Kind;
      CAUSEWAY_ASSERT(!client_gone_ || event.connection != kClient || event.kind >= Kind::kHandedOver);
      if (event.kind == Kind::kConnect) {
        CAUSEWAY_ASSERT(upstreams_.emplace(event.connection, Peer{}).second);
        continue;
      }
      auto found = upstreams_.find(event.connection);
      CAUSEWAY_ASSERT(event.connection == kClient || found != upstreams_.end());
      Peer& peer = event.connection == kClient ? client_ : found->second;
      switch (event.kind) {
        case Kind::kSend: CAUSEWAY_ASSERT(!peer.finished && event.bytes.size > 0); break;
        case Kind::kFinish:
          CAUSEWAY_ASSERT(!peer.finished);
          peer.finished = true;
          break;
        case Kind::kClose:
        case Kind::kReset:
          if (event.connection != kClient) {
            forget(event.connection);
          } else {
            client_gone_ = true;
            CAUSEWAY_ASSERT(proxy_.done());
          }
          break;
        case Kind::kAnswered: ++answered_; break;
        case Kind::kRefused:
          CAUSEWAY_ASSERT(!event.text.empty());
          ++refused_;
          break;
        case Kind::kFailed: CAUSEWAY_ASSERT(!event.text.empty()); break;
        default: break;
      }
    }
  }

  BufferPool pool_;
  PathRouter router_;
  Instant now_{std::chrono::hours(1)};
  HttpProxy proxy_;
  std::map<ConnectionId, Peer> upstreams_;
  Peer client_;
  bool client_gone_ = false;
  std::size_t answered_ = 0, refused_ = 0;
};

bool run(Bytes bytes) {
  Input input(bytes);
  World world;
  while (!input.empty()) world.step(input);
  return world.finish();
}

std::vector<Seed> seeds() {
  auto client = [](std::string_view text) { return blob({0}) + chunk(blob(text)); };
  auto upstream = [](std::string_view text) { return blob({2}) + chunk(blob(text)); };
  const Blob connect = blob({4}), ok = blob({11}), end = blob({6}), client_end = blob({139}), sent = blob({250}),
             later = blob({129});
  // Paths whose last character is 0, 1 and 2 by three: '0', '1', '2'.
  const std::string original = "GET /0 HTTP/1.1\r\nHost: a\r\n\r\n", laptop = "GET /11 HTTP/1.1\r\nHost: a\r\n\r\n",
                    post = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
  return {
      {client(original) + connect + ok + client(laptop) + connect + ok + client_end},
      {client(original + laptop + post) + connect + ok + connect + blob({11 + 12 * 7}) + connect + ok},
      {client(post) + connect + upstream("HTTP/1.1 200 OK\r\n\r\nall") + end + sent + client_end},
      {client(laptop) + connect + blob({20}) + later + later + connect + ok},
      {client(laptop) + blob({161}) + connect + ok},
      {client("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n") + connect +
       blob({11 + 12 * 3}) + client("opaque") + upstream("opaque") + client_end + end},
      {client("PUT /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n") + connect +
       blob({11 + 12 * 2}) + client("4\r\nbody\r\n") + client("0\r\n\r\n") + ok},
      {client("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf") + connect + ok + client("half!") +
       client(original) + connect + ok},
      {client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nframes") + connect + upstream("frames"), false},
      {client("GET / HTTP/1.1\r\n\r\n"), false},
  };
}

const Registration kRegistration({"http_proxy", run, seeds});

}  // namespace
}  // namespace causeway::fuzz

// Random clients, services and laptops around HttpProxy, beside a model of what each request must come to: from seeds, in virtual time.
#include <gmock/gmock.h>

#include <set>

#include "core/base/random.h"
#include "tests/core/intercept/plain_http.h"
#include "tests/core/intercept/proxy_world.h"

namespace causeway::intercept {
namespace {

using link::Reason;

std::string chunked(const std::string& body, SeededRandom& random) {
  std::string out;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t n = std::min<std::size_t>(body.size() - at, 1 + random.below(3000));
    char size[16];
    snprintf(size, sizeof size, "%zx", n);
    out += size + std::string(random.below(5) ? "" : ";x=\"y\"") + "\r\n" + body.substr(at, n) + "\r\n";
    at += n;
  }
  return out + "0\r\n" + (random.below(3) ? "" : "X-Trailer: 1\r\n") + "\r\n";
}

std::string framed(const std::string& body, SeededRandom& random) {
  if (random.below(2)) return "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, random);
  return "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string made_up(SeededRandom& random) {
  return std::string(random.below(4) ? random.below(60) : random.below(20000), char('a' + random.below(26)));
}

struct Asked {
  int id = 0;
  std::string method, body, bytes;
  InterceptId target = kOriginal;
  bool idempotent() const { return method != "POST"; }
  bool safe() const { return method == "GET" || method == "HEAD"; }
};

Asked make_request(int id, SeededRandom& random) {
  Asked out;
  out.id = id;
  out.method = std::array{"GET", "GET", "HEAD", "POST", "PUT", "DELETE"}[random.below(6)];
  out.target = random.below(3);
  out.bytes = out.method + " /" + std::to_string(id) + " HTTP/1.1\r\nHost: a\r\nX-Id: " + std::to_string(id) + "\r\n";
  if (out.target) out.bytes += "X-To: " + std::to_string(out.target) + "\r\n";
  if (out.method == "POST" || out.method == "PUT" || random.below(10) == 0) {
    out.body = made_up(random);
    out.bytes += framed(out.body, random);
  } else {
    out.bytes += "\r\n";
  }
  return out;
}

// What a service answers, wherever it runs, so that a client can tell where that was and that all of its request arrived.
std::string answer_body(InterceptId by, const std::string& id, const std::string& request_body) {
  return "request " + id + " by " + std::to_string(by) + " with " +
         std::to_string(std::hash<std::string>()(request_body)) + " " + request_body.substr(0, 3000);
}

struct Faults {
  bool idle_close = false;  // services close connections between requests, also as one is on its way
  bool laptops = false;     // laptops go, fall silent, have no process
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, Faults faults) : random_(seed), faults_(faults) {
    const int count = 1 + int(random_.below(12));
    for (int id = 0; id < count; ++id) requests_.push_back(make_request(id, random_));
  }

  void run() {
    while (answered_ < requests_.size()) {
      // Each round is one connection of the client's.
      const std::size_t before = answered_;
      ASSERT_NO_FATAL_FAILURE(one_connection());
      ++connections_;
      ASSERT_TRUE(answered_ > before || connections_ < 200) << "no progress";
    }
    for (const auto& [id, times] : delivered_) {
      EXPECT_TRUE(times == 1 || requests_[std::size_t(id)].idempotent())
          << "request " << id << " was carried out twice";
    }
  }

  std::size_t connections_ = 0, by_original_ = 0, failed_ = 0, closed_ = 0;

 private:
  struct Service {
    std::string inbox, outbox;
    bool connected = false, ended = false, closing = false;
    int served = 0;
  };

  void one_connection() {
    HttpProxy::Settings settings = ProxyWorld::with_client();
    settings.window = 1000 + random_.below(20000);
    settings.hold = 4000 + random_.below(30000);
    ProxyWorld world(settings);
    world.take = false;
    world_ = &world;
    services_.clear();
    const std::size_t first = answered_;
    std::string to_send, received;
    for (std::size_t i = first; i < requests_.size(); ++i) to_send += requests_[i].bytes;
    std::map<ConnectionId, std::size_t> taken;
    for (int step = 0; step < 200000; ++step) {
      ASSERT_FALSE(testing::Test::HasFailure());
      for (auto& [id, peer] : world.peers)
        if (id != kClient && !services_.contains(id)) services_[id];
      // What leaves for sockets.
      for (auto& [id, peer] : world.peers) {
        const std::size_t n = std::min<std::size_t>(peer.bytes.size(), random_.below(5000));
        if (n == 0 || random_.below(3) == 0) continue;
        (id == kClient ? received : services_[id].inbox) += peer.bytes.substr(0, n);
        peer.bytes.erase(0, n);
        if (peer.alive()) world.proxy.sent(id, n, world.now);
        world.run();
      }
      read_answers(received, world.of_client().closed && world.of_client().bytes.empty());
      if (answered_ == requests_.size()) return;
      if (world.proxy.done() && world.of_client().bytes.empty()) return connection_ended(received);
      if (!to_send.empty() && world.proxy.reads(kClient) && random_.below(2)) {
        const std::size_t n = std::min<std::size_t>(to_send.size(), 1 + random_.below(random_.below(2) ? 20 : 20000));
        world.client(to_send.substr(0, n));
        to_send.erase(0, n);
      }
      for (auto& [id, service] : services_) act(id, service);
      if (faults_.laptops) disturb();
      world.pass(std::chrono::milliseconds(random_.below(30)));
    }
    FAIL() << "request " << answered_ << " of " << requests_.size() << " is never answered\n" << world.log;
  }

  void connection_ended(const std::string& received) {
    ++closed_;
    // Only for a reason: an answer that was cut short, or a request that must not be sent twice.
    const Asked& request = requests_[answered_];
    ASSERT_TRUE(faults_.idle_close || faults_.laptops);
    ASSERT_TRUE(!request.idempotent() || !received.empty() || world_->of_client().reset || big_body(request))
        << world_->log;
    if (!received.empty()) ++answered_, ++failed_;  // half an answer: its client gives up
  }
  // More than is held: it cannot be sent again.
  static bool big_body(const Asked& request) { return request.body.size() > 2000; }

  // The services' turn.
  void act(ConnectionId id, Service& service) {
    ProxyWorld::Peer& peer = world_->peers.at(id);
    if (!peer.alive()) return;
    if (!service.connected) {
      if (random_.below(3)) return;
      if (faults_.laptops && peer.target != kOriginal && random_.below(5) == 0)
        return world_->fail(id, Reason::kConnectionRefused);
      service.connected = true;
      return world_->connect(id);
    }
    if (auto request = take_message(service.inbox, false)) {
      const int number = std::stoi(request->field("x-id"));
      const Asked& asked = requests_[std::size_t(number)];
      ++delivered_[number];
      EXPECT_EQ(request->body, asked.body) << "request " << number;
      EXPECT_EQ(request->field("x-forwarded-for"), "10.1.2.3");
      service.outbox += answer(peer.target, *request, service);
      ++service.served;
    }
    if (!service.outbox.empty() && world_->proxy.reads(id)) {
      const std::size_t n =
          std::min<std::size_t>(service.outbox.size(), 1 + random_.below(random_.below(2) ? 30 : 30000));
      const std::string part = service.outbox.substr(0, n);
      service.outbox.erase(0, n);
      world_->receive(id, part);
    }
    if (!peer.alive() || !service.outbox.empty() || service.ended) return;
    // Between requests as the service sees it, though one may be on its way.
    const bool idle = service.served > 0 && service.inbox.empty();
    if (service.closing || (faults_.idle_close && idle && random_.below(40) == 0)) {
      service.ended = true;
      random_.below(2) || service.closing ? world_->end(id) : world_->fail(id, Reason::kConnectionReset);
    }
  }

  std::string answer(InterceptId by, const PlainMessage& request, Service& service) {
    const std::string body = answer_body(by, request.field("x-id"), request.body);
    std::string out;
    if (random_.below(5) == 0) out = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    out += "HTTP/1.1 200 OK\r\nX-By: " + std::to_string(by) + "\r\nX-Id: " + request.field("x-id") + "\r\n";
    if (request.method() == "HEAD") return out + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    // Only the last may end the connection: what is behind it would be lost with a client that pipelines.
    if (std::stoi(request.field("x-id")) + 1 == int(requests_.size()) && random_.below(2)) {
      service.closing = true;
      return out + "\r\n" + body;
    }
    if (random_.below(4) == 0) {
      out += "Connection: close\r\n";
      service.closing = true;
    }
    return out + framed(body, random_);
  }

  void read_answers(std::string& received, bool ended) {
    while (answered_ < requests_.size()) {
      const Asked& asked = requests_[answered_];
      auto answer = take_message(received, asked.method == "HEAD", ended);
      if (!answer) return;
      if (answer->status() == 103) continue;
      if (answer->status() == 502) {
        EXPECT_TRUE(faults_.laptops || faults_.idle_close) << answer->body;
        EXPECT_TRUE(faults_.laptops || !asked.idempotent() || big_body(asked)) << answer->body << world_->log;
        ++failed_;
        ++answered_;
        continue;
      }
      ASSERT_EQ(answer->status(), 200) << answer->body;
      ASSERT_EQ(answer->field("x-id"), std::to_string(asked.id)) << "out of order";
      const InterceptId by = InterceptId(std::stoi(answer->field("x-by")));
      EXPECT_TRUE(by == asked.target || (faults_.laptops && by == kOriginal)) << "request " << asked.id << " by " << by;
      by_original_ += by != asked.target;
      EXPECT_EQ(answer->body, asked.method == "HEAD" ? "" : answer_body(by, std::to_string(asked.id), asked.body));
      ++answered_;
    }
  }

  void disturb() {
    if (random_.below(100) == 0) silent_.insert(1 + random_.below(2));
    if (random_.below(60) == 0) {
      for (InterceptId target : silent_) world_->answering(target);
      silent_.clear();
    }
    for (InterceptId target : silent_) world_->silent(target);
    if (random_.below(150) != 0) return;
    // A laptop goes: all of its streams at once.
    const InterceptId gone = 1 + random_.below(2);
    std::vector<ConnectionId> of_it;
    for (auto& [id, peer] : world_->peers)
      if (peer.alive() && peer.target == gone) of_it.push_back(id);
    for (ConnectionId id : of_it)
      if (world_->peers.at(id).alive()) world_->fail(id, Reason::kLinkLost);
  }

  SeededRandom random_;
  Faults faults_;
  std::vector<Asked> requests_;
  std::size_t answered_ = 0;
  std::map<int, int> delivered_;
  std::map<ConnectionId, Service> services_;
  std::set<InterceptId> silent_;
  ProxyWorld* world_ = nullptr;
};

TEST(Pipeline, EveryRequestIsAnsweredInOrderByWhomItIsFor) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed, {});
    ASSERT_NO_FATAL_FAILURE(simulation.run());
    ASSERT_EQ(simulation.connections_, 1u);
    ASSERT_EQ(simulation.by_original_ + simulation.failed_, 0u);
  }
}

TEST(Pipeline, ServicesThatCloseBetweenRequestsCostNoneOfThem) {
  std::size_t closed = 0, failed = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed, {.idle_close = true});
    ASSERT_NO_FATAL_FAILURE(simulation.run());
    ASSERT_EQ(simulation.by_original_, 0u);
    closed += simulation.closed_;
    failed += simulation.failed_;
  }
  EXPECT_GT(closed, 0u) << "requests that must not be sent twice end their connection";
  RecordProperty("failed", int(failed));
}

TEST(Pipeline, LaptopsThatGoLeaveTheirRequestsToTheOriginalOrASaidFailure) {
  std::size_t by_original = 0, failed = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed, {.idle_close = seed % 2 == 0, .laptops = true});
    ASSERT_NO_FATAL_FAILURE(simulation.run());
    by_original += simulation.by_original_;
    failed += simulation.failed_;
  }
  EXPECT_GT(by_original, 100u);
  EXPECT_GT(failed, 0u);
}

}  // namespace
}  // namespace causeway::intercept

// Both drivers on one loop: programs of the cluster connect to a service of a real gateway, and a process of this machine answers.
#include <gtest/gtest.h>

#include <future>

#include "core/control/catalogue.h"
#include "core/noise/keys.h"
#include "platform/client/tunnel_driver.h"
#include "platform/gateway/gateway_driver.h"
#include "platform/loop/clock.h"
#include "tests/platform/gateway/services.h"
#include "tun/memory_device.h"

namespace causeway::platform {
namespace {

using namespace std::chrono_literals;
using Kind = engine::ClientEvent::Kind;

const packet::Endpoint kAnyPort{packet::Address::v4(127, 0, 0, 1), 0};

packet::Endpoint closed_port() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  SocketAddress any(kAnyPort);
  CAUSEWAY_ASSERT(bind(socket.get(), any.get(), any.size) == 0);
  return local_endpoint(socket.get());
}

// Answers each connection with its name and what it was sent.
std::function<void(int)> named(std::string name) {
  return [name = std::move(name)](int connection) { write_all(connection, name + ":" + read_all(connection)); };
}

// Answers requests that end with an empty line, one behind the other.
std::function<void(int)> http_server(std::string name) {
  return [name = std::move(name)](int connection) {
    std::string came;
    char buffer[4096];
    while (true) {
      ssize_t n = recv(connection, buffer, sizeof buffer, 0);
      if (n <= 0) return;
      came.append(buffer, std::size_t(n));
      for (std::size_t end; (end = came.find("\r\n\r\n")) != std::string::npos; came.erase(0, end + 4)) {
        write_all(connection, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(name.size()) + "\r\n\r\n" + name);
      }
    }
  };
}

std::string talk(const packet::Endpoint& to, const std::string& says) {
  Descriptor connection(socket(AF_INET, SOCK_STREAM, 0));
  SocketAddress address(to);
  if (connect(connection.get(), address.get(), address.size) != 0) return "no connection";
  timeval patience{10, 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::thread writer([&] {
    write_all(connection.get(), says);
    shutdown(connection.get(), SHUT_WR);
  });
  std::string answer = read_all(connection.get());
  writer.join();
  return answer;
}

class InterceptDrivers : public testing::Test {
 protected:
  InterceptDrivers() : stack_(pool_, random_), check_(loop_, [this] { look(); }) {
    keys_ = noise::generate(random_);
    client_keys_ = noise::generate(random_);
    settings.engine.keys = {keys_.private_key, keys_.public_key};
    settings.listen = {kAnyPort};
  }

  ~InterceptDrivers() override {
    laptop.reset();
    gateway.reset();
  }

  void serve(const TcpService& original, bool http = false) {
    ServiceSettings orders;
    orders.engine.name = "orders";
    orders.engine.http = http;
    orders.engine.original.endpoint = original.endpoint();
    orders.listen = {kAnyPort};
    orders.environment = {{"DB_HOST", "db.shop"}, {"TEXT", "two\nlines"}};
    settings.services.push_back(std::move(orders));
  }

  void start() {
    auto started = GatewayDriver::start(loop_, settings);
    ASSERT_TRUE(started) << started.error().message;
    gateway = std::move(*started);
    gateway->set_clients({{client_keys_.public_key, "anna", std::nullopt}});
    service = *packet::Endpoint::parse(gateway->catalogue("", "").services.at(0).listen.at(0));
    auto [near, far] = tun::MemoryDevice::pair(pool_, {});
    far_ = std::move(far);
    engine::ClientConfig config;
    config.keys = {client_keys_.private_key, client_keys_.public_key};
    config.gateway_key = keys_.public_key;
    config.wall_clock_ns = wall_clock_ns();
    laptop = std::make_unique<TunnelDriver>(
        TunnelDriver::Parts{loop_, pool_, random_, stack_, names_, std::move(near), config, *dns::Rules::create({})},
        TunnelDriver::Callbacks{[this](const engine::ClientEvent& event) { happened(event); },
                                [](const Error&) { ADD_FAILURE(); }});
    laptop->start();
    ASSERT_TRUE(until([&] { return has(Kind::kLinkUp); }));
  }

  void happened(const engine::ClientEvent& event) {
    events.push_back(event);
    if (event.kind != Kind::kDial) return;
    loop_.post([this] {
      SocketAddress to(gateway->listening().front());
      Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      ASSERT_EQ(::connect(socket.get(), to.get(), to.size), 0);
      laptop->carrier_connected(std::move(socket));
    });
  }

  bool has(Kind kind) const {
    return std::any_of(events.begin(), events.end(),
                       [&](const engine::ClientEvent& event) { return event.kind == kind; });
  }
  bool until(std::function<bool()> done, Duration limit = 15s) {
    done_ = std::move(done);
    end_ = boot_now() + limit;
    check_.set(boot_now());
    loop_.run();
    return std::exchange(done_, nullptr)();
  }
  void look() {
    if (done_() || boot_now() >= end_) return loop_.stop();
    check_.set(boot_now() + 1ms);
  }

  engine::InterceptId intercept(const packet::Endpoint& local, std::vector<intercept::HeaderCondition> headers = {}) {
    events.clear();
    engine::InterceptRequest request;
    request.service = "orders";
    request.match = *intercept::Match::create(std::move(headers), "");
    request.local = local;
    return laptop->intercept(request);
  }
  // What a program of the cluster hears.
  std::string ask(const std::string& says) {
    auto answer = std::async(std::launch::async, [this, says] { return talk(service, says); });
    EXPECT_TRUE(until([&] { return answer.wait_for(0s) == std::future_status::ready; }));
    return answer.get();
  }

  GatewaySettings settings;
  std::unique_ptr<GatewayDriver> gateway;
  std::unique_ptr<TunnelDriver> laptop;
  packet::Endpoint service;
  std::vector<engine::ClientEvent> events;

 private:
  BufferPool pool_;
  noise::SodiumRandom random_;
  noise::KeyPair keys_, client_keys_;
  tun::Stack stack_;
  Loop loop_;
  NameChain names_;
  std::unique_ptr<tun::MemoryDevice> far_;
  Timer check_;
  std::function<bool()> done_;
  Instant end_{};
};

TEST_F(InterceptDrivers, ConnectionsGoToTheOriginalThenToTheProcessThenBack) {
  TcpService original(named("original")), process(named("process"));
  serve(original);
  start();
  EXPECT_EQ(ask("one"), "original:one");
  engine::InterceptId id = intercept(process.endpoint());
  ASSERT_TRUE(until([&] { return has(Kind::kInterceptReady); }));
  EXPECT_EQ(laptop->intercepts().at(0).endpoints, std::vector{service});
  EXPECT_EQ(ask("two"), "process:two");
  laptop->leave(id);
  ASSERT_TRUE(until([&] { return gateway->status().intercepts == 0; }));
  EXPECT_EQ(ask("three"), "original:three");
  EXPECT_EQ(gateway->status().accepted, 0u);
}

TEST_F(InterceptDrivers, MegabytesGoBothWays) {
  TcpService original(named("original")), process([](int connection) { echo(connection); });
  serve(original);
  start();
  std::string bytes(20'000'000, '\0');
  SeededRandom(1).fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  EXPECT_TRUE(ask(bytes) == "original:" + bytes);
  intercept(process.endpoint());
  ASSERT_TRUE(until([&] { return has(Kind::kInterceptReady); }));
  EXPECT_TRUE(ask(bytes) == bytes);
}

TEST_F(InterceptDrivers, AClosedLocalPortIsNotSeenByTheCluster) {
  TcpService original(named("original"));
  serve(original);
  start();
  intercept(closed_port());
  ASSERT_TRUE(until([&] { return has(Kind::kInterceptReady); }));
  EXPECT_EQ(ask("one"), "original:one");
  EXPECT_EQ(laptop->intercepts().at(0).failures, 1u);
}

TEST_F(InterceptDrivers, RequestsOfOneConnectionAreToldApart) {
  TcpService original(http_server("original")), process(http_server("process"));
  serve(original, true);
  start();
  intercept(process.endpoint(), {{"x-user", "anna"}});
  ASSERT_TRUE(until([&] { return has(Kind::kInterceptReady); }));
  const std::string host = "Host: orders\r\n";
  std::string answer = ask("GET /1 HTTP/1.1\r\n" + host + "\r\nGET /2 HTTP/1.1\r\n" + host +
                           "X-User: anna\r\n\r\nGET /3 HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n");
  std::string who;
  for (std::size_t at = 0; (at = answer.find("\r\n\r\n", at)) != std::string::npos;) {
    at += 4;
    who += answer.substr(at, 4) + " ";
  }
  EXPECT_EQ(who, "orig proc orig ") << answer;
}

TEST_F(InterceptDrivers, APortThatIsTakenIsToldWithTheServicesName) {
  TcpService original(named("original"));
  serve(original);
  settings.services.back().listen = {original.endpoint()};  // taken
  auto started = [&] {
    Loop loop;
    return GatewayDriver::start(loop, settings).error();
  }();
  EXPECT_EQ(started.code, ErrorCode::kConflict);
  EXPECT_EQ(started.message.find("service orders: cannot listen on"), 0u) << started.message;
}

TEST_F(InterceptDrivers, TheCatalogueHasTheServicesAndOneHasItsEnvironment) {
  TcpService original(named("original")), process(named("process"));
  serve(original, true);
  start();
  intercept(process.endpoint(), {{"x-user", "anna"}});
  ASSERT_TRUE(until([&] { return has(Kind::kInterceptReady); }));
  events.clear();
  laptop->ask_catalogue(1, "");
  laptop->ask_catalogue(2, "orders");
  laptop->ask_catalogue(3, "nothing");
  ASSERT_TRUE(until([&] { return events.size() == 3; }));
  std::map<std::uint64_t, control::Catalogue> answers;
  for (const engine::ClientEvent& event : events) {
    ASSERT_EQ(event.kind, Kind::kCatalogue);
    auto parsed = control::parse_catalogue(as_text(event.message));
    ASSERT_TRUE(parsed) << parsed.error().message;
    answers[event.token] = *parsed;
  }
  ASSERT_EQ(answers[1].services.size(), 1u);
  const control::CatalogueService& orders = answers[1].services[0];
  EXPECT_EQ(orders.name, "orders");
  EXPECT_TRUE(orders.http);
  EXPECT_EQ(orders.original, original.endpoint().text());
  EXPECT_EQ(orders.listen, std::vector{service.text()});
  EXPECT_FALSE(orders.environment);
  ASSERT_EQ(orders.intercepts.size(), 1u);
  EXPECT_EQ(orders.intercepts[0].owner, "anna");
  EXPECT_TRUE(orders.intercepts[0].own);
  EXPECT_EQ(orders.intercepts[0].state, "active");
  ASSERT_EQ(answers[2].services.size(), 1u);
  EXPECT_EQ(answers[2].services[0].environment, settings.services[0].environment);
  EXPECT_TRUE(answers[3].services.empty());
}

TEST_F(InterceptDrivers, GoingDownGivesTheServiceBackAtOnce) {
  TcpService original(named("original")), process(named("process"));
  serve(original);
  start();
  intercept(process.endpoint());
  ASSERT_TRUE(until([&] { return has(Kind::kInterceptReady); }));
  bool stopped = false;
  laptop->stop([&] { stopped = true; });
  ASSERT_TRUE(until([&] { return stopped && gateway->status().intercepts == 0; }));
  EXPECT_EQ(ask("one"), "original:one");
}

}  // namespace
}  // namespace causeway::platform

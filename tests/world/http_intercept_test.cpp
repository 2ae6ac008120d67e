// The other direction, request by request.
#include <gtest/gtest.h>

#include "tests/world/http_programs.h"
#include "tests/world/world.h"

namespace causeway::world {
namespace {

using namespace std::chrono_literals;
using State = engine::InterceptStatus::State;

const packet::Endpoint kOriginal = service_at(1);
const packet::Endpoint kProcess{packet::Address::v4(127, 0, 0, 1), 8080};

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: orders\r\n" + fields + "\r\n";
}
std::string post(const std::string& path, const std::string& body, const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: orders\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         fields + "\r\n" + body;
}
const std::string kMine = "X-User: anna\r\n";

class HttpIntercepts : public testing::Test {
 protected:
  void start(bool original_when_down = true, Duration delay = 2ms) {
    WorldOptions options;
    options.tap = true;
    options.wire.delay = delay;
    options.services = {{"orders", true, {flow::Protocol::kTcp, {}, kOriginal}, original_when_down}};
    world = std::make_unique<World>(options);
    original = &world->cluster.add_tcp(kOriginal);
    process = &world->processes.add(kProcess);
    original->program = [this] { return std::make_unique<HttpServer>(world->time, at_original, &seen_original); };
    process->program = [this] { return std::make_unique<HttpServer>(world->time, at_process, &seen_process); };
    ASSERT_TRUE(world->come_up());
  }
  engine::InterceptId ask(std::vector<intercept::HeaderCondition> headers = {{"x-user", "anna"}},
                          const std::string& prefix = "") {
    engine::InterceptRequest request;
    request.service = "orders";
    request.match = *intercept::Match::create(std::move(headers), prefix);
    request.local = kProcess;
    world->call_client();
    return world->client().intercept(request, world->time.now());
  }
  bool ready(engine::InterceptId id) {
    return world->run_until(
        [&] {
          for (const engine::InterceptStatus& each : world->client().intercepts()) {
            if (each.id == id) return each.state == State::kReady;
          }
          return false;
        },
        20s);
  }
  HttpClient& connect(std::vector<std::string> requests, bool pipelined = false) {
    clients.push_back(std::make_unique<HttpClient>(std::move(requests), pipelined));
    EXPECT_TRUE(world->cluster.connect(0, *clients.back()));
    world->call_gateway();
    return *clients.back();
  }
  bool done(HttpClient& client, Duration limit = 20s) {
    return world->run_until([&] { return client.done() || client.reset(); }, limit) && !client.reset();
  }
  // Who answered, by the first word of each answer.
  static std::string who(const HttpClient& client) {
    std::string all;
    for (const HttpMessage& each : client.answers) all += each.body.substr(0, each.body.find(' ')) + " ";
    return all;
  }
  intercept::Intercept at_gateway() { return world->gateway()->services().at(0).intercepts.at(0); }

  HttpServer::Options at_original{.name = "original"}, at_process{.name = "process"};
  std::vector<HttpMessage> seen_original, seen_process;
  std::vector<std::unique_ptr<HttpClient>> clients;
  std::unique_ptr<World> world;
  TcpService *original = nullptr, *process = nullptr;
};

TEST_F(HttpIntercepts, RequestsOfOneConnectionGoWhereTheyBelongInOrder) {
  start();
  ASSERT_TRUE(ready(ask()));
  for (bool pipelined : {false, true}) {
    HttpClient& client =
        connect({get("/1"), get("/2", kMine), get("/3"), get("/4", kMine), get("/5", kMine), get("/6")}, pipelined);
    ASSERT_TRUE(done(client)) << world->fault();
    EXPECT_EQ(who(client), "original process original process process original ");
    for (std::size_t i = 0; i < 6; ++i)
      EXPECT_NE(client.answers[i].body.find("GET /" + std::to_string(i + 1) + " "), std::string::npos);
  }
  EXPECT_EQ(at_gateway().counters.requests, 6u);
  EXPECT_NE(at_gateway().counters.last_answer, kNever);
}

TEST_F(HttpIntercepts, AConnectionFromBeforeTheInterceptIsTakenApartToo) {
  start();
  HttpClient& client = connect({get("/1", kMine)});
  ASSERT_TRUE(done(client));
  engine::InterceptId id = ask();
  ASSERT_TRUE(ready(id));
  client.ask(get("/2", kMine));
  ASSERT_TRUE(done(client));
  world->client().leave(id, world->time.now());
  world->call_client();
  world->run_for(50ms);
  client.ask(get("/3", kMine));
  ASSERT_TRUE(done(client));
  EXPECT_EQ(who(client), "original process original ");
}

TEST_F(HttpIntercepts, TheClientsAddressArrivesOnBothSides) {
  start();
  ASSERT_TRUE(ready(ask()));
  HttpClient& client = connect({get("/1"), get("/2", kMine)});
  ASSERT_TRUE(done(client));
  for (const HttpMessage& each : client.answers)
    EXPECT_NE(each.body.find(" from 10.244.1.7"), std::string::npos) << each.body;
}

TEST_F(HttpIntercepts, BodiesAreStreamedBothWays) {
  start();
  ASSERT_TRUE(ready(ask({}, "/up")));
  at_process.body = 3'000'000;
  at_process.chunked = true;
  HttpClient& client = connect({post("/up", std::string(2'000'000, 'u')), get("/other"), post("/up/2", "x")});
  ASSERT_TRUE(done(client, 60s)) << world->fault();
  EXPECT_EQ(who(client), "process original process ");
  EXPECT_NE(client.answers[0].body.find("+2000000"), std::string::npos);
  EXPECT_GT(client.answers[0].body.size(), 3'000'000u);
  EXPECT_LT(world->peak_gateway_memory(), 30u << 20);
}

TEST_F(HttpIntercepts, AWebSocketIsPassedOnAsBytes) {
  start();
  ASSERT_TRUE(ready(ask()));
  HttpClient& client = connect({get("/ws", kMine + "Connection: Upgrade\r\nUpgrade: websocket\r\n")});
  ASSERT_TRUE(world->run_until([&] { return !client.answers.empty(); }, 5s));
  EXPECT_EQ(client.answers[0].start, "HTTP/1.1 101 Switching Protocols");
  client.ask("frame one");
  client.ask("frame two");
  EXPECT_TRUE(world->run_until([&] { return client.raw == "frame oneframe two"; }, 5s)) << client.raw;
}

TEST_F(HttpIntercepts, ASlowProcessHoldsUpNobodyElse) {
  start();
  ASSERT_TRUE(ready(ask()));
  at_process.thinks = 3s;
  HttpClient& slow = connect({get("/slow", kMine)});
  world->run_for(100ms);
  HttpClient& fast = connect({get("/fast")});
  ASSERT_TRUE(done(fast, 100ms));
  ASSERT_TRUE(done(slow, 5s));
  EXPECT_EQ(who(slow), "process ");
}

TEST_F(HttpIntercepts, GetsCostOneRoundTripMoreThanTheProcessTakes) {
  start(true, 20ms);
  ASSERT_TRUE(ready(ask()));
  Instant began = world->time.now();
  HttpClient& client = connect({get("/1", kMine)});
  ASSERT_TRUE(done(client));
  EXPECT_LT(world->time.now() - began, 50ms) << "a first request rides on its OPEN";
  began = world->time.now();
  client.ask(get("/2", kMine));
  ASSERT_TRUE(done(client));
  EXPECT_LT(world->time.now() - began, 50ms);
}

TEST_F(HttpIntercepts, AClosedLocalPortFallsBackToTheOriginalWhateverTheMethod) {
  start();
  process->refuses = link::Reason::kConnectionRefused;
  ASSERT_TRUE(ready(ask()));
  HttpClient& client = connect({get("/1", kMine), post("/2", "body", kMine)});
  ASSERT_TRUE(done(client));
  EXPECT_EQ(who(client), "original original ");
  EXPECT_EQ(at_gateway().counters.failures, 2u);
}

TEST_F(HttpIntercepts, OrIsA502WhereTheServiceIsConfiguredSo) {
  start(false);
  process->refuses = link::Reason::kConnectionRefused;
  ASSERT_TRUE(ready(ask()));
  HttpClient& client = connect({get("/1", kMine)});
  ASSERT_TRUE(done(client));
  EXPECT_EQ(client.answers[0].start.substr(0, 12), "HTTP/1.1 502");
  EXPECT_TRUE(seen_original.empty());
}

TEST_F(HttpIntercepts, ALaptopThatDiesLosesNoGet) {
  start();
  ASSERT_TRUE(ready(ask()));
  at_process.silent = true;
  HttpClient& reads = connect({get("/get", kMine)});
  HttpClient& writes = connect({post("/post", "body", kMine)});
  world->run_for(100ms);
  ASSERT_EQ(seen_process.size(), 2u);
  world->break_carrier();
  ASSERT_TRUE(done(reads, 1s));
  EXPECT_EQ(who(reads), "original ");
  ASSERT_TRUE(done(writes, 1s));
  EXPECT_EQ(writes.answers[0].start.substr(0, 12), "HTTP/1.1 502") << "it may have been carried out";
  ASSERT_EQ(seen_original.size(), 1u);
}

TEST_F(HttpIntercepts, ALaptopThatFallsSilentGetsTheGraceAndNothingNew) {
  start();
  ASSERT_TRUE(ready(ask()));
  at_process.thinks = 100ms;
  HttpClient& reads = connect({get("/get", kMine)});
  HttpClient& writes = connect({post("/post", "body", kMine)});
  world->run_for(50ms);
  Instant silent = world->time.now();
  world->lose_everything(true, true);
  world->run_for(1600ms);
  HttpClient& later = connect({get("/later", kMine), post("/later", "body", kMine)});
  ASSERT_TRUE(done(later, 200ms)) << "what comes after the silence was noticed goes to the original at once";
  EXPECT_EQ(who(later), "original original ");
  EXPECT_FALSE(reads.done());
  ASSERT_TRUE(done(reads, 10s));
  EXPECT_EQ(who(reads), "original ");
  ASSERT_TRUE(done(writes, 10s));
  EXPECT_EQ(writes.answers[0].start.substr(0, 12), "HTTP/1.1 502");
  EXPECT_LT(world->time.now() - silent, 7s);
}

TEST_F(HttpIntercepts, AShortSilenceCostsNothing) {
  start();
  ASSERT_TRUE(ready(ask()));
  at_process.thinks = 100ms;
  HttpClient& reads = connect({get("/get", kMine)});
  HttpClient& writes = connect({post("/post", "body", kMine)});
  world->run_for(50ms);
  world->stall(true, true, 3s);
  ASSERT_TRUE(done(reads, 5s));
  ASSERT_TRUE(done(writes, 5s));
  EXPECT_EQ(who(reads), "process ");
  EXPECT_EQ(who(writes), "process ");
}

TEST_F(HttpIntercepts, WhatABadClientSaysIsRefusedAndHarmsNobody) {
  start();
  ASSERT_TRUE(ready(ask()));
  HttpClient& bad = connect({"POST / HTTP/1.1\r\nHost: orders\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" +
                             kMine + "\r\n0\r\n\r\n"});
  ASSERT_TRUE(world->run_until([&] { return !bad.answers.empty(); }, 5s));
  EXPECT_EQ(bad.answers[0].start.substr(0, 12), "HTTP/1.1 400");
  EXPECT_TRUE(seen_original.empty());
  EXPECT_TRUE(seen_process.empty());
  EXPECT_TRUE(world->run_until([&] { return world->gateway()->status().accepted == 0; }, 10s));
}

TEST_F(HttpIntercepts, NothingIsLeftBehind) {
  start();
  engine::InterceptId id = ask();
  ASSERT_TRUE(ready(id));
  std::vector<HttpClient*> all;
  for (int i = 0; i < 50; ++i) {
    std::vector<std::string> requests;
    for (int n = 0; n < 5; ++n) requests.push_back(get("/" + std::to_string(n), (i + n) % 2 ? kMine : ""));
    all.push_back(&connect(std::move(requests), i % 3 == 0));
  }
  for (HttpClient* each : all) ASSERT_TRUE(done(*each));
  EXPECT_EQ(seen_process.size(), 125u);
  EXPECT_EQ(seen_original.size(), 125u);
  for (HttpClient* each : all) each->finish();
  world->client().leave(id, world->time.now());
  world->call_client();
  world->run_for(30s);
  EXPECT_EQ(world->gateway()->status().accepted, 0u);
  EXPECT_EQ(world->cluster.sockets(), 0u);
  EXPECT_EQ(world->processes.size(), 0u);
  EXPECT_LT(world->gateway_memory(), 200'000u);
}

}  // namespace
}  // namespace causeway::world

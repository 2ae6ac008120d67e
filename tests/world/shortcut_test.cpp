// The laptop's own programs and a service that is intercepted there: straight to the local process, without a trip to the cluster.
#include <gtest/gtest.h>

#include "tests/world/http_programs.h"
#include "tests/world/world.h"

namespace causeway::world {
namespace {

using namespace std::chrono_literals;
using State = engine::InterceptStatus::State;

const packet::Endpoint kProcess{packet::Address::v4(127, 0, 0, 1), 8080};
const packet::Endpoint kService = listener_of(0);

class Shortcut : public testing::Test {
 protected:
  void start(bool http) {
    WorldOptions options;
    options.tap = true;
    options.services = {{"orders", http, {flow::Protocol::kTcp, {}, service_at(1)}}};
    world = std::make_unique<World>(options);
    // What is met at the end of the way through the cluster.
    cluster = &world->cluster.add_tcp(kService);
    process = &world->processes.add(kProcess);
    if (http) {
      cluster->program = [this] {
        return std::make_unique<HttpServer>(world->time, HttpServer::Options{.name = "cluster"}, &seen_cluster);
      };
      process->program = [this] { return std::make_unique<HttpServer>(world->time, at_process, &seen_process); };
    } else {
      cluster->expects = process->expects = 100;
      cluster->sends = 1;
      process->sends = 2;
      cluster->script.send = process->script.send = 5000;
    }
    ASSERT_TRUE(world->come_up());
  }

  engine::InterceptId ask(bool filtered, bool shortcut = true) {
    engine::InterceptRequest request;
    request.service = "orders";
    if (filtered) request.match = *intercept::Match::create({{"x-user", "anna"}}, "");
    request.local = kProcess;
    request.shortcut = shortcut;
    world->call_client();
    engine::InterceptId id = world->client().intercept(request, world->time.now());
    EXPECT_TRUE(world->run_until([&] { return state() == State::kReady; }, 5s));
    return id;
  }
  std::optional<State> state() {
    auto all = world->client().intercepts();
    return all.empty() ? std::nullopt : std::optional(all.back().state);
  }
  void leave(engine::InterceptId id) {
    world->call_client();
    world->client().leave(id, world->time.now());
  }

  Talker& talk(std::uint64_t expects, Script script = {}) {
    if (script.send == 0) script.send = 5000;
    talkers.push_back(std::make_unique<Talker>(world->time, script, 100, expects));
    sockets.push_back(&world->laptop.connect(kService, *talkers.back()));
    return *talkers.back();
  }
  bool ends(Talker& talker, Duration limit = 30s) {
    return world->run_until([&] { return talker.end() != Talker::End::kNone; }, limit);
  }
  void converse(std::uint64_t with) {
    Talker& talker = talk(with);
    ASSERT_TRUE(ends(talker)) << world->fault();
    EXPECT_EQ(talker.end(), Talker::End::kComplete);
    EXPECT_EQ(talker.received(), 5000u);
    EXPECT_EQ(talker.fault(), "");
  }

  static std::string get(const std::string& path, bool mine) {
    return "GET " + path + " HTTP/1.1\r\nHost: orders\r\n" + (mine ? "X-User: anna\r\n\r\n" : "\r\n");
  }
  HttpClient& browse(std::vector<std::string> requests, bool pipelined = false) {
    clients.push_back(std::make_unique<HttpClient>(std::move(requests), pipelined));
    world->laptop.connect(kService, *clients.back());
    return *clients.back();
  }
  bool done(HttpClient& client, Duration limit = 20s) {
    return world->run_until([&] { return client.done() || client.reset(); }, limit) && !client.reset();
  }
  static std::string who(const HttpClient& client) {
    std::string all;
    for (const HttpMessage& each : client.answers) all += each.body.substr(0, each.body.find(' ')) + " ";
    return all;
  }

  HttpServer::Options at_process{.name = "process"};
  std::vector<HttpMessage> seen_cluster, seen_process;
  std::vector<std::unique_ptr<Talker>> talkers;
  std::vector<std::unique_ptr<HttpClient>> clients;
  std::vector<AppTcp*> sockets;
  std::unique_ptr<World> world;
  TcpService *cluster = nullptr, *process = nullptr;
};

TEST_F(Shortcut, ConnectionsGoToTheProcessAndNotToTheCluster) {
  start(false);
  converse(1);
  engine::InterceptId id = ask(false);
  Instant began = world->time.now();
  converse(2);
  EXPECT_LT(world->time.now() - began, 4ms) << "less than a round trip to the gateway";
  EXPECT_EQ(cluster->dials, 1u);
  EXPECT_EQ(world->client().intercepts().at(0).connections, 1u);
  EXPECT_NE(world->client().intercepts().at(0).last_answer, kNever);
  leave(id);
  converse(1);
  EXPECT_EQ(process->dials, 1u);
}

TEST_F(Shortcut, CanBeSwitchedOff) {
  start(false);
  ask(false, false);
  converse(1);
  EXPECT_EQ(process->dials, 0u);
}

TEST_F(Shortcut, AProcessThatDoesNotListenIsPassedOver) {
  start(false);
  ask(false);
  process->refuses = link::Reason::kConnectionRefused;
  converse(1);
  EXPECT_EQ(process->dials, 1u);
  EXPECT_EQ(world->client().intercepts().at(0).failures, 1u);
}

TEST_F(Shortcut, TheProcessServesThisMachineWithoutALink) {
  start(false);
  ask(false);
  world->break_carrier();
  world->kill_gateway();
  world->run_for(1s);
  converse(2);
}

TEST_F(Shortcut, MegabytesGoBothWaysByteForByte) {
  start(false);
  ask(false);
  process->script.send = 20'000'000;
  Script script;
  script.send = 20'000'000;
  Talker& talker = talk(2, script);
  ASSERT_TRUE(ends(talker, 60s));
  EXPECT_EQ(talker.received(), 20'000'000u);
  EXPECT_EQ(talker.fault(), "");
  EXPECT_TRUE(world->run_until([&] { return process->talkers.at(0)->end() != Talker::End::kNone; }, 5s));
  EXPECT_EQ(process->talkers.at(0)->received(), 20'000'000u);
  EXPECT_EQ(process->talkers.at(0)->fault(), "");
  EXPECT_EQ(world->processes.size(), 0u);
}

TEST_F(Shortcut, WhoDoesNotReadHoldsTheOtherUpAndNoMemory) {
  start(false);
  ask(false);
  process->script.send = 50'000'000;
  process->script.read_after = 60s;
  Script slow;
  slow.send = 50'000'000;
  slow.read_after = 60s;
  Talker& talker = talk(2, slow);
  world->run_for(20s);
  EXPECT_LT(world->client_memory(), 3u << 20);
  ASSERT_TRUE(ends(talker, 200s)) << "and goes on when it does";
  EXPECT_EQ(talker.received(), 50'000'000u);
  EXPECT_EQ(talker.fault(), "");
}

TEST_F(Shortcut, ResetsArriveOnBothSides) {
  start(false);
  ask(false);
  process->script.reset_after = 3000;
  Talker& talker = talk(2);
  ASSERT_TRUE(ends(talker));
  EXPECT_EQ(talker.end(), Talker::End::kReset);
  process->script.reset_after.reset();
  Script rude;
  rude.send = 100'000;
  rude.reset_after = 50'000;
  rude.write_size = 1000;
  rude.write_pause = 1ms;
  ASSERT_TRUE(ends(talk(2, rude)));
  EXPECT_TRUE(world->run_until(
      [&] { return process->talkers.size() == 2 && process->talkers[1]->end() == Talker::End::kReset; }, 5s));
  EXPECT_EQ(world->processes.size(), 0u);
}

TEST_F(Shortcut, RequestsOfOneConnectionGoWhereTheyBelong) {
  start(true);
  ask(true);
  for (bool pipelined : {false, true}) {
    HttpClient& client =
        browse({get("/1", false), get("/2", true), get("/3", true), get("/4", false), get("/5", true)}, pipelined);
    ASSERT_TRUE(done(client)) << world->fault();
    EXPECT_EQ(who(client), "cluster process process cluster process ");
  }
  EXPECT_EQ(cluster->dials, 2u) << "one way for each connection, used again";
  EXPECT_NE(seen_process.at(0).fields.at("x-forwarded-for").find("100.64.0.2"), std::string::npos);
}

TEST_F(Shortcut, MyRequestsAreAnsweredWithoutALinkAndTheOthersAgainWithIt) {
  start(true);
  ask(true);
  HttpClient& client = browse({get("/1", false), get("/2", true)});
  ASSERT_TRUE(done(client));
  world->break_carrier();
  client.ask(get("/3", true));
  ASSERT_TRUE(done(client, 500ms));
  ASSERT_TRUE(world->run_until([&] { return state() == State::kReady; }, 10s));
  client.ask(get("/4", false));
  ASSERT_TRUE(done(client));
  EXPECT_EQ(who(client), "cluster process process cluster ");
}

TEST_F(Shortcut, ARequestThatTheProcessDoesNotTakeGoesToTheCluster) {
  start(true);
  ask(true);
  process->refuses = link::Reason::kConnectionRefused;
  HttpClient& client = browse({get("/1", true), get("/2", true)});
  ASSERT_TRUE(done(client));
  EXPECT_EQ(who(client), "cluster cluster ");
}

TEST_F(Shortcut, LargeBodiesAndManyConnectionsLeaveNothingBehind) {
  start(true);
  ask(true);
  at_process.body = 1'000'000;
  at_process.chunked = true;
  std::vector<HttpClient*> all;
  for (int i = 0; i < 20; ++i) all.push_back(&browse({get("/a", true), get("/b", false), get("/c", true)}, i % 2));
  for (HttpClient* each : all) ASSERT_TRUE(done(*each, 60s)) << world->fault();
  for (HttpClient* each : all) {
    EXPECT_EQ(who(*each), "process cluster process ");
    EXPECT_GT(each->answers.at(0).body.size(), 1'000'000u);
    each->finish();
  }
  world->run_for(30s);
  EXPECT_EQ(world->client().status().tcp_flows, 0u);
  EXPECT_EQ(world->processes.size(), 0u);
  EXPECT_LT(world->client_memory(), 300'000u);
}

}  // namespace
}  // namespace causeway::world

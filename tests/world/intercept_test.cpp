// The other direction, byte by byte: services of the cluster that are answered by processes of the laptop.
#include <gtest/gtest.h>

#include "tests/world/conversation.h"

namespace causeway::world {
namespace {

using namespace std::chrono_literals;
using Kind = engine::ClientEvent::Kind;
using State = engine::InterceptStatus::State;

const packet::Endpoint kOriginal = service_at(1);
const packet::Endpoint kProcess{packet::Address::v4(127, 0, 0, 1), 8080};

class Intercepts : public testing::Test {
 protected:
  static WorldOptions with_service(bool original_when_down = true) {
    WorldOptions options;
    options.tap = true;
    options.services = {{"orders", false, {flow::Protocol::kTcp, {}, kOriginal}, original_when_down}};
    return options;
  }

  void start(const WorldOptions& options) {
    world = std::make_unique<World>(options);
    original = &world->cluster.add_tcp(kOriginal);
    process = &world->processes.add(kProcess);
    original->expects = process->expects = 100;
    original->sends = 1;
    process->sends = 2;
    original->script.send = process->script.send = 5000;
    ASSERT_TRUE(world->come_up());
  }
  void start() { start(with_service()); }

  engine::InterceptId ask(const std::string& service = "orders", const packet::Endpoint& local = kProcess) {
    engine::InterceptRequest request;
    request.service = service;
    request.local = local;
    world->call_client();
    return world->client().intercept(request, world->time.now());
  }
  void leave(engine::InterceptId id) {
    world->call_client();
    world->client().leave(id, world->time.now());
  }
  bool ready(engine::InterceptId id) {
    return world->run_until([&] { return state(id) == State::kReady; }, 20s);
  }
  std::optional<State> state(engine::InterceptId id) {
    for (const engine::InterceptStatus& each : world->client().intercepts()) {
      if (each.id == id) return each.state;
    }
    return std::nullopt;
  }
  engine::InterceptStatus status() { return world->client().intercepts().at(0); }
  intercept::Intercept at_gateway() { return world->gateway()->services().at(0).intercepts.at(0); }
  std::size_t count(Kind kind) {
    return std::size_t(std::count_if(world->client_events.begin(), world->client_events.end(),
                                     [&](const engine::ClientEvent& e) { return e.kind == kind; }));
  }
  const engine::ClientEvent& last(Kind kind) {
    auto it = std::find_if(world->client_events.rbegin(), world->client_events.rend(),
                           [&](const engine::ClientEvent& e) { return e.kind == kind; });
    EXPECT_NE(it, world->client_events.rend());
    return *it;
  }

  // A program in the cluster that connects to the service, and reads what `from` sends.
  Talker& connect(std::uint64_t expects, std::uint64_t size = 5000, Script script = {}) {
    if (script.send == 0) script.send = size;
    talkers.push_back(std::make_unique<Talker>(world->time, script, 100, expects));
    EXPECT_TRUE(world->cluster.connect(0, *talkers.back()));
    world->call_gateway();
    return *talkers.back();
  }
  bool ends(Talker& talker, Duration limit = 20s) {
    return world->run_until([&] { return talker.end() != Talker::End::kNone; }, limit);
  }
  // A whole conversation, answered by the original (1) or the process (2).
  void converse(std::uint64_t with) {
    Talker& talker = connect(with);
    EXPECT_TRUE(ends(talker)) << world->fault();
    EXPECT_EQ(talker.end(), Talker::End::kComplete);
    EXPECT_EQ(talker.received(), 5000u);
    EXPECT_EQ(talker.fault(), "");
  }

  std::vector<std::unique_ptr<Talker>> talkers;
  std::unique_ptr<World> world;
  TcpService *original = nullptr, *process = nullptr;
};

TEST_F(Intercepts, WithoutOneEverythingGoesToTheOriginal) {
  start();
  converse(1);
  EXPECT_EQ(process->dials, 0u);
  EXPECT_EQ(world->gateway()->status().accepted, 0u);
  EXPECT_EQ(world->cluster.sockets(), 0u);
}

TEST_F(Intercepts, ConnectionsGoToTheProcessAndBackToTheOriginalAfterLeave) {
  start();
  engine::InterceptId id = ask();
  ASSERT_TRUE(ready(id));
  EXPECT_EQ(original->dials, 0u);
  EXPECT_EQ(process->dials, 0u) << "the probe is not seen by it";
  converse(2);
  EXPECT_EQ(original->dials, 0u);
  EXPECT_EQ(process->dials, 1u);
  EXPECT_EQ(status().connections, 1u);
  EXPECT_NE(status().last_answer, kNever);
  EXPECT_EQ(at_gateway().counters.requests, 1u);
  leave(id);
  world->run_for(100ms);
  EXPECT_TRUE(world->client().intercepts().empty());
  EXPECT_TRUE(world->gateway()->services().at(0).intercepts.empty());
  converse(1);
  EXPECT_EQ(process->dials, 1u);
  EXPECT_EQ(count(Kind::kInterceptEnded), 0u);
}

TEST_F(Intercepts, ReadyIsProvenWithinThreeRoundTripsAndSaysWhereTheServiceIs) {
  WorldOptions options = with_service();
  options.wire.delay = 20ms;
  start(options);
  Instant began = world->time.now();
  ASSERT_TRUE(ready(ask()));
  EXPECT_LT(world->time.now() - began, 3 * 40ms);
  EXPECT_GE(status().round_trip, 40ms);
  EXPECT_LT(status().round_trip, 60ms);
  EXPECT_FALSE(status().http);
  EXPECT_EQ(status().endpoints, std::vector{listener_of(0)});
  EXPECT_EQ(last(Kind::kInterceptReady).elapsed, status().round_trip);
}

TEST_F(Intercepts, AProofThatFailsSaysWhichStepDid) {
  start();
  world->cluster.listeners = Cluster::Listeners::kRefuse;
  engine::InterceptId refused = ask();
  ASSERT_TRUE(world->run_until([&] { return !state(refused); }, 1s));
  EXPECT_EQ(last(Kind::kInterceptEnded).error.message,
            "the gateway cannot connect to its own listener: connection refused");
  world->cluster.listeners = Cluster::Listeners::kSilent;
  engine::InterceptId silent = ask();
  ASSERT_TRUE(world->run_until([&] { return !state(silent); }, 10s));
  EXPECT_NE(last(Kind::kInterceptEnded).error.message.find("did not arrive at its listener"), std::string::npos);
  EXPECT_EQ(last(Kind::kInterceptEnded).error.code, ErrorCode::kTimedOut);
  EXPECT_TRUE(world->gateway()->services().at(0).intercepts.empty()) << "it blocks nobody";
  world->cluster.listeners = Cluster::Listeners::kWork;
  EXPECT_TRUE(ready(ask()));
}

TEST_F(Intercepts, NothingGoesThereBeforeItIsProven) {
  start();
  world->cluster.listeners = Cluster::Listeners::kSilent;
  ask();
  world->run_for(1s);
  converse(1);
  EXPECT_EQ(process->dials, 0u);
}

TEST_F(Intercepts, AnUnknownServiceAndASecondOwnersAreRefusedInWords) {
  start();
  ask("nothing");
  ASSERT_TRUE(world->run_until([&] { return count(Kind::kInterceptEnded) == 1; }, 1s));
  EXPECT_EQ(last(Kind::kInterceptEnded).error.code, ErrorCode::kNotFound);
  EXPECT_NE(last(Kind::kInterceptEnded).error.message.find("nothing"), std::string::npos);
}

TEST_F(Intercepts, TheNewestOfOneKeyTakesItOver) {
  start();
  engine::InterceptId first = ask();
  ASSERT_TRUE(ready(first));
  engine::InterceptId second = ask();
  ASSERT_TRUE(ready(second));
  EXPECT_FALSE(state(first));
  EXPECT_EQ(last(Kind::kInterceptEnded).error.code, ErrorCode::kConflict);
  converse(2);
}

TEST_F(Intercepts, AClosedLocalPortFallsBackToTheOriginal) {
  start();
  process->refuses = link::Reason::kConnectionRefused;
  ASSERT_TRUE(ready(ask()));
  converse(1);
  EXPECT_EQ(process->dials, 1u);
  EXPECT_EQ(status().failures, 1u);
  EXPECT_EQ(status().last_error, "127.0.0.1:8080: connection refused");
  EXPECT_EQ(at_gateway().counters.failures, 1u);
  EXPECT_EQ(at_gateway().counters.last_error, "connection refused");
}

TEST_F(Intercepts, OrIsRefusedWhereTheServiceIsConfiguredSo) {
  start(with_service(false));
  process->refuses = link::Reason::kConnectionRefused;
  ASSERT_TRUE(ready(ask()));
  Talker& talker = connect(2);
  ASSERT_TRUE(ends(talker));
  EXPECT_EQ(talker.end(), Talker::End::kReset);
  EXPECT_EQ(original->dials, 0u);
}

TEST_F(Intercepts, MegabytesGoBothWaysByteForByte) {
  start();
  ASSERT_TRUE(ready(ask()));
  process->script.send = 20'000'000;
  Talker& talker = connect(2, 20'000'000);
  ASSERT_TRUE(ends(talker, 60s)) << world->fault();
  EXPECT_EQ(talker.end(), Talker::End::kComplete);
  EXPECT_EQ(talker.received(), 20'000'000u);
  EXPECT_EQ(talker.fault(), "");
  EXPECT_TRUE(world->run_until([&] { return process->talkers.at(0)->end() != Talker::End::kNone; }, 5s));
  EXPECT_EQ(process->talkers.at(0)->received(), 20'000'000u);
  EXPECT_EQ(process->talkers.at(0)->fault(), "");
  leave(status().id);
  original->script.send = 20'000'000;
  Talker& direct = connect(1, 20'000'000);
  ASSERT_TRUE(ends(direct, 60s));
  EXPECT_EQ(direct.received(), 20'000'000u);
  EXPECT_EQ(direct.fault(), "");
  EXPECT_LT(world->peak_gateway_memory(), 40u << 20);
}

TEST_F(Intercepts, AReaderThatStallsHoldsNoMoreThanABound) {
  start();
  original->script.send = 50'000'000;
  Script slow;
  slow.send = 1;
  slow.read_after = 60s;
  connect(1, 1, slow);
  world->run_for(10s);
  EXPECT_LT(world->gateway_memory(), 2u << 20);
}

TEST_F(Intercepts, ResetsArriveOnBothSides) {
  start();
  ASSERT_TRUE(ready(ask()));
  process->script.reset_after = 3000;
  Talker& talker = connect(2);
  ASSERT_TRUE(ends(talker));
  EXPECT_EQ(talker.end(), Talker::End::kReset);
  process->script.reset_after.reset();
  Script resets;
  resets.send = 500'000;
  resets.reset_after = 100'000;
  resets.write_size = 10'000;
  resets.write_pause = 1ms;
  Talker& rude = connect(2, 0, resets);
  ASSERT_TRUE(ends(rude));
  EXPECT_TRUE(world->run_until(
      [&] { return process->talkers.size() == 2 && process->talkers[1]->end() == Talker::End::kReset; }, 5s));
  leave(status().id);
  original->script.reset_after = 3000;
  Talker& third = connect(1);
  ASSERT_TRUE(ends(third));
  EXPECT_EQ(third.end(), Talker::End::kReset);
  EXPECT_EQ(world->gateway()->status().accepted, 0u);
}

TEST_F(Intercepts, AnOriginalThatRefusesResetsWhoConnected) {
  start();
  original->refuses = link::Reason::kConnectionRefused;
  Talker& talker = connect(1);
  ASSERT_TRUE(ends(talker));
  EXPECT_EQ(talker.end(), Talker::End::kReset);
  EXPECT_EQ(world->gateway()->status().relays, 0u);
}

// --- when the laptop goes

TEST_F(Intercepts, ALaptopThatFallsSilentGetsNothingNewAndGoesOnWhenItIsBack) {
  start();
  engine::InterceptId id = ask();
  ASSERT_TRUE(ready(id));
  world->stall(true, true, 3s);
  // Handed over before anybody could notice: nothing of it was lost, so it goes to the original.
  Talker& first = connect(1);
  ASSERT_TRUE(ends(first, 1s)) << "within what a silence is";
  EXPECT_EQ(first.end(), Talker::End::kComplete);
  EXPECT_EQ(first.fault(), "");
  EXPECT_EQ(at_gateway().state(), intercept::Intercept::State::kSilent);
  for (int i = 0; i < 5; ++i) {
    Instant began = world->time.now();
    converse(1);
    EXPECT_LT(world->time.now() - began, 100ms);
  }
  EXPECT_EQ(at_gateway().counters.failures, 1u);
  world->run_for(3s);
  EXPECT_EQ(at_gateway().state(), intercept::Intercept::State::kActive);
  converse(2);
  EXPECT_EQ(count(Kind::kInterceptReady), 1u);
}

TEST_F(Intercepts, WhatWasHandedOverMayGoOnForAWhileAndThenIsReset) {
  start();
  ASSERT_TRUE(ready(ask()));
  process->script.send = 100'000'000;
  process->script.write_pause = 10ms;
  Talker& talker = connect(2, 10);
  world->run_for(500ms);
  // Longer than the grace, but the kernel still acknowledges: the carrier is not dead.
  Instant stalled = world->time.now();
  world->stall(true, true, 3s);
  world->run_for(3s);
  EXPECT_EQ(talker.end(), Talker::End::kNone) << "a short silence cuts nothing";
  std::uint64_t before = talker.received();
  world->run_for(500ms);
  EXPECT_GT(talker.received(), before);
  stalled = world->time.now();
  world->lose_everything(true, true);
  ASSERT_TRUE(ends(talker, 10s));
  EXPECT_EQ(talker.end(), Talker::End::kReset);
  EXPECT_LT(world->time.now() - stalled, 6500ms);
}

TEST_F(Intercepts, ALinkThatIsLostIsAskedForAgainByItself) {
  start();
  engine::InterceptId id = ask();
  ASSERT_TRUE(ready(id));
  Instant since = at_gateway().since;
  for (int i = 0; i < 3; ++i) {
    world->break_carrier();
    ASSERT_TRUE(world->run_until([&] { return state(id) == State::kWaiting; }, 1s));
    converse(1);
    EXPECT_EQ(at_gateway().state(), intercept::Intercept::State::kAway);
    ASSERT_TRUE(ready(id));
    EXPECT_EQ(at_gateway().since, since);
    converse(2);
  }
  EXPECT_EQ(count(Kind::kInterceptReady), 4u);
  EXPECT_EQ(count(Kind::kInterceptWaiting), 3u);
}

TEST_F(Intercepts, AGatewayThatRestartsIsAskedAgain) {
  start();
  engine::InterceptId id = ask();
  ASSERT_TRUE(ready(id));
  world->kill_gateway();
  world->run_for(5s);
  world->start_gateway();
  ASSERT_TRUE(ready(id));
  converse(2);
}

TEST_F(Intercepts, AskedForWithoutALinkItComesWithTheLink) {
  start();
  world->break_carrier();
  world->kill_gateway();
  engine::InterceptId id = ask();
  world->run_for(1s);
  EXPECT_EQ(state(id), State::kWaiting);
  world->start_gateway();
  ASSERT_TRUE(ready(id));
  converse(2);
}

TEST_F(Intercepts, ALeaseThatRanOutFreesIt) {
  WorldOptions options = with_service();
  start(options);
  ASSERT_TRUE(ready(ask()));
  world->set_clients(false);
  world->run_for(1s);
  EXPECT_EQ(at_gateway().state(), intercept::Intercept::State::kAway);
  world->run_for(4min);
  EXPECT_EQ(world->gateway()->status().intercepts, 1u);
  world->run_for(2min);
  EXPECT_EQ(world->gateway()->status().intercepts, 0u);
}

TEST_F(Intercepts, GoingDownFreesItAtOnce) {
  start();
  ASSERT_TRUE(ready(ask()));
  world->client().stop(world->time.now());
  world->call_client();
  world->run_for(100ms);
  EXPECT_EQ(world->gateway()->status().intercepts, 0u);
  EXPECT_EQ(world->processes.size(), 0u);
}

TEST_F(Intercepts, AnAdministratorFreesItAndItsOwnerIsToldWhy) {
  start();
  engine::InterceptId id = ask();
  ASSERT_TRUE(ready(id));
  EXPECT_EQ(world->gateway()->free_intercepts("orders", "somebody", world->time.now()), 0u);
  EXPECT_EQ(world->gateway()->free_intercepts("orders", "laptop", world->time.now()), 1u);
  world->call_gateway();
  ASSERT_TRUE(world->run_until([&] { return !state(id); }, 1s));
  EXPECT_NE(last(Kind::kInterceptEnded).error.message.find("administrator"), std::string::npos);
  converse(1);
}

TEST_F(Intercepts, WhatIsUnderWayMayEndAfterLeaveAndIsCutThen) {
  start();
  engine::InterceptId id = ask();
  ASSERT_TRUE(ready(id));
  process->script.write_pause = 10ms;
  process->script.write_size = 100;
  Talker& quick = connect(2);
  world->run_for(50ms);
  process->script.write_pause = 1s;
  Talker& slow = connect(2);
  world->run_for(200ms);
  leave(id);
  ASSERT_TRUE(ends(quick));
  EXPECT_EQ(quick.end(), Talker::End::kComplete);
  EXPECT_EQ(quick.fault(), "");
  Instant left = world->time.now();
  ASSERT_TRUE(ends(slow));
  EXPECT_EQ(slow.end(), Talker::End::kReset);
  EXPECT_LT(world->time.now() - left, 5s);
}

TEST_F(Intercepts, TheCatalogueIsAskedForAndAnswered) {
  start();
  world->client().ask_catalogue(7, "orders", world->time.now());
  world->call_client();
  ASSERT_TRUE(world->run_until([&] { return count(Kind::kCatalogue) == 1; }, 1s));
  EXPECT_EQ(last(Kind::kCatalogue).token, 7u);
  EXPECT_EQ(as_text(last(Kind::kCatalogue).message), "services for laptop: orders");
  world->kill_gateway();
  world->run_for(1s);
  world->client().ask_catalogue(8, "", world->time.now());
  world->call_client();
  ASSERT_TRUE(world->run_until([&] { return count(Kind::kCatalogue) == 2; }, 1s));
  EXPECT_EQ(last(Kind::kCatalogue).error.code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace causeway::world

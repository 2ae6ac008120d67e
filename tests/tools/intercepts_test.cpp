// What tund does for those who intercept, over the fake tunnel.
#include "tests/tools/caller.h"

namespace causeway::tund {
namespace {

using control::Answer;
using control::Headers;

struct Up : Daemon {
  explicit Up(const std::string& toml = "ok orders:http cache:tcp taken:http hang:tcp") : caller(*this) {
    profiles.write("demo.toml", toml);
    caller.want<control::UpAnswer>(control::UpRequest{"demo", {}});
  }
  int living() {
    int count = 0;
    on_loop([&] { count = fake::intercepts("demo"); });
    return count;
  }
  // Until that many are left.
  bool comes_to(int count) {
    for (int tries = 0; tries < 1000 && living() != count; ++tries) std::this_thread::sleep_for(5ms);
    return living() == count;
  }
  Caller caller;
};

control::InterceptRequest orders(Headers headers = {}, std::uint16_t port = 8080, bool tied = false) {
  return {"", "orders", std::move(headers), "", "127.0.0.1", port, tied};
}
control::LeaveRequest leave(const std::string& service, Headers headers = {}) {
  return {"", service, std::move(headers), "", 0};
}

std::vector<control::InterceptedAnswer> intercepted(const std::vector<Answer>& answers) {
  std::vector<control::InterceptedAnswer> out;
  for (const Answer& answer : answers) {
    if (const auto* each = std::get_if<control::InterceptedAnswer>(&answer)) out.push_back(*each);
  }
  return out;
}

control::ErrorAnswer refused(Caller& caller, const control::Request& request) {
  return caller.want<control::ErrorAnswer>(request);
}

TEST(Intercepts, AreToldStepByStepAndStay) {
  Up up;
  auto done = up.caller.want<control::InterceptAnswer>(orders({{"X-User", "anna"}}));
  EXPECT_EQ(done.outcome, "ready");
  EXPECT_EQ(done.profile, "demo");
  ASSERT_EQ(up.caller.before.size(), 4u);
  EXPECT_EQ(std::get<control::ServiceAnswer>(up.caller.before[0]).original, "orders-v1:80");
  auto service = std::get<control::StepAnswer>(up.caller.before[1]),
       path = std::get<control::StepAnswer>(up.caller.before[2]);
  EXPECT_EQ(service.name, "service");
  EXPECT_EQ(service.detail, "orders, HTTP, at 10.96.0.10:80; its original is orders-v1:80");
  EXPECT_EQ(path.name, "path");
  auto ready = std::get<control::InterceptedAnswer>(up.caller.before[3]);
  ASSERT_TRUE(ready.here);
  EXPECT_EQ(ready.here->id, done.id);
  EXPECT_EQ(ready.here->state, "ready");
  EXPECT_EQ(ready.here->local, "127.0.0.1:8080");
  EXPECT_EQ(ready.here->round_trip, 1200us);
  EXPECT_EQ(ready.headers, (Headers{{"x-user", "anna"}}));
  EXPECT_EQ(up.living(), 1);
}

TEST(Intercepts, ThePortIsTheServicesOwnWhereNoneIsNamed) {
  Up up;
  up.caller.want<control::InterceptAnswer>(orders({}, 0));
  EXPECT_EQ(intercepted(up.caller.before).at(0).here->local, "127.0.0.1:80");
  control::InterceptRequest six{"demo", "cache", {}, "", "::1", 0, false};
  up.caller.want<control::InterceptAnswer>(six);
  EXPECT_EQ(intercepted(up.caller.before).at(0).here->local, "[::1]:80");
}

TEST(Intercepts, EachRefusalSaysAtWhichStep) {
  Up up;
  auto error = refused(up.caller, control::InterceptRequest{"", "order", {}, "", "127.0.0.1", 80, false});
  EXPECT_EQ(error.step + ": " + error.message, "service: the gateway has no service 'order'");
  EXPECT_EQ(error.kind, ErrorCode::kNotFound);
  error = refused(up.caller, control::InterceptRequest{"", "cache", {{"x-user", "anna"}}, "", "127.0.0.1", 80, false});
  EXPECT_EQ(error.step + ": " + error.message, "service: cache is not HTTP: its requests cannot be told apart");
  error = refused(up.caller, control::InterceptRequest{"", "taken", {}, "", "127.0.0.1", 80, false});
  EXPECT_EQ(error.step + ": " + error.message, "path: taken is intercepted by bob");
  EXPECT_EQ(error.kind, ErrorCode::kConflict);
  error = refused(up.caller, control::InterceptRequest{"", "orders", {}, "", "localhost", 80, false});
  EXPECT_EQ(error.step + ": " + error.message, "local: 'localhost' is no IP address");
  EXPECT_EQ(up.living(), 0);
}

TEST(Intercepts, NeedATunnelThatIsUp) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok orders:http");
  Caller caller(daemon);
  for (const control::Request& request :
       {control::Request(orders()), control::Request(leave("orders")), control::Request(control::ListRequest{}),
        control::Request(control::EnvironmentRequest{"", "orders"})}) {
    auto error = refused(caller, request);
    EXPECT_EQ(error.step + ": " + error.message, "tunnel: nothing is up");
    EXPECT_EQ(error.advice, "`tunctl up` brings it up");
  }
  EXPECT_EQ(refused(caller, control::ListRequest{"demo"}).message, "demo is not up");
  caller.want<control::UpAnswer>(control::UpRequest{"demo", {}});
  daemon.on_loop([] { fake::lose_link("demo", "the gateway is silent"); });
  auto error = refused(caller, orders());
  EXPECT_EQ(error.step + ": " + error.message, "gateway: demo is up, but its link is down: the gateway is silent");
}

TEST(Intercepts, ARepeatedOneSaysSoAndAnotherOfTheSameIsRefused) {
  Up up;
  auto first = up.caller.want<control::InterceptAnswer>(orders());
  auto again = up.caller.want<control::InterceptAnswer>(orders());
  EXPECT_EQ(again.outcome, "already");
  EXPECT_EQ(again.id, first.id);
  auto error = refused(up.caller, orders({}, 9090));
  EXPECT_EQ(error.step + ": " + error.message,
            "path: orders is intercepted from here already, with everything, by 127.0.0.1:8080");
  EXPECT_EQ(error.advice, "`tunctl leave orders` ends that");
  EXPECT_EQ(refused(up.caller, orders({}, 8080, true)).kind, ErrorCode::kConflict);
  up.caller.want<control::InterceptAnswer>(orders({{"x-user", "anna"}}, 9090));
  EXPECT_EQ(up.living(), 2);
}

TEST(Intercepts, LeaveEndsAllOfAServiceOrTheOneThatIsMeant) {
  Up up;
  up.caller.want<control::InterceptAnswer>(orders({{"x-user", "anna"}}));
  up.caller.want<control::InterceptAnswer>(orders({{"x-user", "ben"}}));
  auto third = up.caller.want<control::InterceptAnswer>(orders({{"x-user", "cleo"}}));
  up.caller.want<control::InterceptAnswer>(control::InterceptRequest{"", "cache", {}, "", "127.0.0.1", 80, false});
  EXPECT_EQ(up.caller.want<control::LeaveAnswer>(leave("orders", {{"X-USER", "ben"}})).count, 1u);
  auto error = refused(up.caller, leave("orders", {{"x-user", "ben"}}));
  EXPECT_EQ(error.step + ": " + error.message, "leave: orders is not intercepted from here with x-user=ben");
  EXPECT_EQ(error.kind, ErrorCode::kNotFound);
  EXPECT_EQ(up.caller.want<control::LeaveAnswer>(control::LeaveRequest{"demo", "orders", {}, "", third.id}).count, 1u);
  EXPECT_EQ(up.living(), 2);
  up.caller.want<control::InterceptAnswer>(orders({{"x-user", "dora"}}));
  EXPECT_EQ(up.caller.want<control::LeaveAnswer>(leave("orders")).count, 2u);
  EXPECT_EQ(up.living(), 1);
  EXPECT_EQ(refused(up.caller, leave("orders")).message, "orders is not intercepted from here");
}

TEST(Intercepts, ATiedOneEndsWithItsCaller) {
  Up up;
  {
    Caller runner(up);
    runner.ask(orders({}, 8080, true));
    while (!std::holds_alternative<control::InterceptedAnswer>(runner.next())) continue;
    EXPECT_EQ(up.living(), 1);
  }
  EXPECT_TRUE(up.comes_to(0));
}

TEST(Intercepts, ATiedOneHearsWhatBecomesOfIt) {
  Up up;
  Caller runner(up);
  runner.ask(orders({}, 8080, true));
  while (!std::holds_alternative<control::InterceptedAnswer>(runner.next())) continue;
  up.on_loop([] { fake::lose_intercept("demo", "orders"); });
  auto waits = Caller::as<control::InterceptedAnswer>(runner.next());
  EXPECT_EQ(waits.here->state, "waiting");
  EXPECT_EQ(waits.here->last_error, "the link is down");
  EXPECT_TRUE(waits.here->tied);
  up.on_loop([] { fake::find_intercept("demo", "orders"); });
  EXPECT_EQ(Caller::as<control::InterceptedAnswer>(runner.next()).here->state, "ready");
  EXPECT_EQ(up.caller.want<control::LeaveAnswer>(leave("orders")).count, 1u);
  EXPECT_EQ(Caller::as<control::InterceptAnswer>(runner.next()).outcome, "left");
}

TEST(Intercepts, OneThatIsStillAskedForIsGivenUpWithItsCaller) {
  Up up;
  {
    Caller impatient(up);
    impatient.ask(control::InterceptRequest{"", "hang", {}, "", "127.0.0.1", 80, false});
    while (!std::holds_alternative<control::StepAnswer>(impatient.next())) continue;
    EXPECT_EQ(up.living(), 1);
  }
  EXPECT_TRUE(up.comes_to(0));
}

TEST(Intercepts, WhoeverWaitsForOneThatIsLeftIsTold) {
  Up up;
  Caller asking(up);
  asking.ask(control::InterceptRequest{"", "hang", {}, "", "127.0.0.1", 80, false});
  while (!std::holds_alternative<control::StepAnswer>(asking.next())) continue;
  EXPECT_EQ(up.caller.want<control::LeaveAnswer>(leave("hang")).count, 1u);
  EXPECT_EQ(Caller::as<control::InterceptAnswer>(asking.next()).outcome, "left");
}

TEST(Intercepts, OneThatStaysOutlivesItsCaller) {
  Up up;
  { Caller(up).want<control::InterceptAnswer>(orders()); }
  up.caller.want<control::StatusAnswer>(control::StatusRequest{});
  EXPECT_EQ(up.living(), 1);
}

TEST(Intercepts, WhatTheGatewayTakesAwayIsToldToWhoAsksNext) {
  Up up;
  up.caller.want<control::InterceptAnswer>(orders());
  up.on_loop([] { fake::free_intercept("demo", "orders", "freed by the administrator"); });
  EXPECT_EQ(up.caller.want<control::ListAnswer>(control::ListRequest{}).note,
            "orders is not intercepted from here any more: freed by the administrator");
  up.caller.want<control::StatusAnswer>(control::StatusRequest{});
  EXPECT_EQ(std::get<control::TunnelAnswer>(up.caller.before.at(0)).intercepts,
            std::vector<std::string>{"orders no more: freed by the administrator"});
  up.caller.want<control::InterceptAnswer>(orders());
  EXPECT_EQ(up.caller.want<control::ListAnswer>(control::ListRequest{}).note, "");
}

TEST(Intercepts, ATiedOneThatIsTakenAwayIsAnErrorToItsCaller) {
  Up up;
  Caller runner(up);
  runner.ask(orders({}, 8080, true));
  while (!std::holds_alternative<control::InterceptedAnswer>(runner.next())) continue;
  up.on_loop([] { fake::free_intercept("demo", "orders", "freed by the administrator"); });
  auto error = Caller::as<control::ErrorAnswer>(runner.next());
  EXPECT_EQ(error.step + ": " + error.message, "path: freed by the administrator");
}

TEST(Intercepts, TheListPutsTheGatewaysAndOurOwnTogether) {
  Up up("ok orders:http cache:tcp");
  up.caller.want<control::InterceptAnswer>(orders({{"x-user", "anna"}}));
  EXPECT_EQ(up.caller.want<control::ListAnswer>(control::ListRequest{}).note, "");
  ASSERT_EQ(up.caller.before.size(), 5u);  // orders, bob's, ours; cache, bob's
  EXPECT_EQ(std::get<control::ServiceAnswer>(up.caller.before[0]).name, "orders");
  auto bobs = std::get<control::InterceptedAnswer>(up.caller.before[1]),
       ours = std::get<control::InterceptedAnswer>(up.caller.before[2]);
  EXPECT_FALSE(bobs.here);
  EXPECT_EQ(bobs.at_gateway->owner, "bob");
  EXPECT_EQ(bobs.at_gateway->requests, 3u);
  ASSERT_TRUE(ours.here && ours.at_gateway);
  EXPECT_EQ(ours.at_gateway->owner, "anna");
  EXPECT_TRUE(ours.at_gateway->own);
  EXPECT_EQ(ours.here->local, "127.0.0.1:8080");
  EXPECT_EQ(std::get<control::ServiceAnswer>(up.caller.before[3]).protocol, "tcp");
}

TEST(Intercepts, WithoutALinkTheListHasOurOwn) {
  Up up;
  up.caller.want<control::InterceptAnswer>(orders());
  up.on_loop([] { fake::lose_link("demo", "the gateway is silent"); });
  auto done = up.caller.want<control::ListAnswer>(control::ListRequest{"demo"});
  EXPECT_EQ(done.note, "demo: only what is intercepted from here is shown: the link is down");
  ASSERT_EQ(up.caller.before.size(), 1u);
  EXPECT_FALSE(std::get<control::InterceptedAnswer>(up.caller.before[0]).at_gateway);
}

TEST(Intercepts, TheListHasEveryTunnelThatIsUp) {
  Up up("ok orders:http");
  up.profiles.write("other.toml", "ok cache:tcp");
  up.caller.want<control::UpAnswer>(control::UpRequest{"other", {}});
  up.caller.want<control::ListAnswer>(control::ListRequest{});
  std::set<std::string> names;
  for (const Answer& answer : up.caller.before) {
    if (const auto* service = std::get_if<control::ServiceAnswer>(&answer))
      names.insert(service->profile + '/' + service->name);
  }
  EXPECT_EQ(names, (std::set<std::string>{"demo/orders", "other/cache"}));
  EXPECT_EQ(refused(up.caller, orders()).message, "several are up: demo, other");
  EXPECT_EQ(refused(up.caller, orders()).advice, "say which: `tunctl intercept … --profile demo`");
}

TEST(Intercepts, AnEnvironmentComesWhole) {
  Up up;
  up.caller.want<control::EnvironmentAnswer>(control::EnvironmentRequest{"", "orders"});
  control::VariableCollector collector;
  for (const Answer& answer : up.caller.before) {
    if (const auto* variable = std::get_if<control::VariableAnswer>(&answer)) {
      EXPECT_TRUE(collector.take(*variable));
    }
  }
  EXPECT_TRUE(collector.complete());
  environment::Variables got = collector.variables;
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, (environment::Variables{{"CERT", "two\nlines"}, {"DB_HOST", "db.shop"}, {"LD_PRELOAD", "/x.so"}}));
  EXPECT_EQ(refused(up.caller, control::EnvironmentRequest{"demo", "nobody"}).message,
            "the gateway has no service 'nobody'");
}

TEST(Intercepts, DownTellsWhoeverWaits) {
  Up up;
  Caller runner(up), asking(up);
  runner.ask(orders({}, 8080, true));
  while (!std::holds_alternative<control::InterceptedAnswer>(runner.next())) continue;
  asking.ask(control::InterceptRequest{"", "hang", {}, "", "127.0.0.1", 80, false});
  while (!std::holds_alternative<control::StepAnswer>(asking.next())) continue;
  up.caller.want<control::DownAnswer>(control::DownRequest{"demo"});
  Caller::as<control::ErrorAnswer>(runner.next());
  Caller::as<control::ErrorAnswer>(asking.next());
  up.caller.want<control::UpAnswer>(control::UpRequest{"demo", {}});
  EXPECT_EQ(up.living(), 0);
}

TEST(Intercepts, StatusNamesThem) {
  Up up;
  up.caller.want<control::InterceptAnswer>(orders({{"x-user", "anna"}}));
  up.caller.want<control::InterceptAnswer>(control::InterceptRequest{"", "cache", {}, "", "127.0.0.1", 6379, false});
  up.caller.want<control::StatusAnswer>(control::StatusRequest{});
  EXPECT_EQ(
      std::get<control::TunnelAnswer>(up.caller.before.at(0)).intercepts,
      (std::vector<std::string>{"orders (x-user=anna) > 127.0.0.1:8080, ready", "cache > 127.0.0.1:6379, ready"}));
}

}  // namespace
}  // namespace causeway::tund

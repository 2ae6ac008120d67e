#include "core/intercept/intercept_table.h"

#include <gmock/gmock.h>

#include "core/base/random.h"
#include "tests/core/intercept/heads.h"

namespace causeway::intercept {
namespace {

using testing::HasSubstr;
using State = Intercept::State;
using std::chrono::minutes;
using std::chrono::seconds;

Match user(const std::string& name, const std::string& path = {}) { return *Match::create({{"x-user", name}}, path); }

class Table : public testing::Test {
 protected:
  Table() { table.set_services({{"orders", true, true}, {"db", false, false}}); }

  InterceptId add(Match match, const std::string& owner, SessionId session, bool prove = true) {
    auto added = table.add("orders", std::move(match), owner, session, now);
    EXPECT_TRUE(added) << added.error().message;
    if (!added) return 0;
    if (prove) table.proven(added->id);
    return added->id;
  }
  InterceptId routed(const std::string& lines, const std::string& target = "/") {
    return table.route("orders", RequestHead(target, lines)).to;
  }

  Instant now{std::chrono::hours(1)};
  InterceptTable table{minutes(10)};
};

TEST_F(Table, RequestsGoToWhoeverMatchesAndTheRestToTheOriginal) {
  const InterceptId anna = add(user("anna"), "anna", 1), ben = add(user("ben"), "ben", 2);
  EXPECT_EQ(routed("X-User: anna\r\n"), anna);
  EXPECT_EQ(routed("X-User: ben\r\n"), ben);
  EXPECT_EQ(routed(""), kOriginal);
  EXPECT_EQ(table.route("cache", RequestHead("/")).to, kOriginal);
  EXPECT_TRUE(table.filtered("orders"));
  EXPECT_FALSE(table.filtered("db"));
}

TEST_F(Table, MoreConditionsWinThenTheOlder) {
  const InterceptId old = add(*Match::create({{"a", "1"}}, {}), "anna", 1);
  const InterceptId younger = add(*Match::create({{"b", "1"}}, {}), "ben", 2);
  const InterceptId special = add(*Match::create({{"c", "1"}, {"d", "1"}}, {}), "cleo", 3);
  const InterceptId with_path = add(*Match::create({{"e", "1"}}, "/p"), "dora", 4);
  EXPECT_EQ(routed("a: 1\r\nb: 1\r\n"), old);
  EXPECT_EQ(routed("b: 1\r\n"), younger);
  EXPECT_EQ(routed("a: 1\r\nb: 1\r\nc: 1\r\nd: 1\r\n"), special);
  EXPECT_EQ(routed("a: 1\r\ne: 1\r\n", "/p/q"), with_path);
  EXPECT_EQ(routed("a: 1\r\ne: 1\r\n", "/q"), old);
  EXPECT_EQ(routed("c: 1\r\nd: 1\r\ne: 1\r\n", "/p"), special) << "as many conditions, but older";
}

TEST_F(Table, AConflictIsRefusedAndNamesTheOwner) {
  add(user("anna", "/api"), "anna's laptop", 1);
  now += minutes(12);
  auto refused = table.add("orders", user("anna"), "ben", 2, now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().message, "orders is intercepted by anna's laptop (x-user=anna and path /api) since 12 min");
  EXPECT_FALSE(table.add("orders", Match(), "ben", 2, now));
  EXPECT_TRUE(table.add("orders", user("anna", "/b"), "ben", 2, now));
}

TEST_F(Table, EverythingOfAServiceIsHadAlone) {
  EXPECT_FALSE(table.route_all("orders"));
  const InterceptId all = add(Match(), "anna", 1);
  ASSERT_TRUE(table.route_all("orders"));
  EXPECT_EQ(table.route_all("orders")->to, all);
  EXPECT_FALSE(table.filtered("orders"));
  EXPECT_FALSE(table.add("orders", user("ben"), "ben", 2, now));
  table.session_answers(1, false);
  EXPECT_FALSE(table.route_all("orders"));
}

TEST_F(Table, WhatTheGatewayDoesNotHaveIsNotIntercepted) {
  auto unknown = table.add("cache", Match(), "anna", 1, now);
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  auto headers = table.add("db", user("anna"), "anna", 1, now);
  EXPECT_EQ(headers.error().code, ErrorCode::kInvalid);
  auto plain = table.add("db", Match(), "anna", 1, now);
  ASSERT_TRUE(plain);
  table.proven(plain->id);
  EXPECT_FALSE(table.route_all("db")->original_when_down) << "as the service is configured";
}

TEST_F(Table, NothingGoesToAnInterceptBeforeItIsProven) {
  const InterceptId id = add(user("anna"), "anna", 1, false);
  EXPECT_EQ(table.find(id)->state(), State::kProving);
  EXPECT_EQ(routed("X-User: anna\r\n"), kOriginal);
  EXPECT_FALSE(table.add("orders", user("anna"), "ben", 2, now)) << "but it is taken";
  table.proven(id);
  EXPECT_EQ(routed("X-User: anna\r\n"), id);
}

TEST_F(Table, ASilentLaptopGetsNothingUntilItAnswersAgain) {
  const InterceptId id = add(user("anna"), "anna", 1), other = add(user("ben"), "ben", 2);
  table.session_answers(1, false);
  EXPECT_EQ(table.find(id)->state(), State::kSilent);
  EXPECT_EQ(routed("X-User: anna\r\n"), kOriginal);
  EXPECT_EQ(routed("X-User: ben\r\n"), other);
  table.session_answers(1, true);
  EXPECT_EQ(routed("X-User: anna\r\n"), id);
}

TEST_F(Table, AnInterceptWaitsForItsOwnerUntilTheLeaseRunsOut) {
  const InterceptId id = add(user("anna"), "anna", 1);
  table.count_request(id);
  table.session_ended(1, now);
  EXPECT_EQ(table.find(id)->state(), State::kAway);
  EXPECT_EQ(routed("X-User: anna\r\n"), kOriginal);
  EXPECT_EQ(table.deadline(), now + minutes(10));
  auto refused = table.add("orders", user("anna"), "ben", 2, now + minutes(3));
  EXPECT_THAT(refused.error().message, HasSubstr("whose laptop is away; its lease runs for another 7 min"));

  now += minutes(9);
  EXPECT_TRUE(table.expire(now).empty());
  auto again = table.add("orders", user("anna"), "anna", 3, now);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->resumed);
  EXPECT_EQ(again->id, id);
  EXPECT_TRUE(again->ended.empty());
  EXPECT_EQ(table.find(id)->counters.requests, 1u);
  EXPECT_EQ(table.find(id)->state(), State::kProving);
  EXPECT_EQ(table.deadline(), kNever);

  table.session_ended(3, now);
  auto ended = table.expire(now + minutes(10));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].owner, "anna");
  EXPECT_EQ(ended[0].session, 0u);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_TRUE(table.add("orders", user("anna"), "ben", 2, now));
}

TEST_F(Table, TheNewestSessionOfAKeyKnowsBest) {
  const InterceptId id = add(user("anna"), "anna", 1);
  auto again = table.add("orders", user("anna"), "anna", 2, now);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, id);
  ASSERT_EQ(again->ended.size(), 1u);
  EXPECT_EQ(again->ended[0].session, 1u);
  table.session_ended(1, now);
  EXPECT_EQ(table.find(id)->session, 2u) << "the old session's end does not concern it any more";
}

TEST_F(Table, WhatIsAwayGivesWayToItsOwner) {
  const InterceptId old = add(user("anna"), "anna", 1);
  EXPECT_FALSE(table.add("orders", Match(), "anna", 2, now)) << "while it is in use it does not";
  table.session_ended(1, now);
  auto all = table.add("orders", Match(), "anna", 2, now);
  ASSERT_TRUE(all);
  EXPECT_FALSE(all->resumed);
  ASSERT_EQ(all->ended.size(), 1u);
  EXPECT_EQ(all->ended[0].id, old);
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(Table, ARefusalEndsNothing) {
  add(user("anna", "/a"), "anna", 1);
  table.session_ended(1, now);
  add(user("anna", "/b"), "ben", 2);
  EXPECT_FALSE(table.add("orders", user("anna"), "anna", 3, now));
  EXPECT_EQ(table.size(), 2u);
}

TEST_F(Table, OwnersLeaveAndAdministratorsFree) {
  const InterceptId anna = add(user("anna"), "anna", 1), ben = add(user("ben"), "ben", 2);
  add(user("cleo"), "cleo", 3);
  table.remove(anna);
  EXPECT_EQ(routed("X-User: anna\r\n"), kOriginal);
  auto freed = table.free("orders", "ben");
  ASSERT_EQ(freed.size(), 1u);
  EXPECT_EQ(freed[0].id, ben);
  EXPECT_EQ(freed[0].session, 2u);
  EXPECT_EQ(table.free("orders", "").size(), 1u);
  EXPECT_EQ(table.free("nothing", "").size(), 0u);
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(Table, InterceptsOutliveAChangeOfConfigurationThatKeepsTheirService) {
  const InterceptId id = add(user("anna"), "anna", 1);
  EXPECT_TRUE(table.set_services({{"orders", true, false}, {"new", true, true}}).empty());
  EXPECT_EQ(routed("X-User: anna\r\n"), id);
  EXPECT_FALSE(table.route("orders", RequestHead("/", "x-user: anna\r\n")).original_when_down);
  auto ended = table.set_services({{"orders", false, false}});
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_THAT(ended[0].why, HasSubstr("not HTTP"));
  table.add("orders", Match(), "anna", 1, now);
  ended = table.set_services({});
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_THAT(ended[0].why, HasSubstr("no service orders any more"));
}

TEST_F(Table, CountsAreKeptAndThoseOfTheGoneForgotten) {
  const InterceptId id = add(user("anna"), "anna", 1);
  table.count_request(id);
  table.count_request(id);
  table.count_answer(id, now);
  table.count_failure(id, "reset");
  EXPECT_EQ(table.find(id)->counters.requests, 2u);
  EXPECT_EQ(table.find(id)->counters.failures, 1u);
  EXPECT_EQ(table.find(id)->counters.last_error, "reset");
  EXPECT_EQ(table.find(id)->counters.last_answer, now);
  table.remove(id);
  table.count_request(id);
  EXPECT_EQ(table.find(id), nullptr);
}

// Anything that happens, in any order, beside a plain model: no two that conflict, and the route is the first by the rule.
TEST_F(Table, TwoThatConflictAreNeverInItTogether) {
  SeededRandom random(11);
  std::size_t refused = 0, added = 0, routed_away = 0;
  for (int step = 0; step < 20000; ++step) {
    now += seconds(random.below(20));
    table.expire(now);
    const SessionId session = 1 + random.below(6);
    const std::string owner = "owner" + std::to_string(session % 3);
    switch (random.below(6)) {
      case 0:
      case 1: {
        std::vector<HeaderCondition> headers;
        for (const char* name : {"a", "b", "c"})
          if (random.below(2)) headers.push_back({name, std::to_string(random.below(3))});
        const char* paths[] = {"", "/x", "/x/y", "/z"};
        auto result = table.add("orders", *Match::create(headers, paths[random.below(4)]), owner, session, now);
        result ? ++added : ++refused;
        if (result && random.below(4)) table.proven(result->id);
        break;
      }
      case 2: table.session_ended(session, now); break;
      case 3: table.session_answers(session, random.below(3) > 0); break;
      case 4:
        if (random.below(10) == 0) table.free("orders", owner);
        break;
      case 5: break;
    }
    const auto all = table.of_service("orders");
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t j = i + 1; j < all.size(); ++j) {
        ASSERT_FALSE(all[i]->match.conflicts_with(all[j]->match))
            << all[i]->match.text() << " / " << all[j]->match.text();
      }
    }
    std::string lines;
    for (const char* name : {"a", "b", "c"})
      if (random.below(3)) lines += std::string(name) + ": " + std::to_string(random.below(3)) + "\r\n";
    const RequestHead head(random.below(2) ? "/x/y" : "/z", lines);
    const Intercept* best = nullptr;
    for (const Intercept* each : all) {
      if (each->state() != State::kActive || !each->match.accepts(head)) continue;
      const bool better = !best || each->match.conditions() > best->match.conditions() ||
                          (each->match.conditions() == best->match.conditions() && each->id < best->id);
      if (better) best = each;
    }
    routed_away += best != nullptr;
    ASSERT_EQ(table.route("orders", head).to, best ? best->id : kOriginal);
  }
  EXPECT_GT(added, 200u);
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(routed_away, 1000u);
}

}  // namespace
}  // namespace causeway::intercept

#include "core/intercept/match.h"

#include <algorithm>

#include "core/base/random.h"
#include "tests/core/intercept/heads.h"

namespace causeway::intercept {
namespace {

Match match(std::vector<HeaderCondition> headers, std::string path = {}) {
  Result<Match> made = Match::create(std::move(headers), std::move(path));
  EXPECT_TRUE(made) << made.error().message;
  return made.value_or(Match());
}

TEST(Match, AllHeaderConditionsMustHold) {
  const Match both = match({{"X-User", "anna"}, {"x-team", "a b"}});
  EXPECT_TRUE(both.accepts(RequestHead("/", "x-user: anna\r\nX-Team:  a b \r\n")));
  EXPECT_FALSE(both.accepts(RequestHead("/", "x-user: anna\r\n")));
  EXPECT_FALSE(both.accepts(RequestHead("/", "x-user: anna\r\nx-team: a\r\n")));
  EXPECT_FALSE(both.accepts(RequestHead("/", "x-user: Anna\r\nx-team: a b\r\n")))
      << "values are compared to the letter";
}

TEST(Match, AnyOfSeveralFieldsOfANameWillDo) {
  EXPECT_TRUE(match({{"x-user", "anna"}}).accepts(RequestHead("/", "X-User: ben\r\nX-User: anna\r\n")));
}

TEST(Match, AnEmptyValueIsOneThatIsThere) {
  EXPECT_TRUE(match({{"x-debug", ""}}).accepts(RequestHead("/", "X-Debug:\r\n")));
  EXPECT_FALSE(match({{"x-debug", ""}}).accepts(RequestHead("/")));
}

TEST(Match, APathPrefixIsComparedWithThePathAlone) {
  const Match api = match({}, "/api");
  EXPECT_TRUE(api.accepts(RequestHead("/api")));
  EXPECT_TRUE(api.accepts(RequestHead("/api/v1?x=y")));
  EXPECT_TRUE(api.accepts(RequestHead("http://orders.shop/api")));
  EXPECT_FALSE(api.accepts(RequestHead("/ap")));
  EXPECT_FALSE(api.accepts(RequestHead("/?/api")));
  EXPECT_FALSE(api.accepts(RequestHead("*", {}, "OPTIONS")));
}

TEST(Match, WhatNoRequestCouldMeetIsRefused) {
  EXPECT_FALSE(Match::create({{"x user", "a"}}, {}));
  EXPECT_FALSE(Match::create({{"", "a"}}, {}));
  EXPECT_FALSE(Match::create({{"x", "a\nb"}}, {}));
  EXPECT_FALSE(Match::create({{"x", " a"}}, {}));
  EXPECT_FALSE(Match::create({{"x", "a"}, {"X", "b"}}, {}));
  EXPECT_FALSE(Match::create({}, "api"));
  EXPECT_FALSE(Match::create({}, "/a b"));
  EXPECT_FALSE(Match::create({}, "/a?b"));
  EXPECT_FALSE(Match::create({}, '/' + std::string(Match::kMaxPrefix, 'a')));
  EXPECT_FALSE(Match::create(std::vector<HeaderCondition>(Match::kMaxConditions + 1, {"x", "a"}), {}));
}

TEST(Match, TheSameConditionsAreTheSameMatch) {
  EXPECT_EQ(match({{"A", "1"}, {"b", "2"}}), match({{"B", "2"}, {"a", "1"}, {"a", "1"}}));
  EXPECT_EQ(match({}, "/"), Match()) << "every path begins with it";
  EXPECT_EQ(match({{"A", "1"}}, "/x").text(), "a=1 and path /x");
  EXPECT_EQ(Match().text(), "everything");
  EXPECT_EQ(match({{"a", "1"}}, "/x").conditions(), 2u);
}

TEST(Match, SubsetsConflictWherePathsIntersect) {
  const Match anna = match({{"x-user", "anna"}});
  EXPECT_TRUE(anna.conflicts_with(anna));
  EXPECT_TRUE(anna.conflicts_with(match({{"x-user", "anna"}, {"x-team", "a"}})));
  EXPECT_TRUE(match({{"x-user", "anna"}, {"x-team", "a"}}).conflicts_with(anna));
  EXPECT_TRUE(anna.conflicts_with(Match()));
  EXPECT_FALSE(anna.conflicts_with(match({{"x-user", "ben"}})));
  EXPECT_FALSE(anna.conflicts_with(match({{"x-user", "ben"}, {"x-team", "a"}})));
  EXPECT_FALSE(anna.conflicts_with(match({{"x-team", "a"}}))) << "neither contains the other";
  EXPECT_TRUE(match({{"x-user", "anna"}}, "/a").conflicts_with(match({{"x-user", "anna"}}, "/a/b")));
  EXPECT_TRUE(match({{"x-user", "anna"}}, "/a").conflicts_with(anna));
  EXPECT_FALSE(match({{"x-user", "anna"}}, "/a").conflicts_with(match({{"x-user", "anna"}}, "/b")));
}

// Whoever could take every request of another must be in conflict with it, and conflict is mutual.
TEST(Match, ConflictIsMutualAndCoversWhatWouldBeHidden) {
  SeededRandom random(4);
  std::size_t conflicts = 0;
  auto made_up = [&] {
    std::vector<HeaderCondition> headers;
    for (const char* name : {"a", "b", "c"})
      if (random.below(2)) headers.push_back({name, random.below(2) ? "1" : "2"});
    const char* paths[] = {"", "/x", "/x/y", "/z"};
    return match(headers, paths[random.below(4)]);
  };
  for (int i = 0; i < 3000; ++i) {
    const Match one = made_up(), other = made_up();
    const bool conflict = one.conflicts_with(other);
    conflicts += conflict;
    ASSERT_EQ(conflict, other.conflicts_with(one));
    std::string lines;
    for (const HeaderCondition& each : one.headers()) lines += each.name + ": " + each.value + "\r\n";
    const RequestHead narrowest(one.path_prefix().empty() ? "/" : one.path_prefix(), lines);
    ASSERT_TRUE(one.accepts(narrowest));
    ASSERT_TRUE(conflict || !other.accepts(narrowest)) << one.text() << ", " << other.text();
  }
  EXPECT_GT(conflicts, 300u);
}

}  // namespace
}  // namespace causeway::intercept

#include "core/control/rights.h"

#include <gtest/gtest.h>

#include <map>

namespace causeway::control {
namespace {

constexpr Asker kRoot{0, false}, kAnna{1001, true}, kBob{1002, true}, kStranger{1003, false};

const std::pair<const char*, Request> kCalls[] = {
    {"version", VersionRequest{}},
    {"status", StatusRequest{}},
    {"list", ListRequest{}},
    {"up", UpRequest{}},
    {"up with contents", UpRequest{"demo", ProfileContents{}}},
    {"down", DownRequest{}},
    {"intercept", InterceptRequest{}},
    {"leave", LeaveRequest{}},
    {"environment", EnvironmentRequest{}},
};

// A call that is not in the table is not in this test: a new kind must be put into both.
TEST(Rights, WhoMayAskWhatIsThisTable) {
  static_assert(std::variant_size_v<Request> == 8, "a new request needs a line in kCalls and below");
  const std::map<std::string, bool> everybody_may{
      {"version", true}, {"status", true},     {"list", true},   {"up", false},         {"up with contents", false},
      {"down", false},   {"intercept", false}, {"leave", false}, {"environment", false}};
  ASSERT_EQ(everybody_may.size(), std::size(kCalls));
  for (const auto& [name, request] : kCalls) {
    EXPECT_TRUE(may_ask(kRoot, request)) << name;
    EXPECT_TRUE(may_ask(kAnna, request)) << name;
    EXPECT_EQ(may_ask(kStranger, request), everybody_may.at(name)) << name;
    EXPECT_EQ(privilege(request).empty(), everybody_may.at(name)) << "who may not is told what: " << name;
  }
}

TEST(Rights, WhatIsSomebodysIsEndedByHimAndByRoot) {
  struct Row {
    Asker asker;
    Owner owner;
    bool may;
  };
  const Row table[] = {
      {kRoot, 1001u, true},
      {kRoot, 0u, true},
      {kRoot, std::nullopt, true},
      {kAnna, 1001u, true},
      {kAnna, 1002u, false},
      {kAnna, 0u, false},
      {kAnna, std::nullopt, true},
      {kBob, 1001u, false},
      {kStranger, 1001u, false},
      {kStranger, 0u, false},
      {kStranger, std::nullopt, false},
      {kStranger, 1003u, false},  // he was a member when he made it, and is none any more
  };
  for (const Row& row : table) {
    EXPECT_EQ(may_end(row.asker, row.owner), row.may)
        << row.asker.user << " of " << (row.owner ? std::to_string(*row.owner) : "nobody");
  }
}

TEST(Rights, ARefusalNamesTheOwnerAndWhatRootWouldType) {
  Error error = not_yours("demo was brought up", "anna", "`tunctl down demo`");
  EXPECT_EQ(error.code, ErrorCode::kPermission);
  EXPECT_EQ(error.message, "demo was brought up by anna, and is not yours to end");
  EXPECT_NE(error.advice.find("`tunctl down demo`"), std::string::npos);
}

TEST(Rights, HowMuchIsSeenDependsOnWhoseItIs) {
  EXPECT_EQ(view_of(kRoot, 1001u), View::kWhole);
  EXPECT_EQ(view_of(kRoot, std::nullopt), View::kWhole);
  EXPECT_EQ(view_of(kAnna, 1001u), View::kWhole);
  EXPECT_EQ(view_of(kAnna, std::nullopt), View::kWhole);
  EXPECT_EQ(view_of(kBob, 1001u), View::kMember);
  EXPECT_EQ(view_of(kBob, 0u), View::kMember);
  EXPECT_EQ(view_of(kStranger, 1001u), View::kOther);
  EXPECT_EQ(view_of(kStranger, std::nullopt), View::kOther);
  EXPECT_EQ(view_of(kStranger, 1003u), View::kWhole) << "what he made before he left the group";
}

TunnelAnswer tunnel() {
  TunnelAnswer answer;
  answer.profile = "demo";
  answer.state = "up";
  answer.owner = "anna";
  answer.gateway = "203.0.113.7:7700";
  answer.gateway_key = "gateway's";
  answer.own_key = "own";
  answer.last_error = "the link was lost";
  answer.routes = {"10.96.0.0/16"};
  answer.counters = {{"packets_in", 7}};
  return answer;
}

TEST(Rights, OfATunnelStrangersSeeAllButTheKeys) {
  for (View view : {View::kWhole, View::kMember}) {
    TunnelAnswer answer = tunnel();
    cut(answer, view);
    EXPECT_EQ(encode(Answer(answer)), encode(Answer(tunnel())));
  }
  TunnelAnswer answer = tunnel(), expected = tunnel();
  cut(answer, View::kOther);
  expected.gateway_key = expected.own_key = "";
  EXPECT_EQ(encode(Answer(answer)), encode(Answer(expected)));
}

InterceptedAnswer intercepted() {
  InterceptedAnswer answer{"demo", "orders", {{"authorization", "Bearer 123"}, {"x-user", "anna"}}, "/api", {}, {}};
  answer.here =
      InterceptedAnswer::Here{7, "127.0.0.1:8080", "ready", false, 5, 1, "connection refused", {}, {}, "anna"};
  answer.at_gateway = InterceptedAnswer::AtGateway{"laptop-of-anna", true, "active", {}, 12, 1, "reset", {}, {}};
  return answer;
}

TEST(Rights, OfAnInterceptAnotherMemberSeesNotWhereItGoes) {
  InterceptedAnswer answer = intercepted(), expected = intercepted();
  cut(answer, View::kMember);
  expected.here->local = expected.here->last_error = "";
  EXPECT_EQ(encode(Answer(answer)), encode(Answer(expected)));
}

TEST(Rights, OfAnInterceptStrangersSeeNotWhatItsConditionsAreComparedWith) {
  InterceptedAnswer answer = intercepted(), expected = intercepted();
  cut(answer, View::kOther);
  expected.here->local = expected.here->last_error = expected.at_gateway->last_error = "";
  expected.headers = {{"authorization", "…"}, {"x-user", "…"}};
  expected.path_prefix = "/…";
  EXPECT_EQ(encode(Answer(answer)), encode(Answer(expected)));
  EXPECT_TRUE(parse_answer(encode(Answer(answer))));
  EXPECT_EQ(encode(Answer(answer)).find("Bearer 123"), std::string::npos);
}

TEST(Rights, OfAnInterceptItsOwnerSeesAll) {
  InterceptedAnswer answer = intercepted();
  cut(answer, View::kWhole);
  EXPECT_EQ(encode(Answer(answer)), encode(Answer(intercepted())));
}

TEST(Rights, WhatHasNoPathConditionGetsNone) {
  InterceptedAnswer answer{"demo", "orders", {}, "", {}, {}};
  cut(answer, View::kOther);
  EXPECT_EQ(answer.path_prefix, "");
}

}  // namespace
}  // namespace causeway::control

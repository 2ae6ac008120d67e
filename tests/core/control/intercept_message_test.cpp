// Requests and answers about intercepts.
#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/control/message.h"

namespace causeway::control {
namespace {

using namespace std::chrono_literals;

std::string complaint(std::string_view line) {
  auto request = parse_request(line);
  EXPECT_FALSE(request) << line;
  return request ? "" : request.error().message;
}

InterceptedAnswer intercepted() {
  InterceptedAnswer out{"demo", "orders", {{"x-user", "anna \"a\""}}, "/api", {}, {}};
  out.here = InterceptedAnswer::Here{7, "127.0.0.1:8080", "ready", true, 12, 1, "refused", 1200us, 3s};
  out.at_gateway = InterceptedAnswer::AtGateway{"anna", true, "away", 90s, 12, 2, "the laptop went away", 4s, 300s};
  return out;
}

TEST(InterceptMessages, RequestsComeBackAsTheyWereSent) {
  InterceptRequest full{"demo", "orders", {{"x-user", "anna"}, {"x-team", "b"}}, "/api", "::1", 8080, true};
  const Request all[] = {full,
                         InterceptRequest{"", "orders", {}, "", "127.0.0.1", 0, false},
                         LeaveRequest{"demo", "orders", {{"x-user", "anna"}}, "/api", 7},
                         LeaveRequest{"", "orders", {}, "", 0},
                         ListRequest{},
                         ListRequest{"demo"},
                         EnvironmentRequest{"demo", "orders.shop"},
                         EnvironmentRequest{"", "orders"}};
  for (const Request& request : all) {
    std::string line = encode(request);
    auto back = parse_request(line);
    ASSERT_TRUE(back) << line << back.error().message;
    EXPECT_EQ(back->index(), request.index());
    EXPECT_EQ(encode(*back), line);
  }
  auto back = parse_request(encode(Request(full)));
  const auto& got = std::get<InterceptRequest>(*back);
  EXPECT_EQ(got.headers, full.headers);
  EXPECT_EQ(got.path_prefix, "/api");
  EXPECT_EQ(got.address, "::1");
  EXPECT_EQ(got.port, 8080);
  EXPECT_TRUE(got.tied);
}

TEST(InterceptMessages, ConditionsThatNoRequestCouldMeetAreRefused) {
  auto with = [](std::string_view fields) {
    return complaint(R"({"v":1,"request":"intercept","service":"orders",)" + std::string(fields) + "}");
  };
  EXPECT_EQ(with(R"("headers":[["x user","a"]])"), "\"x user\" is no name of a header");
  EXPECT_NE(with(R"("headers":[["x-user","a\nb"]])").find("cannot be one of a header"), std::string::npos);
  EXPECT_EQ(with(R"("headers":[["x-user","a"],["X-User","b"]])"), "two values for x-user");
  EXPECT_NE(with(R"("path_prefix":"api")").find("does not begin with /"), std::string::npos);
  EXPECT_EQ(with(R"("headers":[["x-user"]])"), "field 'headers' must be a list of at most 32 [name, value]");
  EXPECT_EQ(with(R"("headers":{"x-user":"a"})"), "field 'headers' must be a list of at most 32 [name, value]");
  EXPECT_EQ(with(R"("headers":[["x-user",")" + std::string(kMaxHeaderValue + 1, 'a') + "\"]]"),
            "field 'headers' must be a list of at most 32 [name, value]");
  EXPECT_EQ(with(R"("port":65536)"), "a port is at most 65535");
  EXPECT_EQ(with(R"("tied":1)"), "field 'tied' must be true or false");
  EXPECT_EQ(with(R"("address":8)"), "field 'address' must be a string");
}

TEST(InterceptMessages, ServicesHaveNamesThatCanBe) {
  for (const char* request : {"intercept", "leave", "environment"}) {
    std::string line = std::string(R"({"v":1,"request":")") + request + "\"";
    EXPECT_EQ(complaint(line + "}"), "field 'service' is missing");
    EXPECT_EQ(complaint(line + R"(,"service":"../x"})"), "a service's name has letters, digits, '-', '_' and '.'");
  }
  EXPECT_EQ(complaint(R"({"v":1,"request":"list","service":"orders"})"), "unknown field 'service'");
}

TEST(InterceptMessages, AnswersComeBackAsTheyWereSent) {
  InterceptedAnswer others{"demo", "orders", {}, "", {}, {}};
  others.at_gateway = InterceptedAnswer::AtGateway{"bob", false, "active", 0s, 0, 0, "", {}, {}};
  InterceptedAnswer asking{"demo", "orders", {}, "", {}, {}};
  asking.here = InterceptedAnswer::Here{8, "[::1]:80", "asking", false, 0, 0, "", {}, {}};
  const Answer all[] = {ServiceAnswer{"demo", "orders", "http", {"10.96.0.10:80"}, "orders-v1:80", "refuse", 3, 1},
                        ServiceAnswer{"demo", "cache", "tcp", {}, "", "original", 0, 0},
                        intercepted(),
                        others,
                        asking,
                        VariableAnswer{"DB_HOST", "a\nb\t\x01\"", false},
                        VariableAnswer{"spring.url", "", true},
                        InterceptAnswer{"demo", "orders", 7, "ready", 12ms},
                        InterceptAnswer{"demo", "orders", 7, "left", 0us},
                        LeaveAnswer{"demo", "orders", 2},
                        ListAnswer{},
                        ListAnswer{"the link is down"},
                        EnvironmentAnswer{"demo", "orders"}};
  for (const Answer& answer : all) {
    std::string line = encode(answer);
    auto back = parse_answer(line);
    ASSERT_TRUE(back) << line << back.error().message;
    EXPECT_EQ(back->index(), answer.index());
    EXPECT_EQ(encode(*back), line);
  }
  auto back = parse_answer(encode(Answer(intercepted())));
  const auto& got = std::get<InterceptedAnswer>(*back);
  ASSERT_TRUE(got.here && got.at_gateway);
  EXPECT_EQ(got.headers, intercepted().headers);
  EXPECT_EQ(got.here->round_trip, 1200us);
  EXPECT_EQ(got.at_gateway->lease_left, 300s);
}

TEST(InterceptMessages, FieldsInsideAreCheckedAsThoseOutside) {
  std::string line = encode(Answer(intercepted()));
  auto refused = [&](std::string_view from, std::string_view to) {
    std::string changed = line;
    changed.replace(changed.find(from), from.size(), to);
    auto back = parse_answer(changed);
    EXPECT_FALSE(back) << changed;
    return back ? "" : back.error().message;
  };
  EXPECT_EQ(refused("\"tied\":true", "\"tied\":1"), "field 'here.tied' must be true or false");
  EXPECT_EQ(refused("\"tied\":true", "\"tide\":true"), "field 'here.tied' is missing");
  EXPECT_EQ(refused("\"tied\":true", "\"tied\":true,\"tide\":true"), "unknown field 'here.tide'");
  EXPECT_EQ(refused("\"state\":\"away\"", "\"state\":\"asleep\""), "unknown state");
  EXPECT_EQ(parse_answer(
                R"({"v":1,"answer":"intercepted","profile":"a","service":"b","headers":[],"path_prefix":"","here":1})")
                .error()
                .message,
            "field 'here' must be an object");
}

TEST(InterceptMessages, OnlyTheLastAnswerClosesItsRequest) {
  for (const Answer& answer : {Answer(ServiceAnswer{}), Answer(InterceptedAnswer{}), Answer(VariableAnswer{})})
    EXPECT_FALSE(is_final(answer));
  for (const Answer& answer :
       {Answer(InterceptAnswer{}), Answer(LeaveAnswer{}), Answer(ListAnswer{}), Answer(EnvironmentAnswer{})})
    EXPECT_TRUE(is_final(answer));
}

TEST(InterceptMessages, AnswersFitTheirLineWhateverAGatewaySays) {
  std::string text(5000, '"');
  InterceptedAnswer big = intercepted();
  big.service = big.path_prefix = big.here->local = big.here->last_error = text;
  big.at_gateway->owner = big.at_gateway->last_error = text;
  big.headers.assign(100, {text, text});
  ServiceAnswer service{"demo", text,       "http",     std::vector<std::string>(300, text),
                        text,   "original", UINT64_MAX, UINT64_MAX};
  for (const Answer& answer : {Answer(big), Answer(service), Answer(ListAnswer{text})}) {
    std::string line = encode(answer);
    EXPECT_LE(line.size(), kMaxLine);
    EXPECT_TRUE(parse_answer(line)) << parse_answer(line).error().message;
  }
  big.headers.assign(100, {std::string(100, '"'), std::string(100, '"')});
  EXPECT_EQ(std::get<InterceptedAnswer>(*parse_answer(encode(Answer(big)))).headers.size(), kMaxHeaders);
}

TEST(InterceptMessages, LongValuesTravelInPiecesThatAreWholeCharacters) {
  environment::Variables sent{
      {"EMPTY", ""}, {"SHORT", "x"}, {"EXACT", std::string(kMaxValuePiece, 'x')}, {"LONG", ""}, {"LAST", "y"}};
  for (int i = 0; i < 10000; ++i) sent[3].second += i % 3 ? "\xf0\x9f\x98\x80" : "\x01";
  VariableCollector collector;
  std::size_t pieces = 0;
  for (const VariableAnswer& answer : variable_answers(sent)) {
    std::string line = encode(Answer(answer));
    EXPECT_LE(line.size(), kMaxLine);
    auto back = parse_answer(line);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(collector.take(std::get<VariableAnswer>(*back)));
    ++pieces;
  }
  EXPECT_TRUE(collector.complete());
  EXPECT_EQ(collector.variables, sent);
  EXPECT_GT(pieces, 7u);
}

TEST(InterceptMessages, PiecesOfAnotherVariableAreNotTaken) {
  VariableCollector collector;
  EXPECT_TRUE(collector.take({"A", "1", true}));
  EXPECT_FALSE(collector.complete());
  EXPECT_FALSE(collector.take({"B", "2", false}));
  VariableCollector endless;
  bool taken = true;
  for (int i = 0; i < 20 && taken; ++i) taken = endless.take({"A", std::string(kMaxValuePiece, 'x'), true});
  EXPECT_FALSE(taken);
}

TEST(InterceptMessages, TheListForProgramsHasEachInterceptWithItsService) {
  InterceptedAnswer lost{"demo", "gone", {}, "", {}, {}};
  lost.here = InterceptedAnswer::Here{9, "127.0.0.1:1", "waiting", false, 0, 0, "the link is down", {}, {}};
  std::string json = list_json({{"demo", "orders", "http", {"10.96.0.10:80"}, "orders-v1:80", "original", 3, 0},
                                {"other", "orders", "tcp", {}, "x:1", "refuse", 0, 0}},
                               {intercepted(), lost});
  std::size_t at = 0;
  for (std::string_view text :
       {"\"services\":", "\"profile\": \"demo\"", "\"name\": \"orders\"", "\"intercepts\": [", "\"x-user\"",
        "\"here\": {", "\"local\": \"127.0.0.1:8080\"", "\"round_trip_us\": 1200", "\"at_gateway\": {",
        "\"owner\": \"anna\"", "\"profile\": \"other\"", "\"intercepts\": []", "\"name\": \"gone\"",
        "\"last_error\": \"the link is down\"", "\"at_gateway\": null"}) {
    std::size_t found = json.find(text, at);
    ASSERT_NE(found, std::string::npos) << text << json;
    at = found;
  }
}

TEST(InterceptMessages, ChangedLinesNeverThrowAndWhatIsAcceptedIsWhole) {
  SeededRandom random(11);
  const std::string seeds[] = {
      encode(Request(InterceptRequest{"demo", "orders", {{"x-user", "anna"}}, "/api", "::1", 8080, true})),
      encode(Request(LeaveRequest{"demo", "orders", {{"x-user", "anna"}}, "/api", 7})), encode(Answer(intercepted())),
      encode(Answer(VariableAnswer{"A", "\n\x01", true}))};
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string line = seeds[random.below(std::size(seeds))];
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      std::size_t at = random.below(line.size());
      switch (random.below(3)) {
        case 0: line[at] = char(random.below(256)); break;
        case 1: line.erase(at, 1 + random.below(8)); break;
        default: line.insert(at, line.substr(random.below(line.size()), random.below(16))); break;
      }
      if (line.empty()) line = " ";
    }
    if (auto request = parse_request(line)) {
      EXPECT_TRUE(parse_request(encode(*request))) << line;
      ++accepted;
    }
    if (auto answer = parse_answer(line)) {
      EXPECT_TRUE(parse_answer(encode(*answer))) << line;
      ++accepted;
    }
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace causeway::control

#include "core/intercept/request.h"

#include <gtest/gtest.h>

namespace causeway::intercept {
namespace {

Request request() {
  Request out;
  out.service = "orders";
  out.match = *Match::create({{"X-User", "anna"}, {"x-empty", ""}}, "/api");
  out.flags = 5;
  return out;
}

TEST(Request, SurvivesTheWire) {
  for (const Request& each : {request(), Request{"cache", {}, 0}}) {
    auto bytes = encode(each);
    ASSERT_TRUE(bytes);
    auto back = parse_request(*bytes);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, each);
  }
}

TEST(Request, AnswerSurvivesTheWire) {
  Accepted accepted{true,
                    {*packet::Endpoint::parse("10.0.0.1:80"), *packet::Endpoint::parse("[2001:db8::1]:8080")},
                    std::chrono::microseconds(1234)};
  auto back = parse_accepted(encode(accepted));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, accepted);
  EXPECT_EQ(*parse_accepted({}), Accepted());
}

TEST(Request, UnknownParametersAreSkipped) {
  auto bytes = *encode(request());
  bytes.insert(bytes.end(), {0x20, 3, 1, 2, 3});
  EXPECT_EQ(*parse_request(bytes), request());
}

TEST(Request, WhatIsMalformedIsRefused) {
  auto bytes = *encode(request());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    auto part = parse_request(Bytes(bytes).first(n));
    EXPECT_TRUE(!part || part->match.conditions() < request().match.conditions() || part->flags == 0) << n;
  }
  EXPECT_EQ(parse_request({}).error().code, ErrorCode::kProtocol) << "no service";
  EXPECT_FALSE(parse_request(std::vector<std::uint8_t>{1, 1, 'a', 2, 1, 5})) << "a name longer than its condition";
  EXPECT_FALSE(parse_request(std::vector<std::uint8_t>{1, 1, 'a', 2, 3, 1, ' ', 'b'})) << "no name of a header";
  EXPECT_FALSE(parse_accepted(std::vector<std::uint8_t>{2, 5, 1, 2, 3, 4, 5})) << "an address of three bytes";
  EXPECT_FALSE(parse_accepted(std::vector<std::uint8_t>{1, 1, 2}));
  std::vector<std::uint8_t> many;
  for (std::size_t i = 0; i <= Match::kMaxConditions; ++i) many.insert(many.end(), {2, 3, 1, 'x', 'a'});
  many.insert(many.end(), {1, 1, 's'});
  EXPECT_FALSE(parse_request(many));
}

TEST(Request, WhatDoesNotFitIsSaidBeforeItIsSent) {
  std::vector<HeaderCondition> headers;
  for (int i = 0; i < 3; ++i) headers.push_back({"x" + std::to_string(i), std::string(Match::kMaxValue, 'v')});
  Request large{"orders", *Match::create(headers, {}), 0};
  EXPECT_EQ(encode(large).error().code, ErrorCode::kLimit);
  EXPECT_EQ(encode(Request{}).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace causeway::intercept

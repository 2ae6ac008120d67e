#include "core/link/hello.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/random.h"
#include "core/base/wire.h"
#include "core/link/number_window.h"

namespace causeway::link {
namespace {

TEST(Hello, SurvivesItsWireForm) {
  Hello hello;
  hello.lowest_version = 1;
  hello.highest_version = 3;
  hello.number = 1'700'000'000'000'000'000;
  hello.join.emplace().fill(7);
  hello.limits = {1, 2, 3};
  auto got = parse_hello(encode(hello));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->lowest_version, 1u);
  EXPECT_EQ(got->highest_version, 3u);
  EXPECT_EQ(got->number, hello.number);
  EXPECT_EQ(got->join, hello.join);
  EXPECT_EQ(got->limits, hello.limits);
  hello.join.reset();
  EXPECT_FALSE(parse_hello(encode(hello))->join);
}

TEST(Answer, SurvivesItsWireForm) {
  Welcome welcome;
  welcome.link_id = 99;
  welcome.icmp_echo = true;
  welcome.limits = {4, 5, 6};
  auto got = parse_answer(encode(welcome));
  ASSERT_TRUE(got && std::holds_alternative<Welcome>(*got));
  EXPECT_EQ(std::get<Welcome>(*got).link_id, 99u);
  EXPECT_TRUE(std::get<Welcome>(*got).icmp_echo);
  EXPECT_EQ(std::get<Welcome>(*got).limits, welcome.limits);
  got = parse_answer(encode(Refusal{RefusalCode::kTooMany, "2 sessions"}));
  ASSERT_TRUE(got && std::holds_alternative<Refusal>(*got));
  EXPECT_EQ(std::get<Refusal>(*got).code, RefusalCode::kTooMany);
  EXPECT_EQ(std::get<Refusal>(*got).text, "2 sessions");
}

TEST(Answer, ControlCharactersAreStrippedAndTextIsBounded) {
  auto got = parse_answer(encode(Refusal{RefusalCode::kUnknownKey, "a\x1b[31m\n\x7f" + std::string(400, 'x')}));
  ASSERT_TRUE(got);
  const std::string& text = std::get<Refusal>(*got).text;
  EXPECT_EQ(text.substr(0, 8), "a?[31m??");
  EXPECT_EQ(text.size(), 255u);
}

TEST(Hello, UnknownParametersAreSkippedAndThoseThatDoNotFitAreNot) {
  std::vector<std::uint8_t> payload = encode(Hello());
  payload.insert(payload.end(), {0x40, 0x99, 3, 1, 2, 3});
  EXPECT_TRUE(parse_hello(payload));
  payload.back() = 0;
  payload.insert(payload.end(), {0x21, 4, 1});
  EXPECT_FALSE(parse_hello(payload)) << "longer than the payload";
  EXPECT_FALSE(parse_hello(std::vector<std::uint8_t>{4, 3, 1, 2, 3})) << "a join token of 3 bytes";
  EXPECT_FALSE(parse_hello(std::vector<std::uint8_t>{3, 0})) << "a number of no bytes";
  EXPECT_FALSE(parse_hello(std::vector<std::uint8_t>{3, 1, 0x40})) << "a number that is cut";
  EXPECT_TRUE(parse_hello({}));
}

TEST(Hello, RandomPayloadsNeverCrash) {
  for (std::uint64_t seed = 1; seed <= 20000; ++seed) {
    SeededRandom random(seed);
    std::vector<std::uint8_t> bytes(random.below(80));
    random.fill(bytes);
    for (std::uint8_t& b : bytes) b = random.below(2) ? std::uint8_t(b % 16) : b;
    auto hello = parse_hello(bytes);
    auto answer = parse_answer(bytes);
    if (!hello) {
      EXPECT_EQ(hello.error().code, ErrorCode::kProtocol);
    }
  }
}

TEST(NumberWindow, TakesEachNumberOnce) {
  NumberWindow window;
  for (std::uint64_t n : {5, 3, 9, 7}) EXPECT_TRUE(window.take(n));
  for (std::uint64_t n : {5, 3, 9, 7}) EXPECT_FALSE(window.take(n));
}

TEST(NumberWindow, HoldsTheHighest1024AndNothingBelow) {
  NumberWindow window;
  for (std::uint64_t n = 1000; n < 1000 + 1024; ++n) EXPECT_TRUE(window.take(n * 10));
  EXPECT_FALSE(window.take(9999)) << "below everything in a full window";
  EXPECT_TRUE(window.take(10005)) << "in place of the lowest";
  EXPECT_FALSE(window.take(10000)) << "which is too old now";
  EXPECT_TRUE(window.take(~std::uint64_t(0)));
  EXPECT_FALSE(window.take(10005));
  for (std::uint64_t n = 1001; n < 1000 + 1024; ++n) EXPECT_FALSE(window.take(n * 10));
}

TEST(NumberWindow, AgreesWithASetOverManyNumbers) {
  SeededRandom random(1);
  NumberWindow window;
  std::vector<std::uint64_t> model;
  for (int i = 0; i < 20000; ++i) {
    std::uint64_t n = random.below(50000);
    bool known = std::find(model.begin(), model.end(), n) != model.end();
    bool old = model.size() == 1024 && n < *std::min_element(model.begin(), model.end());
    ASSERT_EQ(window.take(n), !known && !old) << i;
    if (known || old) continue;
    model.push_back(n);
    if (model.size() > 1024) model.erase(std::min_element(model.begin(), model.end()));
  }
}

}  // namespace
}  // namespace causeway::link

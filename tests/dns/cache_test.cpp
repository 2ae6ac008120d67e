#include "dns/cache.h"

#include <gtest/gtest.h>

#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace std::chrono_literals;
using namespace test;

std::string key(std::string_view text, std::uint16_t type = kTypeA) {
  return std::string(QuestionKey(query(text, type)).answer());
}

class CacheTest : public testing::Test {
 protected:
  void keep(std::string_view name, std::vector<Rr> answers, int rcode = 0, std::vector<Rr> additional = {}) {
    Parts parts;
    parts.flags = std::uint16_t(kAnswer | rcode);
    parts.questions = {question(name)};
    if (answers.empty()) parts.authority = {soa("local", 60, 60)};
    parts.answers = std::move(answers);
    parts.additional = std::move(additional);
    Message message = encode(parts);
    std::optional<AnswerView> view = parse_answer(message);
    ASSERT_TRUE(view);
    cache.keep(key(name), message, *view, now);
  }
  std::optional<Cache::Found> find(std::string_view name) { return cache.find(key(name), now); }

  Cache cache{{.entries = 4, .bytes = 16384, .most = 60s, .most_negative = 5s}};
  Instant now{1h};
};

TEST(QuestionKeyTest, SeparatesWhatIsAnsweredApart) {
  Query plain = query("Orders.Shop");
  EXPECT_EQ(QuestionKey(plain).question(), QuestionKey(query("orders.shop", kTypeA, 77)).question());
  Query edns = plain;
  edns.edns = Edns{4096, false};
  EXPECT_NE(QuestionKey(plain).question(), QuestionKey(edns).question());
  EXPECT_EQ(QuestionKey(plain).answer(), QuestionKey(edns).answer());
  std::vector<Query> others(6, edns);
  others[0].question.name = name("orders.shop.x");
  others[1].question.type = kTypeAaaa;
  others[2].question.klass = 3;
  others[3].edns->wants_dnssec = true;
  others[4].checking_disabled = true;
  others[5].authentic_data = true;
  for (const Query& other : others) EXPECT_NE(QuestionKey(other).answer(), QuestionKey(edns).answer());
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  EXPECT_EQ(QuestionKey(query(longest)).question().size(), Name::kMaxWire + 6);
}

TEST_F(CacheTest, KeepsAnAnswerAsLongAsItSays) {
  keep("orders.shop", {a("orders.shop", 7, 30)});
  now += 9500ms;
  std::optional<Cache::Found> found = find("ORDERS.shop");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->age, 9500ms);
  EXPECT_EQ(found->seconds_old, 10u);
  EXPECT_EQ(found->seconds_left, 20u);
  EXPECT_EQ(found->view->answers, 1u);
  EXPECT_EQ(found->message.size(), found->view->size);
  now += 20500ms - 1ns;
  EXPECT_TRUE(find("orders.shop"));
  now += 1ns;
  EXPECT_FALSE(find("orders.shop"));
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST_F(CacheTest, NeverKeepsLongerThanItsBounds) {
  keep("long.shop", {a("long.shop", 1, 86400)});
  keep("none.shop", {}, 3);
  now += 5s - 1ns;
  EXPECT_TRUE(find("none.shop"));
  now += 1ns;
  EXPECT_FALSE(find("none.shop"));
  now += 55s - 1ns;
  EXPECT_TRUE(find("long.shop"));
  now += 1ns;
  EXPECT_FALSE(find("long.shop"));
}

TEST_F(CacheTest, ANewAnswerTakesThePlaceOfTheOld) {
  keep("orders.shop", {a("orders.shop", 1)});
  keep("orders.shop", {a("orders.shop", 2), a("orders.shop", 3)});
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(find("orders.shop")->view->answers, 2u);
  keep("orders.shop", {}, 3);
  EXPECT_EQ(find("orders.shop")->view->head.rcode, Rcode::kNxDomain);
  keep("orders.shop", {a("orders.shop", 1, 0)});
  EXPECT_FALSE(find("orders.shop")) << "what must not be kept outdates what was there";
}

TEST_F(CacheTest, AFailureOutdatesNothing) {
  keep("orders.shop", {a("orders.shop")});
  for (int rcode : {2, 5}) keep("orders.shop", {}, rcode);
  EXPECT_EQ(find("orders.shop")->view->answers, 1u);
}

TEST_F(CacheTest, TheOptRecordIsNotKept) {
  keep("orders.shop", {a("orders.shop")}, 0, {a("ns.shop"), opt(4096)});
  std::optional<Cache::Found> found = find("orders.shop");
  ASSERT_TRUE(found);
  std::optional<AnswerView> view = parse_answer(found->message);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->opt, 0u);
  EXPECT_EQ(view->size, found->view->size);
  EXPECT_EQ(load16(found->message.data() + 10), 1u);
  keep("orders.shop", {a("orders.shop")}, 0, {opt(4096), a("ns.shop")});
  EXPECT_FALSE(find("orders.shop")) << "it cannot be taken out of the middle";
}

TEST_F(CacheTest, AnAbsenceIsKeptWithoutItsMessage) {
  Parts parts;
  parts.flags = kAnswer | 3;
  parts.questions = {question("orders.shop")};
  Message message = encode(parts);
  cache.keep_absence(key("orders.shop"), message, *parse_answer(message), now);
  EXPECT_FALSE(find("orders.shop")) << "nobody says for how long";
  parts.authority = {soa("shop", 60, 2)};
  message = encode(parts);
  cache.keep_absence(key("orders.shop"), message, *parse_answer(message), now);
  ASSERT_TRUE(find("orders.shop"));
  EXPECT_TRUE(find("orders.shop")->message.empty());
  now += 2s;
  EXPECT_FALSE(find("orders.shop"));
}

TEST_F(CacheTest, TheLongestUnusedGoesFirst) {
  for (const char* name : {"a", "b", "c", "d"}) keep(name, {a(name)});
  EXPECT_TRUE(find("a"));
  keep("e", {a("e")});
  EXPECT_EQ(cache.size(), 4u);
  EXPECT_FALSE(find("b"));
  EXPECT_TRUE(find("a"));
}

TEST_F(CacheTest, BytesAreBoundedWhateverTheAnswers) {
  Cache large({.entries = 100000, .bytes = 16384});
  for (int i = 0; i < 10000; ++i) {
    std::string owner = "pod-" + std::to_string(i) + ".shop";
    Parts parts;
    parts.flags = kAnswer;
    parts.questions = {question(owner)};
    parts.answers.assign(std::size_t(1 + i % 20), a(owner));
    Message message = encode(parts);
    large.keep(key(owner), message, *parse_answer(message), now);
    ASSERT_LE(large.bytes(), 16384u);
  }
  EXPECT_GT(large.size(), 5u);
  std::vector<Rr> many(200, a("orders.shop"));
  keep("orders.shop", {a("orders.shop")});
  keep("orders.shop", many);
  EXPECT_FALSE(find("orders.shop")) << "one name shall not push out all others";
}

TEST_F(CacheTest, ClearForgetsAll) {
  keep("a", {a("a")});
  cache.clear();
  EXPECT_FALSE(find("a"));
  EXPECT_EQ(cache.size() + cache.bytes(), 0u);
}

}  // namespace
}  // namespace causeway::dns

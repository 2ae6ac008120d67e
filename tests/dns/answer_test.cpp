#include "dns/answer.h"

#include <gtest/gtest.h>

#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace test;

Parts answering(std::string_view text, std::uint16_t type = kTypeA) {
  Parts parts;
  parts.id = 99;
  parts.flags = kAnswer;
  parts.questions = {question(text, type)};
  return parts;
}

FittedAnswer fit(const Message& message, const Query& asked, std::size_t limit) {
  std::optional<AnswerView> view = parse_answer(message);
  CAUSEWAY_ASSERT(view);
  return fit_answer(message, *view, asked, limit, 1232);
}

TEST(AnswerHead, OnlyAnAnswerToAStandardQueryIsOne) {
  Parts parts = answering("orders.shop");
  EXPECT_TRUE(parse_answer_head(encode(parts)));
  parts.flags = kFlagRecursionDesired;
  EXPECT_FALSE(parse_answer_head(encode(parts))) << "a question";
  parts.flags = kAnswer | 5 << 11;
  EXPECT_FALSE(parse_answer_head(encode(parts))) << "an update";
  parts.flags = kAnswer;
  parts.questions.push_back(question("x"));
  EXPECT_FALSE(parse_answer_head(encode(parts))) << "two questions";
  Message whole = encode(answering("orders.shop"));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_answer_head(Bytes(whole).first(size))) << size;
}

TEST(Answers, IdNameTypeAndClassMustMatch) {
  AnswerHead head = *parse_answer_head(encode(answering("Orders.Shop")));
  EXPECT_TRUE(answers(head, 99, question("orders.shop")));
  EXPECT_FALSE(answers(head, 98, question("orders.shop")));
  EXPECT_FALSE(answers(head, 99, question("orders.shot")));
  EXPECT_FALSE(answers(head, 99, question("orders.shop", kTypeAaaa)));
  EXPECT_FALSE(answers(head, 99, {name("orders.shop"), kTypeA, 3}));
}

TEST(Answers, AnErrorMayLackItsQuestionButNothingElseMay) {
  Parts parts = answering("orders.shop");
  parts.questions.clear();
  for (int rcode = 0; rcode < 16; ++rcode) {
    parts.flags = std::uint16_t(kAnswer | rcode);
    AnswerHead head = *parse_answer_head(encode(parts));
    EXPECT_EQ(answers(head, 99, question("orders.shop")), rcode != 0 && rcode != 3) << rcode;
    EXPECT_FALSE(answers(head, 98, question("orders.shop")));
    EXPECT_FALSE(parse_answer(encode(parts)));
  }
}

TEST(ParseAnswer, CountsAndTakesTheLeastTtl) {
  Parts parts = answering("orders.shop");
  parts.answers = {a("orders.shop", 1, 300), a("orders.shop", 2, 20), a("orders.shop", 3, 60)};
  AnswerView view = *parse_answer(encode(parts));
  EXPECT_EQ(view.answers, 3u);
  EXPECT_EQ(view.ttl, 20u);
  EXPECT_FALSE(view.negative_ttl);
  EXPECT_EQ(view.size, encode(parts).size());
}

TEST(ParseAnswer, ATtlWithTheTopBitSetCountsAsZero) {
  Parts parts = answering("orders.shop");
  parts.answers = {a("orders.shop", 1, 0x80000000u)};
  EXPECT_EQ(parse_answer(encode(parts))->ttl, 0u);
}

TEST(ParseAnswer, TheNegativeTtlIsTheLesserOfTheSoasTwo) {
  Parts parts = answering("nosuch.shop");
  parts.flags = kAnswer | 3;
  parts.authority = {soa("shop", 60, 5)};
  EXPECT_EQ(parse_answer(encode(parts))->negative_ttl, 5u);
  parts.authority = {soa("shop", 3, 5)};
  EXPECT_EQ(parse_answer(encode(parts))->negative_ttl, 3u);
  parts.authority = {{wire("shop"), kTypeSoa, 60, bytes({0, 0, 1, 2})}};
  EXPECT_FALSE(parse_answer(encode(parts))->negative_ttl) << "an SOA too short to have one";
}

TEST(ParseAnswer, TheOptRecordHasTheUpperBitsOfTheRcode) {
  Parts parts = answering("orders.shop");
  parts.additional = {opt(1232, 1)};
  EXPECT_EQ(parse_answer(encode(parts))->head.rcode, Rcode::kBadVersion);
  parts.additional = {opt(1232), opt(1232)};
  EXPECT_FALSE(parse_answer(encode(parts)));
}

TEST(ParseAnswer, MalformedAnywhereIsMalformed) {
  Parts parts = answering("orders.shop");
  parts.answers = {a("orders.shop")};
  parts.authority = {soa("shop", 60, 5)};
  parts.additional = {opt(1232)};
  Message whole = encode(parts);
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse_answer(Bytes(whole).first(size))) << size;
}

TEST(FitAnswer, GivesTheAskersIdFlagsAndCase) {
  Parts parts = answering("orders.shop");
  parts.answers = {{bytes({0xc0, 12}), kTypeA, 60, bytes({10, 0, 0, 1})}};
  Query asked = query("oRdErS.sHoP", kTypeA, 0xabcd);
  asked.recursion_desired = false;
  asked.checking_disabled = true;
  Message out = fit(encode(parts), asked, 512).message;
  EXPECT_EQ(load16(out.data()), 0xabcd);
  EXPECT_FALSE(flags_of(out) & kFlagRecursionDesired);
  EXPECT_TRUE(flags_of(out) & kFlagCheckingDisabled);
  AnswerView view = *parse_answer(out);
  EXPECT_EQ(view.head.question->name.text(), "oRdErS.sHoP");
  EXPECT_EQ(view.answers, 1u);
}

TEST(FitAnswer, TooLongBecomesQuestionOptAndTc) {
  Parts parts = answering("orders.shop");
  for (int i = 0; i < 40; ++i) parts.answers.push_back(a("orders.shop", i));
  parts.additional = {opt(1232)};
  Message message = encode(parts);
  Query asked = query("orders.shop");
  FittedAnswer plain = fit(message, asked, 512);
  EXPECT_TRUE(plain.truncated);
  EXPECT_TRUE(flags_of(plain.message) & kFlagTruncated);
  EXPECT_EQ(plain.message.size(), kHeaderSize + 13 + 4);
  EXPECT_EQ(parse_answer(plain.message)->answers, 0u);
  asked.edns = Edns{512, false};
  FittedAnswer with_edns = fit(message, asked, 512);
  EXPECT_TRUE(with_edns.truncated);
  EXPECT_NE(parse_answer(with_edns.message)->opt, 0u);
  FittedAnswer whole = fit(message, asked, message.size());
  EXPECT_FALSE(whole.truncated);
  EXPECT_EQ(whole.message.size(), message.size());
  EXPECT_TRUE(fit(message, asked, message.size() - 1).truncated);
}

TEST(FitAnswer, TheRcodeStaysWhenItIsTruncated) {
  Parts parts = answering("nosuch.shop");
  parts.flags = kAnswer | 3 | kFlagAuthoritative;
  for (int i = 0; i < 40; ++i) parts.authority.push_back(soa("shop", 60, 5));
  Message out = fit(encode(parts), query("nosuch.shop"), 512).message;
  EXPECT_EQ(rcode_of(out), 3);
  EXPECT_TRUE(flags_of(out) & kFlagAuthoritative);
}

TEST(FitAnswer, WhoAskedWithoutEdnsGetsNoOptAndWhoAskedWithItGetsOne) {
  Parts with_opt = answering("orders.shop");
  with_opt.answers = {a("orders.shop")};
  with_opt.additional = {opt(4096)};
  Query plain = query("orders.shop");
  Query edns = plain;
  edns.edns = Edns{1232, false};
  EXPECT_EQ(parse_answer(fit(encode(with_opt), plain, 512).message)->opt, 0u);
  Message kept = fit(encode(with_opt), edns, 1232).message;
  AnswerView view = *parse_answer(kept);
  ASSERT_NE(view.opt, 0u);
  EXPECT_EQ(load16(kept.data() + view.opt + 3), 1232) << "what we take, not what the server takes";
  Parts without = answering("orders.shop");
  without.answers = {a("orders.shop")};
  EXPECT_NE(parse_answer(fit(encode(without), edns, 1232).message)->opt, 0u);
  EXPECT_EQ(parse_answer(fit(encode(without), plain, 1232).message)->opt, 0u);
}

TEST(FitAnswer, RecordsBehindAnOptThatNobodyWantsStay) {
  Parts parts = answering("orders.shop");
  parts.additional = {opt(4096), a("ns.shop")};
  Message out = fit(encode(parts), query("orders.shop"), 512).message;
  ASSERT_TRUE(parse_answer(out));
  EXPECT_EQ(load16(out.data() + 10), 2) << "taking it out would move what may be pointed at";
}

TEST(FitAnswer, WhatFollowsTheLastRecordIsCutOff) {
  Parts parts = answering("orders.shop");
  parts.answers = {a("orders.shop")};
  Message message = encode(parts);
  std::size_t size = message.size();
  message.insert(message.end(), 100, 0xee);
  EXPECT_EQ(fit(message, query("orders.shop"), 512).message.size(), size);
}

}  // namespace
}  // namespace causeway::dns

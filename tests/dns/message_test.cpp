#include "dns/message.h"

#include <gtest/gtest.h>

#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace test;
using Verdict = ParsedQuery::Verdict;

Parts asking(std::string_view text) {
  Parts parts;
  parts.id = 0x1234;
  parts.flags = kFlagRecursionDesired;
  parts.questions = {question(text)};
  return parts;
}

TEST(ParseQuery, AnOrdinaryQuestion) {
  Parts parts = asking("Orders.shop");
  parts.flags |= kFlagCheckingDisabled | kFlagAuthentic;
  ParsedQuery parsed = parse_query(encode(parts));
  ASSERT_EQ(parsed.verdict, Verdict::kGood);
  EXPECT_EQ(parsed.query.id, 0x1234);
  EXPECT_TRUE(parsed.query.recursion_desired);
  EXPECT_TRUE(parsed.query.checking_disabled);
  EXPECT_TRUE(parsed.query.authentic_data);
  EXPECT_EQ(parsed.query.question.name.text(), "Orders.shop");
  EXPECT_FALSE(parsed.query.edns);
}

TEST(ParseQuery, ReadsEdns) {
  Parts parts = asking("orders.shop");
  parts.additional = {opt(4096)};
  parts.additional[0].ttl = 0x8000;
  ParsedQuery parsed = parse_query(encode(parts));
  ASSERT_EQ(parsed.verdict, Verdict::kGood);
  ASSERT_TRUE(parsed.query.edns);
  EXPECT_EQ(parsed.query.edns->udp_size, 4096);
  EXPECT_TRUE(parsed.query.edns->wants_dnssec);
}

TEST(ParseQuery, AnEdnsVersionThatWeDoNotSpeakIsSaidToBe) {
  Parts parts = asking("orders.shop");
  parts.additional = {opt(1232, 0, 1)};
  ParsedQuery parsed = parse_query(encode(parts));
  ASSERT_EQ(parsed.verdict, Verdict::kBadVersion);
  Message answer = empty_answer(parsed.query, Rcode::kBadVersion, 1232);
  EXPECT_EQ(rcode_of(answer), 0);
  EXPECT_EQ(answer[answer.size() - 6], 1) << "the upper bits of BADVERS are in the OPT record";
}

TEST(ParseQuery, NoHeaderOrAnAnswerGetsNoAnswer) {
  Message whole = encode(asking("orders.shop"));
  for (std::size_t size = 0; size < kHeaderSize; ++size) {
    EXPECT_EQ(parse_query(Bytes(whole).first(size)).verdict, Verdict::kDrop) << size;
  }
  Parts parts = asking("orders.shop");
  parts.flags |= kFlagResponse;
  EXPECT_EQ(parse_query(encode(parts)).verdict, Verdict::kDrop);
}

TEST(ParseQuery, EveryCutQuestionIsMalformed) {
  Parts parts = asking("orders.shop");
  parts.additional = {opt(1232)};
  Message whole = encode(parts);
  for (std::size_t size = kHeaderSize; size < whole.size(); ++size) {
    EXPECT_EQ(parse_query(Bytes(whole).first(size)).verdict, Verdict::kFormErr) << size;
  }
}

TEST(ParseQuery, OtherOpcodesAreNotImplemented) {
  for (int opcode = 1; opcode < 16; ++opcode) {
    Parts parts = asking("orders.shop");
    parts.flags = std::uint16_t(opcode << 11);
    Message message = encode(parts);
    EXPECT_EQ(parse_query(message).verdict, Verdict::kNotImp) << opcode;
    Message answer = header_answer(message, Rcode::kNotImp);
    EXPECT_EQ(answer.size(), kHeaderSize);
    EXPECT_EQ(flags_of(answer) & kOpcodeMask, opcode << 11) << "the opcode comes back";
    EXPECT_TRUE(flags_of(answer) & kFlagResponse);
  }
}

TEST(ParseQuery, ExactlyOneQuestion) {
  Parts parts = asking("orders.shop");
  parts.questions.clear();
  EXPECT_EQ(parse_query(encode(parts)).verdict, Verdict::kFormErr);
  parts.questions = {question("a.b"), question("c.d")};
  EXPECT_EQ(parse_query(encode(parts)).verdict, Verdict::kFormErr);
}

TEST(ParseQuery, ACompressedQuestionIsMalformed) {
  Message message = encode(asking("orders.shop"));
  Message pointing(message.begin(), message.begin() + kHeaderSize);
  pointing = pointing + bytes({0xc0, 0, 0, 1, 0, 1});
  EXPECT_EQ(parse_query(pointing).verdict, Verdict::kFormErr);
}

TEST(ParseQuery, TwoOptRecordsOneElsewhereOrOneWithANameAreMalformed) {
  Parts twice = asking("orders.shop");
  twice.additional = {opt(1232), opt(1232)};
  EXPECT_EQ(parse_query(encode(twice)).verdict, Verdict::kFormErr);
  Parts elsewhere = asking("orders.shop");
  elsewhere.answers = {opt(1232)};
  EXPECT_EQ(parse_query(encode(elsewhere)).verdict, Verdict::kFormErr);
  Parts named = asking("orders.shop");
  named.additional = {opt(1232)};
  named.additional[0].owner = wire("a");
  EXPECT_EQ(parse_query(encode(named)).verdict, Verdict::kFormErr);
}

TEST(ParseQuery, ALyingCountOfRecordsIsMalformedAndCheap) {
  Message message = encode(asking("orders.shop"));
  for (int word = 6; word < 12; ++word) message[std::size_t(word)] = 0xff;
  EXPECT_EQ(parse_query(message).verdict, Verdict::kFormErr);
}

TEST(EncodeQuery, SaysTheSameToTheNextHopButForIdAndOptions) {
  Parts parts = asking("Orders.shop");
  parts.flags |= kFlagCheckingDisabled;
  parts.additional = {opt(4096, 0, 0, bytes({0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8}))};  // with a cookie
  Query asked = parse_query(encode(parts)).query;
  asked.id = 7;
  ParsedQuery parsed = parse_query(encode_query(asked, 1232));
  ASSERT_EQ(parsed.verdict, Verdict::kGood);
  EXPECT_EQ(parsed.query.id, 7);
  EXPECT_EQ(parsed.query.question.name.text(), "Orders.shop");
  EXPECT_TRUE(parsed.query.checking_disabled);
  ASSERT_TRUE(parsed.query.edns);
  EXPECT_EQ(parsed.query.edns->udp_size, 1232);
  asked.edns.reset();
  EXPECT_FALSE(parse_query(encode_query(asked, 1232)).query.edns) << "who has no EDNS gets no EDNS answer";
}

TEST(EmptyAnswer, ExplainsItselfToThoseWhoAskedWithEdns) {
  Query asked = query("orders.shop");
  Message plain = empty_answer(asked, Rcode::kServFail, 1232, Explanation{Explanation::kNetworkError, "why"});
  EXPECT_EQ(plain.size(), kHeaderSize + 13 + 4);
  EXPECT_EQ(rcode_of(plain), 2);
  asked.edns = Edns{1232, true};
  Message explained = empty_answer(asked, Rcode::kServFail, 1232, Explanation{Explanation::kNetworkError, "why"});
  Message tail(explained.end() - 11, explained.end());
  EXPECT_EQ(tail, bytes({0, 9, 0, 15, 0, 5, 0, 23, 'w', 'h', 'y'}));
  EXPECT_EQ(explained[11], 1);
}

TEST(RcodeText, NamesWhatHasANameAndNumbersTheRest) {
  EXPECT_EQ(rcode_text(Rcode::kNxDomain), "NXDOMAIN");
  EXPECT_EQ(rcode_text(Rcode(23)), "RCODE23");
}

}  // namespace
}  // namespace causeway::dns

#include "dns/rewrite.h"

#include <gtest/gtest.h>

#include "dns/record.h"
#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace test;

constexpr const char* kFull = "orders.shop.svc.cluster.local";

Parts answering(std::uint16_t type = kTypeA) {
  Parts parts;
  parts.flags = kAnswer;
  parts.questions = {question(kFull, type)};
  return parts;
}

struct Seen {
  std::string owner;
  std::uint16_t type;
  Message data;
};

std::vector<Seen> records_of(const Message& message) {
  std::vector<Seen> out;
  AnswerView view = *parse_answer(message);
  RecordReader reader(message, view.head.end);
  Record record;
  while (reader.next(record)) {
    std::size_t at = record.start;
    Name owner = *Name::read(message, at, Name::Compression::kAllowed);
    out.push_back({owner.text(),
                   record.type,
                   {message.begin() + std::ptrdiff_t(record.rdata), message.begin() + std::ptrdiff_t(record.end)}});
  }
  return out;
}

std::optional<Message> rewrite(const Message& message, std::string_view asked, std::uint16_t type = kTypeA) {
  std::optional<AnswerView> view = parse_answer(message);
  CAUSEWAY_ASSERT(view);
  return rewrite_answer(message, *view, question(asked, type));
}

TEST(Rewrite, TheRecordsOfTheFullNameBecomeRecordsOfTheShortOne) {
  Parts parts = answering();
  parts.answers = {{bytes({0xc0, 12}), kTypeA, 5, bytes({10, 0, 0, 1})}, a("ORDERS.shop.svc.cluster.local", 2)};
  Message out = *rewrite(encode(parts), "Orders.shop");
  EXPECT_EQ(parse_answer(out)->head.question->name.text(), "Orders.shop");
  std::vector<Seen> records = records_of(out);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].owner, "Orders.shop");
  EXPECT_EQ(records[0].data, bytes({10, 0, 0, 1}));
  EXPECT_EQ(records[1].owner, "Orders.shop");
}

TEST(Rewrite, AChainOfAliasesStaysWholeAndOnlyItsHeadIsRenamed) {
  Parts parts = answering();
  parts.answers = {cname(kFull, "db.example.com"), cname("db.example.com", "eu.db.example.com"),
                   a("eu.db.example.com")};
  Message out = *rewrite(encode(parts), "orders.shop");
  std::vector<Seen> records = records_of(out);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].owner, "orders.shop");
  EXPECT_EQ(records[1].owner, "db.example.com");
  EXPECT_EQ(records[2].owner, "eu.db.example.com");
  EXPECT_LT(out.size(), encode(parts).size()) << "a name that stands earlier is pointed to";
}

TEST(Rewrite, AnAliasThatPointsBackAtTheFullNameStillDoes) {
  Parts parts = answering();
  parts.answers = {cname("x.example", kFull)};
  Message out = *rewrite(encode(parts), "orders.shop");
  Record record;
  RecordReader reader(out, parse_answer(out)->head.end);
  ASSERT_TRUE(reader.next(record));
  std::size_t at = record.rdata;
  EXPECT_EQ(Name::read(out, at, Name::Compression::kAllowed)->text(), kFull);
}

TEST(Rewrite, SrvTargetsComeOutWholeAndCompressedOnesAreUnfolded) {
  Parts parts = answering(kTypeSrv);
  // The target points into the question, which moves.
  parts.answers = {{bytes({0xc0, 12}), kTypeSrv, 5, bytes({0, 1, 0, 2, 0, 80, 3, 'p', 'o', 'd', 0xc0, 19})}};
  parts.additional = {a("pod.shop.svc.cluster.local")};
  Message out = *rewrite(encode(parts), "orders.shop", kTypeSrv);
  std::vector<Seen> records = records_of(out);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].data, bytes({0, 1, 0, 2, 0, 80}) + wire("pod.shop.svc.cluster.local"));
  EXPECT_EQ(records[1].owner, "pod.shop.svc.cluster.local");
}

TEST(Rewrite, MxSoaAndPtrKeepTheirFixedBytes) {
  Parts parts = answering();
  parts.answers = {{bytes({0xc0, 12}), kTypeMx, 5, bytes({0, 10}) + wire("mail.example")},
                   {wire("x.example"), kTypePtr, 5, wire("y.example")}};
  parts.authority = {soa("cluster.local", 60, 5)};
  Message message = encode(parts);
  Message out = *rewrite(message, "orders.shop");
  std::vector<Seen> records = records_of(out);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(Message(records[0].data.begin(), records[0].data.begin() + 2), bytes({0, 10}));
  EXPECT_EQ(Message(records[2].data.end() - 20, records[2].data.end()),
            bytes({0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5}));
  EXPECT_EQ(parse_answer(out)->negative_ttl, 5u);
}

TEST(Rewrite, UnknownTypesStayByteForByteEvenWhereTheyLookLikeNames) {
  Message odd = bytes({0xc0, 12, 3, 'a', 'b', 'c', 0xc0, 0xff, 0});
  Parts parts = answering();
  parts.answers = {{bytes({0xc0, 12}), 65280, 5, odd}, {wire("z"), kTypeTxt, 5, odd}, {wire("z"), 46, 5, odd}};
  std::vector<Seen> records = records_of(*rewrite(encode(parts), "orders.shop"));
  ASSERT_EQ(records.size(), 3u);
  for (const Seen& record : records) EXPECT_EQ(record.data, odd);
}

TEST(Rewrite, TheOptRecordAndFlagsStayButAdIsCleared) {
  Parts parts = answering();
  parts.flags |= kFlagAuthentic | kFlagAuthoritative;
  parts.additional = {opt(1232, 0, 0, bytes({0, 15, 0, 2, 0, 3}))};
  Message out = *rewrite(encode(parts), "orders.shop");
  EXPECT_FALSE(flags_of(out) & kFlagAuthentic);
  EXPECT_TRUE(flags_of(out) & kFlagAuthoritative);
  AnswerView view = *parse_answer(out);
  ASSERT_NE(view.opt, 0u);
  EXPECT_EQ(view.opt_end - view.opt, 17u);
}

TEST(Rewrite, ARecordThatCannotBeReadEndsIt) {
  for (const Rr& bad : std::vector<Rr>{
           {bytes({0xc0, 12}), kTypeCname, 5, bytes({5, 'a'})},                       // a name beyond its record
           {bytes({0xc0, 12}), kTypeCname, 5, wire("a.b") + bytes({0})},              // bytes behind the name
           {bytes({0xc0, 12}), kTypeMx, 5, bytes({0})},                               // shorter than its fixed part
           {bytes({0xc0, 12}), kTypeSrv, 5, bytes({0, 0, 0, 0, 0, 80, 0xc0, 0xff})},  // a pointer forwards
           {bytes({0xc0, 12}), kTypeSoa, 5, wire("a") + wire("b") + bytes({1})},      // without its numbers
       }) {
    Parts parts = answering();
    parts.answers = {bad};
    parts.additional = {a("x.y")};
    EXPECT_FALSE(rewrite(encode(parts), "orders.shop")) << bad.type;
  }
}

TEST(Rewrite, ANameInARecordCannotRunIntoTheNextRecord) {
  Parts parts = answering();
  parts.answers = {{bytes({0xc0, 12}), kTypeCname, 5, bytes({1, 'a'})}, {bytes({0}), kTypeA, 5, bytes({10, 0, 0, 1})}};
  EXPECT_FALSE(rewrite(encode(parts), "orders.shop"));
}

TEST(Rewrite, AnAnswerThatWouldGrowBeyondAMessageIsNone) {
  Parts parts = answering(kTypeSrv);
  // Targets of two bytes each unfold to 200.
  std::string label(60, 'x');
  parts.answers.push_back({wire("z"), kTypeNs, 5, wire(label + "." + label + "." + label)});
  int target = int(kHeaderSize + name(kFull).wire().size() + 4 + 3 + 10);
  for (int i = 0; i < 2000; ++i) {
    parts.answers.push_back(
        {bytes({0xc0, 12}), kTypeSrv, 5, bytes({0, 0, 0, 0, 0, 80, 0xc0 | target >> 8, target & 255})});
  }
  Message message = encode(parts);
  ASSERT_LT(message.size(), kMaxMessage);
  EXPECT_FALSE(rewrite(message, "orders.shop", kTypeSrv));
}

TEST(Rewrite, PointersReachOnlyTheirFirst16KiB) {
  Parts parts = answering();
  for (int i = 0; i < 1200; ++i) parts.answers.push_back(a("pod-" + std::to_string(i) + ".shop.svc.cluster.local"));
  parts.answers.push_back(a("pod-1199.shop.svc.cluster.local"));
  Message out = *rewrite(encode(parts), "orders.shop");
  std::vector<Seen> records = records_of(out);
  ASSERT_EQ(records.size(), 1201u);
  EXPECT_EQ(records[5].owner, "pod-5.shop.svc.cluster.local");
  EXPECT_EQ(records[1200].owner, "pod-1199.shop.svc.cluster.local");
}

}  // namespace
}  // namespace causeway::dns

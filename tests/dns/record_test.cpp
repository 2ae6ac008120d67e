#include "dns/record.h"

#include <gtest/gtest.h>

#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace test;

Message three_records() {
  Parts parts;
  parts.flags = kAnswer;
  parts.questions = {question("a.b")};
  parts.answers = {a("a.b", 7, 30)};
  parts.authority = {soa("b", 60, 5)};
  parts.additional = {{bytes({0xc0, 12}), 999, 1, bytes({1, 2, 3})}};
  return encode(parts);
}
constexpr std::size_t kBehindQuestion = kHeaderSize + 5 + 4;

TEST(RecordReader, WalksTheSectionsInOrder) {
  Message message = three_records();
  RecordReader reader(message, kBehindQuestion);
  Record record;
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.section, Record::Section::kAnswer);
  EXPECT_EQ(record.ttl, 30u);
  EXPECT_EQ(record.end - record.rdata, 4u);
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.section, Record::Section::kAuthority);
  EXPECT_EQ(record.type, kTypeSoa);
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.section, Record::Section::kAdditional);
  EXPECT_EQ(record.type, 999);
  EXPECT_EQ(record.rdata - record.start, 12u);
  EXPECT_EQ(record.end, message.size());
  EXPECT_FALSE(reader.next(record));
  EXPECT_FALSE(reader.malformed());
  EXPECT_EQ(reader.position(), message.size());
}

TEST(RecordReader, StopsForGoodWhereTheMessageIsCut) {
  Message whole = three_records();
  for (std::size_t size = kBehindQuestion; size < whole.size(); ++size) {
    Message cut(whole.begin(), whole.begin() + std::ptrdiff_t(size));
    RecordReader reader(cut, kBehindQuestion);
    Record record;
    std::size_t count = 0;
    while (reader.next(record)) {
      EXPECT_LE(record.end, cut.size());
      ++count;
    }
    EXPECT_LT(count, 3u);
    EXPECT_TRUE(reader.malformed()) << size;
    EXPECT_FALSE(reader.next(record));
  }
}

TEST(RecordReader, ALyingCountEndsWithTheMessage) {
  Message message = three_records();
  for (std::size_t i = 6; i < 12; ++i) message[i] = 0xff;
  RecordReader reader(message, kBehindQuestion);
  Record record;
  int count = 0;
  while (reader.next(record)) ++count;
  EXPECT_EQ(count, 3);
  EXPECT_TRUE(reader.malformed());
}

}  // namespace
}  // namespace causeway::dns

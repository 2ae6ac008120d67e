#include "dns/ttl.h"

#include <gtest/gtest.h>

#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace test;

Parts about(std::string_view name, std::uint16_t type = kTypeA, int rcode = 0) {
  Parts parts;
  parts.flags = std::uint16_t(kAnswer | rcode);
  parts.questions = {question(name, type)};
  return parts;
}

std::optional<Lifetime> lifetime_of(const Parts& parts) {
  Message message = encode(parts);
  std::optional<AnswerView> view = parse_answer(message);
  EXPECT_TRUE(view);
  return view ? lifetime(message, *view) : std::nullopt;
}

TEST(Lifetime, IsTheLeastOfTheAnswerSection) {
  Parts parts = about("orders.shop");
  parts.answers = {a("orders.shop", 1, 30), a("orders.shop", 2, 7)};
  parts.authority = {soa("shop", 1, 1)};
  std::optional<Lifetime> life = lifetime_of(parts);
  ASSERT_TRUE(life);
  EXPECT_EQ(life->seconds, 7u);
  EXPECT_FALSE(life->negative);
}

TEST(Lifetime, OfANegativeAnswerIsByItsSoa) {
  for (int rcode : {0, 3}) {
    Parts parts = about("orders.shop", kTypeAaaa, rcode);
    EXPECT_FALSE(lifetime_of(parts)) << "without an SOA nobody says how long";
    parts.authority = {soa("shop", 30, 5)};
    std::optional<Lifetime> life = lifetime_of(parts);
    ASSERT_TRUE(life);
    EXPECT_EQ(life->seconds, 5u);
    EXPECT_TRUE(life->negative);
  }
}

TEST(Lifetime, OfAnAliasOfNothingIsThatOfItsShorterPart) {
  Parts parts = about("alias.shop", kTypeAaaa);
  parts.answers = {cname("alias.shop", "orders.shop")};
  EXPECT_FALSE(lifetime_of(parts)) << "an alias without its end";
  parts.authority = {soa("shop", 90, 90)};
  EXPECT_EQ(lifetime_of(parts)->seconds, 60u);
  EXPECT_TRUE(lifetime_of(parts)->negative);
  parts.questions = {question("alias.shop", kTypeCname)};
  EXPECT_FALSE(lifetime_of(parts)->negative) << "the alias is what was asked for";
}

TEST(Lifetime, NothingElseIsKept) {
  auto answer = [] {
    Parts parts = about("orders.shop");
    parts.answers = {a("orders.shop")};
    parts.authority = {soa("shop", 30, 5)};
    return parts;
  };
  ASSERT_TRUE(lifetime_of(answer()));
  for (int rcode : {1, 2, 4, 5, 9}) {
    Parts parts = answer();
    parts.flags = std::uint16_t(kAnswer | rcode);
    EXPECT_FALSE(lifetime_of(parts)) << rcode;
  }
  Parts truncated = answer();
  truncated.flags |= kFlagTruncated;
  EXPECT_FALSE(lifetime_of(truncated));
  Parts zero = answer();
  zero.answers = {a("orders.shop", 1, 0)};
  EXPECT_FALSE(lifetime_of(zero));
  Parts overlong = answer();
  overlong.answers = {a("orders.shop", 1, 0x80000000)};
  EXPECT_FALSE(lifetime_of(overlong));
  Parts extended = answer();
  extended.additional = {opt(1232, 1)};
  EXPECT_FALSE(lifetime_of(extended)) << "BADVERS, of which the header holds 0";
  for (int type : {255, 252, 251, 41, 128, 250}) {
    Parts parts = answer();
    parts.questions[0].type = std::uint16_t(type);
    EXPECT_FALSE(lifetime_of(parts)) << type;
  }
  Parts chaos = answer();
  chaos.questions[0].klass = 3;
  EXPECT_FALSE(lifetime_of(chaos));
}

TEST(LowerTtls, CountsDownAndLeavesAtMost) {
  Parts parts = about("orders.shop");
  parts.answers = {a("orders.shop", 1, 30), a("orders.shop", 2, 7)};
  parts.authority = {soa("shop", 3, 5)};
  parts.additional = {a("ns.shop", 3, 0xffffffff), opt(1232, 0, 0)};
  Message message = encode(parts);
  std::optional<AnswerView> view = parse_answer(message);
  ASSERT_TRUE(view);
  lower_ttls(message, *view, 4, 10);
  EXPECT_EQ(view->ttl, 3u);
  EXPECT_EQ(view->negative_ttl, 0u);
  std::optional<AnswerView> again = parse_answer(message);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->ttl, view->ttl);
  EXPECT_EQ(again->negative_ttl, view->negative_ttl);
  parts.answers = {a("orders.shop", 1, 10), a("orders.shop", 2, 3)};
  parts.authority = {soa("shop", 0, 5)};
  parts.additional = {a("ns.shop", 3, 0), opt(1232)};
  EXPECT_EQ(message, encode(parts)) << "nothing else changes, and OPT has no TTL";
}

}  // namespace
}  // namespace causeway::dns

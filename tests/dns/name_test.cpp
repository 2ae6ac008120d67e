#include "dns/name.h"

#include <gtest/gtest.h>

#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using test::bytes;
using test::Message;
using test::name;
using test::operator+;
using test::wire;
using Compression = Name::Compression;

std::string of(std::size_t length, char letter = 'a') { return std::string(length, letter); }

TEST(Name, ReadsAsItWasWrittenWithAndWithoutAFinalDot) {
  EXPECT_EQ(name("orders.shop").text(), "orders.shop");
  EXPECT_EQ(name("orders.shop.").text(), "orders.shop");
  EXPECT_EQ(name(".").text(), ".");
  EXPECT_TRUE(name(".").is_root());
  EXPECT_EQ(wire("ab.c"), bytes({2, 'a', 'b', 1, 'c', 0}));
}

TEST(Name, WhatIsNoNameIsNotRead) {
  for (const char* text : {"", "..", ".a", "a..b", "a..", "\\", "a\\", "\\1", "\\12", "\\256", "\\999", "a.\\"}) {
    EXPECT_FALSE(Name::parse(text)) << text;
  }
}

TEST(Name, EscapesStandForTheirBytesAndComeBack) {
  Name escaped = name("a\\.b.\\000\\255\\\\x");
  ASSERT_EQ(escaped.labels(), 2u);
  EXPECT_EQ(escaped.label(0), "a.b");
  EXPECT_EQ(escaped.label(1), std::string_view("\0\xff\\x", 4));
  EXPECT_EQ(escaped.text(), "a\\.b.\\000\\255\\\\x");
  EXPECT_EQ(name("\\065bc").text(), "Abc");
  EXPECT_EQ(name("\\ ").text(), "\\032");
  EXPECT_EQ(name("a\\.").text(), "a\\.") << "an escaped dot at the end is no final dot";
  for (int byte = 0; byte < 256; ++byte) {
    Message message = bytes({1, byte, 0});
    std::size_t at = 0;
    std::optional<Name> read = Name::read(message, at, Compression::kForbidden);
    ASSERT_TRUE(read);
    EXPECT_EQ(name(read->text()).label(0), std::string_view(reinterpret_cast<const char*>(&message[1]), 1)) << byte;
  }
}

TEST(Name, ALabelHas63BytesAtMostAndANameHas255) {
  EXPECT_TRUE(Name::parse(of(63)));
  EXPECT_FALSE(Name::parse(of(64)));
  std::string three = of(63) + "." + of(63) + "." + of(63);
  EXPECT_EQ(name(three + "." + of(61)).wire().size(), 255u);
  EXPECT_EQ(name(three + "." + of(61) + ".").wire().size(), 255u);
  EXPECT_FALSE(Name::parse(three + "." + of(62)));
  EXPECT_FALSE(Name::parse(three + "." + of(59) + ".a.b"));
  EXPECT_EQ(name(three).followed_by(name(of(61)))->wire().size(), 255u);
  EXPECT_FALSE(name(three).followed_by(name(of(62))));
}

TEST(Name, ComparesWithoutCaseAndKeepsIt) {
  EXPECT_EQ(name("Orders.SHOP"), name("orders.shop"));
  EXPECT_EQ(name("Orders.SHOP").text(), "Orders.SHOP");
  EXPECT_EQ(name("Orders.SHOP").key(), name("oRDERS.shop").key());
  EXPECT_FALSE(name("orders.shop") == name("orders.shot"));
  EXPECT_FALSE(name("\\001a") == name("a"));
  EXPECT_FALSE(name("\xc3\x84") == name("\xc3\xa4")) << "only ASCII has case";
  EXPECT_FALSE(name("[") == name("{")) << "only letters have case";
  EXPECT_FALSE(name("@") == name("`"));
}

TEST(Name, LiesBelowItsAncestorsByWholeLabels) {
  Name domain = name("cluster.local");
  EXPECT_TRUE(name("cluster.local").under(domain));
  EXPECT_TRUE(name("A.Cluster.LOCAL").under(domain));
  EXPECT_TRUE(name("a").under(Name()));
  EXPECT_FALSE(name("local").under(domain));
  EXPECT_FALSE(name("mycluster.local").under(domain));
  EXPECT_FALSE(name("a\\.cluster.local").under(domain)) << "a dot inside a label ends none";
  EXPECT_FALSE(name("\\007cluster.local").under(domain)) << "a length byte inside a label begins none";
  EXPECT_FALSE(name("cluster.local.example").under(domain));
}

TEST(Name, LosesLabelsFromTheLeft) {
  EXPECT_EQ(name("a.b.c").without_first(1), name("b.c"));
  EXPECT_TRUE(name("a.b.c").without_first(3).is_root());
  EXPECT_EQ(name("a.b.c").label(2), "c");
}

std::optional<Name> read(const Message& message, std::size_t& at, Compression compression = Compression::kAllowed) {
  std::size_t skipped = at;
  std::size_t before = at;
  std::optional<Name> out = Name::read(message, at, compression);
  if (!out) {
    EXPECT_EQ(at, before) << "a failure moves nothing";
  }
  if (compression == Compression::kAllowed) {
    EXPECT_EQ(Name::skip(message, skipped), out.has_value()) << "skip() and read() agree";
    EXPECT_EQ(skipped, at);
  }
  return out;
}

TEST(NameOnTheWire, FollowsAPointerBackwardsAndContinuesBehindIt) {
  Message message = wire("shop.example") + bytes({6, 'o', 'r', 'd', 'e', 'r', 's', 0xc0, 0, 0xff});
  std::size_t at = 14;
  std::optional<Name> out = read(message, at);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->text(), "orders.shop.example");
  EXPECT_EQ(at, 23u);
  at = 14;
  EXPECT_FALSE(read(message, at, Compression::kForbidden));
}

TEST(NameOnTheWire, APointerToItselfForwardsOrInACircleEndsTheName) {
  for (const Message& message : {
           bytes({0xc0, 0}),                           // itself
           bytes({0xc0, 2, 0}),                        // forwards
           bytes({1, 'a', 0xc0, 0}),                   // into the name that it ends
           bytes({0xc0, 2, 0xc0, 0}),                  // to each other
           bytes({1, 'a', 0xc0, 4, 1, 'b', 0xc0, 0}),  // a circle with labels
       }) {
    std::size_t at = 0;
    EXPECT_FALSE(read(message, at));
  }
}

TEST(NameOnTheWire, AChainOfPointersEndsAfterAsManyAsANameHasLabels) {
  for (int pointers : {127, 128, 129, 1000}) {
    Message message = bytes({0});
    for (int i = 0; i < pointers; ++i) {
      int target = i == 0 ? 0 : 1 + 2 * (i - 1);
      message = message + bytes({0xc0 | target >> 8, target & 255});
    }
    std::size_t at = message.size() - 2;
    EXPECT_EQ(read(message, at).has_value(), pointers <= 128) << pointers;
  }
}

TEST(NameOnTheWire, PointersCannotMakeANameLongerThan255Bytes) {
  // 63 bytes and a pointer to the name before, again and again.
  Message message = bytes({0});
  std::size_t previous = 0;
  for (int i = 0; i < 5; ++i) {
    std::size_t start = message.size();
    message.push_back(63);
    message.insert(message.end(), 63, 'x');
    message = message + bytes({0xc0 | int(previous >> 8), int(previous & 255)});
    std::size_t at = start;
    EXPECT_EQ(read(message, at).has_value(), i < 3) << i;
    previous = start;
  }
}

TEST(NameOnTheWire, EndsWhereTheMessageEnds) {
  Message whole = bytes({3, 'a', 'b', 'c', 1, 'd', 0});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Message cut(whole.begin(), whole.begin() + std::ptrdiff_t(size));
    std::size_t at = 0;
    EXPECT_FALSE(read(cut, at)) << size;
  }
  Message half_pointer = bytes({0, 0xc0});
  std::size_t at = 1;
  EXPECT_FALSE(read(half_pointer, at));
  at = 2;
  EXPECT_FALSE(read(half_pointer, at)) << "at the end of the message";
}

TEST(NameOnTheWire, TheTwoReservedKindsOfLabelAreNotRead) {
  for (int kind : {0x40, 0x41, 0x7f, 0x80, 0xbf}) {
    Message message = bytes({kind}) + Message(200, 0);
    std::size_t at = 0;
    EXPECT_FALSE(read(message, at)) << kind;
  }
}

}  // namespace
}  // namespace causeway::dns

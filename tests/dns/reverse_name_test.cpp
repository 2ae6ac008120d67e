#include "dns/reverse_name.h"

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

TEST(ReversePrefix, IsAsLongAsTheNameSays) {
  auto text = [](std::string_view name) {
    std::optional<packet::Cidr> prefix = reverse_prefix(test::name(name));
    return prefix ? prefix->text() : "none";
  };
  EXPECT_EQ(text("4.3.2.1.in-addr.arpa"), "1.2.3.4/32");
  EXPECT_EQ(text("2.1.in-addr.arpa"), "1.2.0.0/16");
  EXPECT_EQ(text("5.4.3.2.1.in-addr.arpa"), "1.2.3.4/32");
  EXPECT_EQ(text("x.in-addr.arpa"), "none");
  EXPECT_EQ(text("256.in-addr.arpa"), "none");
  EXPECT_EQ(text("8.b.d.0.1.0.0.2.ip6.arpa"), "2001:db8::/32");
  EXPECT_EQ(text("F.ip6.arpa"), "f000::/4");
  EXPECT_EQ(text("10.ip6.arpa"), "none");
  EXPECT_EQ(text("1.example.arpa"), "none");
}

TEST(ReverseNames, OnlyThoseOfWholeAddressesAreAddresses) {
  EXPECT_EQ(reverse_address(test::name("5.0.96.10.in-addr.arpa")), packet::Address::parse("10.96.0.5"));
  for (const char* text :
       {"0.96.10.in-addr.arpa", "1.5.0.96.10.in-addr.arpa", "x.0.96.10.in-addr.arpa", "5.0.96.10", "arpa", "."}) {
    EXPECT_EQ(reverse_address(test::name(text)), std::nullopt) << text;
  }
  SeededRandom random(1);
  for (int i = 0; i < 100; ++i) {
    std::uint8_t raw[16];
    random.fill(raw);
    const packet::Address each = packet::Address::from_bytes(Bytes(raw).first(i % 2 ? 4 : 16));
    EXPECT_EQ(reverse_address(reverse_name(each)), each);
  }
}

}  // namespace
}  // namespace causeway::dns

#include "core/packet/address.h"

#include <gtest/gtest.h>

#include <unordered_set>

#include "core/packet/checksum.h"
#include "tests/core/packet/made.h"

namespace causeway::packet {
namespace {

TEST(Address, PrintsWhatItParsed) {
  for (const char* text : {"0.0.0.0", "10.96.0.10", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1", "::ffff:1.2.3.4",
                           "2001:db8:0:1:1:1:1:1", "1:2:3:4:5:6:7:8"}) {
    auto parsed = Address::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->text(), text);
    EXPECT_EQ(Address::from_bytes(parsed->bytes()), *parsed);
  }
  EXPECT_EQ(Address::parse("2001:DB8:0:0:0:0:0:1")->text(), "2001:db8::1") << "RFC 5952";
}

TEST(Address, RefusesWhatIsNone) {
  using namespace std::string_view_literals;
  for (std::string_view text : {""sv, " "sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.1.1.1"sv, "01.2.3.4"sv, "1.2.3.4 "sv, " 1.2.3.4"sv,
                                "1.2.3.4\0x"sv, "0x7f.0.0.1"sv, "2130706433"sv, ":"sv, ":::"sv, "1::2::3"sv, "fe80::1%eth0"sv,
                                "12345::"sv, "1:2:3:4:5:6:7"sv, "1:2:3:4:5:6:7:8:9"sv, "g::"sv, "[::1]"sv, "localhost"sv,
                                "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"sv}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
}

TEST(Address, KnowsItsKind) {
  EXPECT_TRUE(address("127.255.0.1").is_loopback() && address("::1").is_loopback());
  EXPECT_FALSE(address("128.0.0.1").is_loopback() || address("::2").is_loopback() || address("::").is_loopback());
  EXPECT_TRUE(address("169.254.169.254").is_link_local() && address("fe80::1").is_link_local() && address("febf::1").is_link_local());
  EXPECT_FALSE(address("169.253.0.1").is_link_local() || address("fec0::1").is_link_local());
  EXPECT_TRUE(address("224.0.0.1").is_multicast() && address("239.1.1.1").is_multicast() && address("ff02::1").is_multicast());
  EXPECT_FALSE(address("240.0.0.1").is_multicast() || address("223.1.1.1").is_multicast() || address("fe00::1").is_multicast());
  EXPECT_TRUE(address("255.255.255.255").is_broadcast());
  EXPECT_FALSE(address("255.255.255.254").is_broadcast());
  EXPECT_TRUE(Address().is_unspecified() && address("::").is_unspecified());
  EXPECT_EQ(address("::ffff:1.2.3.4").unmapped(), address("1.2.3.4"));
  EXPECT_EQ(address("::fffe:1.2.3.4").unmapped(), address("::fffe:1.2.3.4"));
  EXPECT_NE(address("::"), address("0.0.0.0"));
}

TEST(Endpoint, SurvivesItsTextForm) {
  for (const char* text : {"1.2.3.4:80", "1.2.3.4:0", "[2001:db8::1]:65535", "[::]:1"}) EXPECT_EQ(endpoint(text).text(), text);
  for (const char* text : {"", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4:080", "1.2.3.4:8x",
                           "2001:db8::1:80", "[1.2.3.4]:80", "[::1]80", "[::1]", "::1", "[::1]:80 ", "a:80", "1.2.3.4: 80"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

TEST(Cidr, SurvivesItsTextFormAndClearsNothingSilently) {
  for (const char* text : {"10.96.0.0/12", "0.0.0.0/0", "1.2.3.4/32", "2001:db8::/32", "::/0", "fd00::1/128"}) {
    EXPECT_EQ(Cidr::parse(text)->text(), text);
  }
  EXPECT_EQ(Cidr::parse("1.2.3.4")->length(), 32u);
  EXPECT_EQ(Cidr::parse("::1")->length(), 128u);
  for (const char* text : {"10.96.0.1/12", "10.0.0.0/33", "::/129", "10.0.0.0/", "/8", "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0/08",
                           "10.0.0.0/8 ", "10/8", "2001:db8::1/32", "::1/0"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
}

TEST(Cidr, ContainsExactlyItsAddressesAtEveryLength) {
  for (unsigned length = 0; length <= 32; ++length) {
    Cidr cidr(address("10.96.170.85"), length);
    for (unsigned bit = 0; bit < 32; ++bit) {
      Octets raw{10, 96, 170, 85};
      raw[bit / 8] ^= std::uint8_t(0x80 >> bit % 8);
      EXPECT_EQ(cidr.contains(Address::from_bytes(raw)), bit >= length) << length << ' ' << bit;
    }
  }
  EXPECT_FALSE(Cidr::parse("0.0.0.0/0")->contains(address("::1")));
  EXPECT_FALSE(Cidr::parse("::/0")->contains(address("1.2.3.4")));
  EXPECT_TRUE(Cidr::parse("2001:db8::/33")->contains(address("2001:db8:7fff::1")));
  EXPECT_FALSE(Cidr::parse("2001:db8::/33")->contains(address("2001:db8:8000::1")));
}

TEST(Cidr, OverlapIsContainmentEitherWay) {
  EXPECT_TRUE(Cidr::parse("10.0.0.0/8")->overlaps(*Cidr::parse("10.96.0.0/12")));
  EXPECT_TRUE(Cidr::parse("10.96.0.0/12")->overlaps(*Cidr::parse("10.0.0.0/8")));
  EXPECT_FALSE(Cidr::parse("10.96.0.0/12")->overlaps(*Cidr::parse("10.112.0.0/12")));
  EXPECT_FALSE(Cidr::parse("0.0.0.0/0")->overlaps(*Cidr::parse("::/0")));
}

TEST(Hashes, SpreadAndAgreeWithEquality) {
  std::unordered_set<std::size_t> seen;
  for (int i = 0; i < 256; ++i) {
    for (int port = 0; port < 64; ++port) {
      FiveTuple t{{Address::v4(10, 0, 0, std::uint8_t(i)), std::uint16_t(port)}, endpoint("10.96.0.10:80"), kTcp};
      seen.insert(std::hash<FiveTuple>()(t));
      EXPECT_EQ(std::hash<FiveTuple>()(t), std::hash<FiveTuple>()(FiveTuple(t)));
    }
  }
  EXPECT_GT(seen.size(), 16380u);
  EXPECT_NE(std::hash<Address>()(address("::")), std::hash<Address>()(address("0.0.0.0")));
}

TEST(Checksum, IsThatOfTheExampleInRfc1071) {
  const std::uint8_t example[]{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(fold(add_to_sum(0, example)), 0xddf2);
}

TEST(Checksum, OfAWellKnownHeader) {
  const std::uint8_t header[]{0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                              0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
  EXPECT_EQ(std::uint16_t(~fold(add_to_sum(0, header))), 0xb861);
}

TEST(Checksum, AgreesWithTheSlowWayAtEveryLengthAndAlignment) {
  Octets bytes = octets(300, 5);
  for (std::size_t at = 0; at < 8; ++at) {
    for (std::size_t n = 0; n + at <= bytes.size(); ++n) {
      Bytes part = Bytes(bytes).subspan(at, n);
      ASSERT_EQ(fold(add_to_sum(0, part)), plain_sum(part)) << at << ' ' << n;
    }
  }
  Octets large = octets(65535, 6);
  EXPECT_EQ(fold(add_to_sum(0, large)), plain_sum(large));
  Octets ones(65535, 0xff);
  EXPECT_EQ(fold(add_to_sum(0, ones)), plain_sum(ones));
}

TEST(Checksum, OfATransportSegmentCoversThePseudoHeader) {
  for (std::size_t n : {0u, 1u, 7u, 1460u}) {
    Octets segment = udp_datagram("10.0.0.2", "10.96.0.10", octets(n));
    std::uint16_t there = load16(&segment[6]);
    store16(&segment[6], 0);
    EXPECT_EQ(transport_checksum(address("10.0.0.2"), address("10.96.0.10"), kUdp, segment), there);
    segment = udp_datagram("2001:db8::2", "fd00:10::a", octets(n));
    there = load16(&segment[6]);
    store16(&segment[6], 0);
    EXPECT_EQ(transport_checksum(address("2001:db8::2"), address("fd00:10::a"), kUdp, segment), there);
  }
}

}  // namespace
}  // namespace causeway::packet

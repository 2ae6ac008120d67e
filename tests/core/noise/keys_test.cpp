#include "tests/core/noise/keys.h"

#include <gtest/gtest.h>

#include "core/noise/hash.h"
#include "core/noise/mac.h"

namespace causeway::noise {
namespace {

std::string hex(Bytes bytes) {
  std::string out;
  for (std::uint8_t b : bytes) {
    out += "0123456789abcdef"[b >> 4];
    out += "0123456789abcdef"[b & 15];
  }
  return out;
}

TEST(Keys, AKeySurvivesItsTextForm) {
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    KeyPair pair = seeded_keys(seed);
    std::string text = encode_key(pair.public_key);
    EXPECT_EQ(text.size(), 44u);
    EXPECT_EQ(parse_public_key(text), pair.public_key);
    EXPECT_EQ(parse_public_key(" \t" + text + "\r\n"), pair.public_key);
    auto secret = parse_key(encode_key(pair.private_key.bytes()));
    ASSERT_TRUE(secret);
    EXPECT_EQ(from_private(*secret).public_key, pair.public_key);
  }
}

TEST(Keys, TextThatIsNoKeyIsRefused) {
  std::string good = encode_key(seeded_keys(1).public_key);
  for (std::string bad : {std::string(), std::string("   "), good.substr(1), good + "A", good.substr(0, 43), good + good,
                          "!" + good.substr(1), good.substr(0, 20) + " " + good.substr(21), std::string(44, '='),
                          std::string(43, 'A') + "B", good.substr(0, 43) + std::string(1, 0)}) {
    EXPECT_FALSE(parse_key(bad)) << bad;
  }
}

TEST(Keys, TheCurveGivesThePublishedSharedSecret) {
  // RFC 7748, section 6.1.
  const std::uint8_t kAlice[32]{0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
                                0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a};
  const std::uint8_t kBob[32]{0x5d, 0xab, 0x08, 0x7e, 0x62, 0x4a, 0x8a, 0x4b, 0x79, 0xe1, 0x7f, 0x8b, 0x83, 0x80, 0x0e, 0xe6,
                              0x6f, 0x3b, 0xb1, 0x29, 0x26, 0x18, 0xb6, 0xfd, 0x1c, 0x2f, 0x8b, 0x27, 0xff, 0x88, 0xe0, 0xeb};
  Secret<32> alice{Bytes(kAlice)}, bob{Bytes(kBob)};
  Secret<32> one, two;
  ASSERT_TRUE(diffie_hellman(alice, from_private(bob).public_key, one));
  ASSERT_TRUE(diffie_hellman(bob, from_private(alice).public_key, two));
  EXPECT_EQ(hex(one.bytes()), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_EQ(hex(two.bytes()), hex(one.bytes()));
}

TEST(Keys, PointsOfLowOrderGiveNoSharedSecret) {
  Secret<32> shared;
  for (const PublicKey& point : low_order_points()) EXPECT_FALSE(diffie_hellman(seeded_keys(1).private_key, point, shared));
}

TEST(Keys, AFingerprintIsTheBeginningForPeople) {
  PublicKey key{0x3f, 0x2a, 0x00, 0xff};
  EXPECT_EQ(fingerprint(key), "3f2a00ff");
}

TEST(Hash, IsBlake2bOfBothPieces) {
  // RFC 7693, appendix A.
  EXPECT_EQ(hex(hash(as_bytes("abc"))).substr(0, 32), "ba80a53f981c4d0d6a2797b69f12f6e9");
  EXPECT_EQ(hash(as_bytes("a"), as_bytes("bc")), hash(as_bytes("abc")));
}

TEST(Mac, DependsOnTheReceiverAndOnEveryByte) {
  PublicKey one = seeded_keys(1).public_key, two = seeded_keys(2).public_key;
  auto mac = first_message_mac(one, as_bytes("message"));
  EXPECT_TRUE(mac_equal(mac, first_message_mac(one, as_bytes("message"))));
  EXPECT_FALSE(mac_equal(mac, first_message_mac(two, as_bytes("message"))));
  EXPECT_FALSE(mac_equal(mac, first_message_mac(one, as_bytes("messagf"))));
  EXPECT_FALSE(mac_equal(mac, Bytes(mac).first(15)));
}

TEST(Randomness, OfTheSystemDiffersEveryTime) {
  SodiumRandom random;
  EXPECT_NE(random.number(), random.number());
}

}  // namespace
}  // namespace causeway::noise

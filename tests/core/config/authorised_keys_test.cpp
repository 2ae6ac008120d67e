#include "core/config/authorised_keys.h"

#include <gtest/gtest.h>

#include "core/noise/keys.h"

namespace causeway::config {
namespace {

std::string key(std::uint8_t fill) {
  link::PublicKey raw;
  raw.fill(fill);
  return noise::encode_key(raw);
}

TEST(AuthorisedKeys, ReadsKeysNamesAndPreSharedKeys) {
  AuthorisedKeys keys = parse_authorised_keys("# who may enter\n\n" + key(1) + " alice # her laptop\r\n  " + key(2) +
                                                  "\tci psk/ci\n" + key(3) + " bob /run/bob.psk",
                                              "/etc/causeway/clients");
  EXPECT_TRUE(keys.mistakes.empty());
  ASSERT_EQ(keys.clients.size(), 3u);
  EXPECT_EQ(keys.clients[0].name, "alice");
  EXPECT_EQ(keys.clients[0].key[5], 1);
  EXPECT_EQ(keys.clients[0].psk_file, "");
  EXPECT_EQ(keys.clients[1].name, "ci");
  EXPECT_EQ(keys.clients[1].psk_file, "/etc/causeway/psk/ci");
  EXPECT_EQ(keys.clients[1].line, 4u);
  EXPECT_EQ(keys.clients[2].psk_file, "/run/bob.psk");
}

TEST(AuthorisedKeys, ABadLineIsToldWithItsNumberAndTheOthersCount) {
  AuthorisedKeys keys = parse_authorised_keys("nonsense alice\n" + key(1) + "\n" + key(2) + " bob\n" + key(3) +
                                                  " a b c\n" + key(2) + " again\n" + key(4) + " \x1b[31m\n",
                                              "clients");
  ASSERT_EQ(keys.clients.size(), 1u);
  EXPECT_EQ(keys.clients[0].name, "bob");
  ASSERT_EQ(keys.mistakes.size(), 5u);
  EXPECT_EQ(keys.mistakes[0],
            "clients:1: the first word is not a key (44 characters of base64); the line lets nobody in");
  EXPECT_EQ(keys.mistakes[1].substr(0, 10), "clients:2:");
  EXPECT_EQ(keys.mistakes[2].substr(0, 10), "clients:4:");
  EXPECT_EQ(keys.mistakes[3], "clients:5: this key stands in line 3 already; the line lets nobody in");
  EXPECT_EQ(keys.mistakes[4].substr(0, 10), "clients:6:");
}

TEST(AuthorisedKeys, NothingLetsNobodyIn) {
  EXPECT_TRUE(parse_authorised_keys("", "clients").clients.empty());
  EXPECT_TRUE(parse_authorised_keys("\n#\n", "clients").mistakes.empty());
}

}  // namespace
}  // namespace causeway::config

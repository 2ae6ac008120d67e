#include "core/config/toml_reader.h"

#include <gtest/gtest.h>

#include "core/packet/address.h"

namespace causeway::config {
namespace {

struct Values {
  std::string name;
  bool flag = false;
  std::uint64_t number = 0;
  double rate = 0;
  std::vector<packet::Cidr> routes;
  std::string domain;
};

std::string error_of(std::string_view text, Values* out = nullptr) {
  Values values;
  auto reader = TomlReader::parse(text, "x.toml");
  if (!reader) return reader.error().message;
  TomlTable root = reader->root();
  root.read("name", values.name);
  root.read("flag", values.flag);
  root.read("number", values.number, 1, 10);
  root.read("rate", values.rate, 0.5, 10);
  root.read_list("routes", values.routes, packet::Cidr::parse, "a prefix");
  root.table("dns").read("domain", values.domain);
  auto read = reader->finish();
  if (out) *out = values;
  return read ? "" : read.error().message;
}

TEST(TomlReader, ReadsEveryKind) {
  Values values;
  EXPECT_EQ(
      error_of("name = 'a'\nflag = true\nnumber = 7\nrate = 2\nroutes = ['10.0.0.0/8', '::1']\n[dns]\ndomain = 'd'\n",
               &values),
      "");
  EXPECT_EQ(values.name, "a");
  EXPECT_TRUE(values.flag);
  EXPECT_EQ(values.number, 7u);
  EXPECT_EQ(values.rate, 2);
  ASSERT_EQ(values.routes.size(), 2u);
  EXPECT_EQ(values.routes[1].text(), "::1/128");
  EXPECT_EQ(values.domain, "d");
}

TEST(TomlReader, NothingIsThereIsFine) { EXPECT_EQ(error_of(""), ""); }

TEST(TomlReader, UnknownKeysAreErrorsWithTheirPlace) {
  EXPECT_EQ(error_of("\n  rotues = []\n"), "x.toml:2:3: unknown key 'rotues'; did you mean 'routes'?");
  EXPECT_EQ(error_of("zzzzzz = 1\n"), "x.toml:1:1: unknown key 'zzzzzz'");
  EXPECT_EQ(error_of("[dns]\ndoman = 'x'\n"), "x.toml:2:1: unknown key 'dns.doman'; did you mean 'dns.domain'?");
}

TEST(TomlReader, WrongTypesSayWhatWasWanted) {
  EXPECT_EQ(error_of("name = 3"), "x.toml:1:8: 'name' must be a string, not a whole number");
  EXPECT_EQ(error_of("flag = 'yes'"), "x.toml:1:8: 'flag' must be true or false, not a string");
  EXPECT_EQ(error_of("number = 1.5"), "x.toml:1:10: 'number' must be a whole number, not a number with a fraction");
  EXPECT_EQ(error_of("routes = 'x'"), "x.toml:1:10: 'routes' must be a list of strings, not a string");
  EXPECT_EQ(error_of("routes = ['::1', 5]"), "x.toml:1:18: 'routes' must hold strings, not a whole number");
  EXPECT_EQ(error_of("dns = 1"), "x.toml:1:7: 'dns' must be a table, not a whole number");
}

TEST(TomlReader, BadValuesSayWhere) {
  EXPECT_EQ(error_of("routes = ['::1',\n  'nonsense']"), "x.toml:2:3: 'routes': \"nonsense\" is not a prefix");
  EXPECT_EQ(error_of("number = 11"), "x.toml:1:10: 'number': 11 is not between 1 and 10");
  EXPECT_EQ(error_of("number = -1"), "x.toml:1:10: 'number': -1 is not between 1 and 10");
}

TEST(TomlReader, TheFirstMistakeInTheTextIsTold) {
  EXPECT_EQ(error_of("other = 1\nname = 2\n"), "x.toml:1:1: unknown key 'other'");
}

TEST(TomlReader, WhatIsNotTomlSaysWhere) { EXPECT_EQ(error_of("name = \n").substr(0, 10), "x.toml:1:8"); }

TEST(TomlReader, AMissingKeyCanBeRequired) {
  auto reader = TomlReader::parse("", "x.toml");
  ASSERT_TRUE(reader);
  reader->root().require("key_file", "the gateway's private key");
  EXPECT_NE(reader->finish().error().message.find("'key_file' is missing: the gateway's private key"),
            std::string::npos);
}

}  // namespace
}  // namespace causeway::config

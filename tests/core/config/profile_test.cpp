#include "core/config/profile.h"

#include <gtest/gtest.h>

namespace causeway::config {
namespace {

constexpr std::string_view kSource = "/etc/causeway/demo.toml";
constexpr std::string_view kGatewayKey = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";

std::string whole(std::string_view more = "", std::string_view dns = "") {
  return "gateways = [\"203.0.113.7:7700\"]\n"
         "gateway_key = \"" +
         std::string(kGatewayKey) +
         "\"\n"
         "key_file = \"laptop.key\"\n"
         "routes = [\"10.96.0.0/16\"]\n" +
         std::string(more) + "\n[dns]\n" + std::string(dns) + "\n";
}

// The text with the line that begins with `key` replaced.
std::string with(std::string_view key, std::string_view line) {
  std::string text = whole();
  std::size_t begin = text.find(std::string(key) + " =");
  EXPECT_NE(begin, std::string::npos);
  return text.replace(begin, text.find('\n', begin) - begin, line);
}

Profile good(std::string_view toml, std::string_view source = kSource) {
  auto profile = parse_profile(toml, source);
  EXPECT_TRUE(profile) << profile.error().message;
  return profile ? *profile : Profile{};
}

std::string complaint(std::string_view toml, std::string_view source = kSource) {
  auto profile = parse_profile(toml, source);
  EXPECT_FALSE(profile);
  if (profile) return "";
  EXPECT_EQ(profile.error().code, ErrorCode::kInvalid);
  return profile.error().message;
}

TEST(Profile, SaysWhetherInterceptedServicesAreTheLocalProcessAtOnce) {
  EXPECT_TRUE(good(whole()).intercept_shortcut);
  EXPECT_TRUE(good(whole("[intercept]\nshortcut = true")).intercept_shortcut);
  EXPECT_FALSE(good(whole("[intercept]\nshortcut = false")).intercept_shortcut);
  EXPECT_EQ(complaint(whole("[intercept]\nshortcut = 1")),
            "/etc/causeway/demo.toml:6:12: 'intercept.shortcut' must be true or false, not a whole number");
  EXPECT_EQ(complaint(whole("[intercept]\nshortcuts = true")),
            "/etc/causeway/demo.toml:6:1: unknown key 'intercept.shortcuts'; did you mean 'intercept.shortcut'?");
}

TEST(Profile, SaysWhetherItComesUpWithTheDaemon) {
  EXPECT_FALSE(good(whole()).autostart);
  EXPECT_TRUE(good(whole("autostart = true")).autostart);
  EXPECT_FALSE(good(whole("autostart = false")).autostart);
  EXPECT_EQ(complaint(whole("autostart = \"yes\"")),
            "/etc/causeway/demo.toml:5:13: 'autostart' must be true or false, not a string");
}

TEST(Profile, SaysWhatTheTextSays) {
  Profile profile = good(
      "gateways = [\"203.0.113.7:7700\", \"GW.Example.org.:443\", \"[fd00::7]:7701\", \"fd00::8\", \"gw\"]\n"
      "gateway_key = \"" +
      std::string(kGatewayKey) +
      "\"\n"
      "key_file = \"/home/me/laptop.key\"\n"
      "psk_file = \"keys/laptop.psk\"\n"
      "routes = [\"10.96.0.0/16\", \"fd00:96::/112\"]\n"
      "[dns]\ndomain = \"Prod.Cluster.\"\nnamespaces = [\"shop\", \"infra\"]\nshort = \"shop\"\ntake_over = false\n"
      "timeout_ms = 1500\ncache = false\n");
  EXPECT_EQ(profile.name, "demo");
  ASSERT_EQ(profile.gateways.size(), 5u);
  EXPECT_EQ(profile.gateways[0].text(), "203.0.113.7:7700");
  EXPECT_EQ(profile.gateways[1].text(), "gw.example.org:443");
  EXPECT_EQ(profile.gateways[2].text(), "[fd00::7]:7701");
  EXPECT_EQ(profile.gateways[3].text(), "[fd00::8]:7700");
  EXPECT_EQ(profile.gateways[4].text(), "gw:7700");
  EXPECT_EQ(noise::encode_key(profile.gateway_key), kGatewayKey);
  EXPECT_EQ(profile.key_file, "/home/me/laptop.key");
  EXPECT_EQ(profile.psk_file, "/etc/causeway/keys/laptop.psk");
  ASSERT_EQ(profile.routes.size(), 2u);
  EXPECT_EQ(profile.routes[0].text(), "10.96.0.0/16");
  EXPECT_EQ(profile.dns.domain, "prod.cluster");
  EXPECT_EQ(profile.dns.namespaces, (std::vector<std::string>{"shop", "infra"}));
  EXPECT_EQ(profile.dns.short_namespace, "shop");
  EXPECT_FALSE(profile.dns.take_over);
  EXPECT_EQ(profile.dns.timeout_ms, 1500u);
  EXPECT_FALSE(profile.dns.cache);
}

TEST(Profile, SaysWhichNamesAreExceptions) {
  Profile profile = good(whole("",
                               "include = [\"Corp.Internal.\", \"*.dev.example\"]\n"
                               "exclude = [\"redis\", \"*.com\"]\n"
                               "mappings = [{ name = \"DB.shop\", alias = \"db.infra.\" },\n"
                               "            { name = \"pay.test\", address = \"127.0.0.1\" },\n"
                               "            { name = \"pay.test\", address = \"::1\" }]"));
  EXPECT_EQ(profile.dns.include, (std::vector<std::string>{"corp.internal", "*.dev.example"}));
  EXPECT_EQ(profile.dns.exclude, (std::vector<std::string>{"redis", "*.com"}));
  ASSERT_EQ(profile.dns.mappings.size(), 3u);
  EXPECT_EQ(profile.dns.mappings[0].name, "db.shop");
  EXPECT_EQ(profile.dns.mappings[0].alias, "db.infra");
  EXPECT_FALSE(profile.dns.mappings[0].address);
  EXPECT_EQ(profile.dns.mappings[1].address, packet::Address::v4(127, 0, 0, 1));
  EXPECT_EQ(profile.dns.mappings[2].address->text(), "::1");
}

TEST(Profile, ExceptionsThatCannotBeMeantSayWhereAndWhy) {
  EXPECT_EQ(complaint(whole("", "include = [\"a.b\", \"*\"]")).find("/etc/causeway/demo.toml:7:19: "), 0u);
  EXPECT_EQ(complaint(whole("", "exclude = [\"a.*.b\"]")).find("/etc/causeway/demo.toml:7:12: "), 0u);
  EXPECT_EQ(complaint(whole("", "exclude = \"redis\"")),
            "/etc/causeway/demo.toml:7:11: 'dns.exclude' must be a list of strings, not a string");
  EXPECT_EQ(complaint(whole("", "mappings = [{ name = \"a\", adress = \"1.2.3.4\" }]")),
            "/etc/causeway/demo.toml:7:27: unknown key 'dns.mappings.adress'; did you mean 'dns.mappings.address'?");
  EXPECT_EQ(
      complaint(whole("", "mappings = [{ name = \"a\", address = \"1.2.3\" }]")).find("/etc/causeway/demo.toml:7:37: "),
      0u);
  EXPECT_NE(complaint(whole("", "mappings = [{ name = \"a\" }]")).find("'dns.mappings.address' is missing"),
            std::string::npos);
  EXPECT_NE(complaint(whole("", "mappings = [{ alias = \"a\" }]")).find("'dns.mappings.name' is missing"),
            std::string::npos);
  EXPECT_NE(complaint(whole("", "mappings = [{ name = \"a\", alias = \"b\", address = \"1.2.3.4\" }]"))
                .find("either an alias or an address"),
            std::string::npos);
}

TEST(Profile, LeavesOutWhatHasADefault) {
  Profile profile = good(whole());
  EXPECT_EQ(profile.dns.domain, "cluster.local");
  EXPECT_TRUE(profile.dns.namespaces.empty());
  EXPECT_EQ(profile.dns.short_namespace, "");
  EXPECT_TRUE(profile.dns.take_over);
  EXPECT_EQ(profile.dns.timeout_ms, 4000u);
  EXPECT_TRUE(profile.dns.cache);
  EXPECT_EQ(profile.psk_file, "");
}

TEST(Profile, TheClustersDnsHasATimeThatPeopleCanWaitFor) {
  for (std::string_view line : {"timeout_ms = 99", "timeout_ms = 60001", "timeout_ms = -1", "timeout_ms = \"4s\""}) {
    EXPECT_EQ(complaint(whole("", line)).find("/etc/causeway/demo.toml:7:14: "), 0u) << complaint(whole("", line));
  }
}

TEST(Profile, FilesAreRelativeToTheProfile) {
  EXPECT_EQ(good(whole()).key_file, "/etc/causeway/laptop.key");
  EXPECT_EQ(good(whole(), "demo.toml").key_file, "laptop.key");
  EXPECT_EQ(good(whole(), "here/demo.toml").key_file, "here/laptop.key");
}

TEST(Profile, TheFilesNameMustFitADevice) {
  EXPECT_EQ(good(whole(), "/x/a-b_c9.toml").name, "a-b_c9");
  for (std::string_view source :
       {"/x/demo", "/x/.toml", "/x/Demo.toml", "/x/thirteenchars.toml", "/x/a b.toml", "/x/", ""}) {
    EXPECT_NE(complaint(whole(), source).find("NAME.toml"), std::string::npos) << source;
  }
}

TEST(Profile, AnUnknownKeyIsAnErrorWithItsPlaceAndAGuess) {
  EXPECT_EQ(complaint(whole("rotues = []")),
            "/etc/causeway/demo.toml:5:1: unknown key 'rotues'; did you mean 'routes'?");
  EXPECT_EQ(complaint(whole("", "namespace = [\"shop\"]")),
            "/etc/causeway/demo.toml:7:1: unknown key 'dns.namespace'; did you mean 'dns.namespaces'?");
  EXPECT_EQ(complaint(whole("colour = 1")), "/etc/causeway/demo.toml:5:1: unknown key 'colour'");
}

TEST(Profile, WhatIsNoTomlSaysWhere) {
  EXPECT_EQ(complaint("gateways = [").find("/etc/causeway/demo.toml:1:"), 0u);
  EXPECT_EQ(complaint(whole("a b")).find("/etc/causeway/demo.toml:5:"), 0u);
  EXPECT_EQ(complaint(whole("routes = []")).find("/etc/causeway/demo.toml:5:"), 0u) << "a key that comes twice";
}

TEST(Profile, WhatIsNeededIsAskedFor) {
  for (std::string_view key : {"gateways", "gateway_key", "key_file", "routes"}) {
    EXPECT_NE(complaint(with(key, "")).find("'" + std::string(key) + "' is missing"), std::string::npos) << key;
  }
}

TEST(Profile, AMistypedKeyIsToldRatherThanThatTheRightOneIsMissing) {
  EXPECT_EQ(complaint(with("routes", "rotues = []")),
            "/etc/causeway/demo.toml:4:1: unknown key 'rotues'; did you mean 'routes'?");
}

TEST(Profile, WrongTypesAreErrorsWithTheirPlace) {
  EXPECT_EQ(complaint(with("gateways", "gateways = \"a:1\"")),
            "/etc/causeway/demo.toml:1:12: 'gateways' must be a list of strings, not a string");
  EXPECT_EQ(
      complaint(with("gateway_key", "gateway_key = 7")).find("/etc/causeway/demo.toml:2:15: 'gateway_key' must be"),
      0u);
  EXPECT_EQ(
      complaint(with("routes", "routes = [\"10.0.0.0/8\", 8]")).find("/etc/causeway/demo.toml:4:25: 'routes' must"),
      0u);
  EXPECT_EQ(complaint(whole("", "take_over = \"yes\"")).find("/etc/causeway/demo.toml:7:13: 'dns.take_over' must be"),
            0u);
}

TEST(Profile, BadGatewaysAreNamed) {
  for (std::string_view bad : {"",         ":7700",         "host:",        "host:0",     "host:65536", "host:7x",
                               "host:07",  "host:1:2",      "1.2.3:80",     "-a:80",      "a..b:80",    "fd00::1:77000",
                               "[fd00::1", "[fd00::1]7700", "[1.2.3.4]:80", "0.0.0.0:80", "[::]:80",    "224.0.0.1:80",
                               "a b:80",   "1.2.3.4.5:80",  "[host]:80"}) {
    std::string text = complaint(with("gateways", "gateways = [\"a:1\", \"" + std::string(bad) + "\"]"));
    EXPECT_EQ(text.find("/etc/causeway/demo.toml:1:20: 'gateways': \"" + std::string(bad) + "\" is not"), 0u)
        << bad << " > " << text;
  }
  EXPECT_NE(complaint(with("gateways", "gateways = []")).find("at least one"), std::string::npos);
}

TEST(Profile, BadKeysAreRefused) {
  for (std::string_view bad :
       {"", "abc", "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTm=o", "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo"}) {
    EXPECT_NE(complaint(with("gateway_key", "gateway_key = \"" + std::string(bad) + "\"")).find(":2:15: 'gateway_key'"),
              std::string::npos)
        << bad;
  }
  EXPECT_NE(complaint(with("key_file", "key_file = \"\"")).find("must not be empty"), std::string::npos);
}

TEST(Profile, RoutesThatCannotBeOrThatSwallowTheMachineAreRefused) {
  for (std::string_view bad :
       {"10.96.0.1/16", "10.96.0.0/33", "10.96.0.0/", "10.96/16", "shop", "0.0.0.0/0", "::/0", "127.0.0.0/8",
        "0.0.0.0/1", "128.0.0.0/1", "169.254.169.254", "fe80::/64", "ff02::/16", "::1"}) {
    std::string text = complaint(with("routes", "routes = [\"10.0.0.0/8\", \"" + std::string(bad) + "\"]"));
    EXPECT_EQ(text.find("/etc/causeway/demo.toml:4:25: 'routes': "), 0u) << bad << " > " << text;
  }
  EXPECT_EQ(good(with("routes", "routes = [\"10.0.0.0/8\", \"10.0.0.0/8\", \"10.1.2.3\"]")).routes.size(), 2u);
}

TEST(Profile, MorePrefixesGoInAndOthersStayOut) {
  Profile profile =
      good(whole("include = [\"10.20.0.5\", \"169.254.169.254/32\"]\n"
                 "exclude = [\"10.96.8.0/24\", \"10.96.8.0/24\"]"));
  EXPECT_EQ(profile.include,
            (std::vector{*packet::Cidr::parse("10.20.0.5/32"), *packet::Cidr::parse("169.254.169.254/32")}));
  EXPECT_EQ(profile.exclude, std::vector{*packet::Cidr::parse("10.96.8.0/24")});
  EXPECT_TRUE(good(whole()).include.empty());
  EXPECT_TRUE(good(whole()).exclude.empty());
  EXPECT_TRUE(good(whole("exclude = [\"10.0.0.0/8\"]")).exclude.size()) << "a wider one leaves the narrower in";
}

TEST(Profile, OnlyTheMetadataAddressOfItsRangeMayBeIncluded) {
  EXPECT_EQ(complaint(whole("include = [\"10.20.0.5\", \"169.254.169.0/24\"]")),
            "/etc/causeway/demo.toml:5:25: 'include': 169.254.169.0/24 takes link-local addresses with it");
  EXPECT_EQ(complaint(whole("include = [\"127.0.0.1\"]")).find("/etc/causeway/demo.toml:5:12: 'include': "), 0u);
  EXPECT_EQ(complaint(whole("exclude = [\"10.96.8.1/24\"]")).find("/etc/causeway/demo.toml:5:12: 'exclude': "), 0u);
}

TEST(Profile, APrefixThatIsToGoBothWaysIsNamedWithBothLists) {
  EXPECT_EQ(
      complaint(whole("exclude = [\"10.1.0.0/16\", \"10.96.0.0/16\"]")),
      "/etc/causeway/demo.toml:5:27: 'exclude': 10.96.0.0/16 is in 'routes' too: it either goes into the tunnel or "
      "does not");
  EXPECT_EQ(
      complaint(whole("include = [\"10.1.0.0/16\"]\nexclude = [\"10.1.0.0/16\"]")),
      "/etc/causeway/demo.toml:6:12: 'exclude': 10.1.0.0/16 is in 'include' too: it either goes into the tunnel or "
      "does not");
}

TEST(Profile, SaysWhatBecomesOfARouteThatAnotherNetworkHas) {
  EXPECT_EQ(good(whole()).conflict, ConflictPolicy::kVirtual);
  EXPECT_EQ(good(whole("conflict = \"virtual\"")).conflict, ConflictPolicy::kVirtual);
  EXPECT_EQ(good(whole("conflict = \"fail\"")).conflict, ConflictPolicy::kFail);
  EXPECT_EQ(good(whole("conflict = \"win\"")).conflict, ConflictPolicy::kWin);
  EXPECT_EQ(complaint(whole("conflict = \"lose\"")),
            "/etc/causeway/demo.toml:5:12: 'conflict': \"lose\" is not one of \"virtual\", \"fail\" and \"win\"");
}

TEST(Profile, BadNamesInDnsAreRefused) {
  EXPECT_NE(complaint(whole("", "domain = \"a..b\"")).find(":7:10: 'dns.domain'"), std::string::npos);
  EXPECT_NE(complaint(whole("", "domain = \"\"")).find(":7:10: 'dns.domain'"), std::string::npos);
  EXPECT_NE(complaint(whole("", "short = \"Shop\"")).find(":7:9: 'dns.short'"), std::string::npos);
  EXPECT_NE(complaint(whole("", "short = \"a.b\"")).find(":7:9: 'dns.short'"), std::string::npos);
  EXPECT_NE(complaint(whole("", "namespaces = [\"shop\", \"a_b\"]")).find(":7:23: 'dns.namespaces'"),
            std::string::npos);
}

TEST(Profile, CountsAreBounded) {
  std::string many = "gateways = [";
  for (int i = 0; i < 17; ++i) many += "\"a:1\", ";
  EXPECT_NE(complaint(with("gateways", many + "]")).find("more than 16"), std::string::npos);
}

TEST(Profile, GarbageNeverThrows) {
  for (std::string_view garbage :
       {std::string_view("\0\0", 2), std::string_view("\xff\xfe"), std::string_view("[dns"),
        std::string_view("dns = 1"), std::string_view("[[dns]]"), std::string_view("gateways = [[[[")}) {
    EXPECT_FALSE(parse_profile(garbage, kSource));
  }
  std::string deep = "a";
  for (int i = 0; i < 10000; ++i) deep += ".a";
  EXPECT_FALSE(parse_profile(deep + " = 1", kSource));
  EXPECT_FALSE(parse_profile("a = " + std::string(100000, '['), kSource));
}

}  // namespace
}  // namespace causeway::config

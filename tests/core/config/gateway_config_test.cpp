#include "core/config/gateway_config.h"

#include <gtest/gtest.h>

namespace causeway::config {
namespace {

std::string error_of(std::string_view text) {
  auto config = parse_gateway_config(text, "/etc/causeway/gateway.toml");
  return config ? "" : config.error().message;
}

TEST(GatewayConfig, ReadsEverything) {
  auto config = parse_gateway_config(R"(
listen = ["0.0.0.0:7700", "[::]:7701"]
key_file = "gateway.key"
clients_file = "/run/clients"
dns = ["10.96.0.10", "[fd00::10]:5353", "fd00::11"]
allow = ["10.96.0.0/12"]
deny = ["10.96.0.90/32", "fd00:96::90"]
log_level = "debug"
[limits]
max_carriers = 10
max_handshakes = 5
sessions_per_client = 2
streams_per_client = 100
dials_per_client = 7
refusals_per_second = 0.5
udp_idle = 30
)",
                                     "/etc/causeway/gateway.toml");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->listen.size(), 2u);
  EXPECT_EQ(config->listen[1].text(), "[::]:7701");
  EXPECT_EQ(config->key_file, "/etc/causeway/gateway.key");
  EXPECT_EQ(config->clients_file, "/run/clients");
  ASSERT_EQ(config->dns.size(), 3u);
  EXPECT_EQ(config->dns[0].text(), "10.96.0.10:53");
  EXPECT_EQ(config->dns[1].text(), "[fd00::10]:5353");
  EXPECT_EQ(config->dns[2].text(), "[fd00::11]:53");
  EXPECT_EQ(config->allow[0].text(), "10.96.0.0/12");
  EXPECT_EQ(config->deny[1].text(), "fd00:96::90/128");
  EXPECT_EQ(config->log_level, "debug");
  EXPECT_EQ(config->limits.max_carriers, 10u);
  EXPECT_EQ(config->limits.max_handshakes, 5u);
  EXPECT_EQ(config->limits.sessions_per_client, 2u);
  EXPECT_EQ(config->limits.streams_per_client, 100u);
  EXPECT_EQ(config->limits.dials_per_client, 7u);
  EXPECT_EQ(config->limits.refusals_per_second, 0.5);
  EXPECT_EQ(config->limits.udp_idle, 30u);
}

TEST(GatewayConfig, MistakesSayWhereAndWhat) {
  EXPECT_EQ(error_of("lisen = []"), "/etc/causeway/gateway.toml:1:1: unknown key 'lisen'; did you mean 'listen'?");
  EXPECT_EQ(error_of("[limits]\nsession_per_client = 3"),
            "/etc/causeway/gateway.toml:2:1: unknown key 'limits.session_per_client'; did you mean "
            "'limits.sessions_per_client'?");
  EXPECT_EQ(error_of("allow = ['10.96.0.1/12']"),
            "/etc/causeway/gateway.toml:1:10: 'allow': \"10.96.0.1/12\" is not a prefix such as \"10.96.0.0/12\"");
  EXPECT_NE(error_of("listen = ['7700']").find("1:11: 'listen': \"7700\" is not an address and port"),
            std::string::npos);
  EXPECT_NE(error_of("listen = ['224.0.0.1:7700']").find("is not an address and port"), std::string::npos);
  EXPECT_NE(error_of("dns = ['10.0.0.1:0']").find("'dns': \"10.0.0.1:0\" is not"), std::string::npos);
  EXPECT_NE(error_of("log_level = 'loud'").find("none of trace, debug"), std::string::npos);
  EXPECT_NE(error_of("key_file = ''").find("not the name of a file"), std::string::npos);
  EXPECT_NE(error_of("[limits]\nmax_carriers = 0").find("2:16: 'limits.max_carriers': 0 is not between 1 and 65536"),
            std::string::npos);
}

}  // namespace
}  // namespace causeway::config

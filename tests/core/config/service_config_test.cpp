#include "core/config/service_config.h"

#include <gtest/gtest.h>

#include "core/config/gateway_config.h"

namespace causeway::config {
namespace {

constexpr std::string_view kOrders = R"([[service]]
name = "orders"
listen = ["0.0.0.0:80"]
original = "orders-v1:80"
)";

std::string error_of(std::string_view text) {
  auto config = parse_gateway_config(text, "g.toml");
  return config ? "" : config.error().message;
}

// The service with one line more, or with the line of that key replaced.
std::string with(std::string_view key, std::string_view line) {
  std::string text(kOrders);
  std::size_t at = text.find(std::string(key) + " =");
  if (at == std::string::npos) return text + std::string(line);
  return text.replace(at, text.find('\n', at) - at, line);
}

TEST(ServiceConfig, ReadsEverything) {
  auto config = parse_gateway_config(R"(
intercept_grace = 2.5
intercept_lease = 60
control_socket = "control.sock"

[[service]]
name = "orders.shop"
listen = ["10.96.0.10:80", "[fd00:96::10]:80"]
protocol = "http"
original = "Orders-V1.shop.svc:8080"
local_down = "refuse"
environment_file = "env/orders.json"
[service.environment]
DB_HOST = "db.shop"
"spring.url" = '''two
lines'''
A = ""

[[service]]
name = "cache"
listen = ["0.0.0.0:6379"]
original = "[fd00::7]:6379"
)",
                                     "/etc/causeway/gateway.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->intercept_grace, 2.5);
  EXPECT_EQ(config->intercept_lease, 60);
  EXPECT_EQ(config->control_socket, "/etc/causeway/control.sock");
  ASSERT_EQ(config->services.size(), 2u);
  const ServiceConfig& orders = config->services[0];
  EXPECT_EQ(orders.name, "orders.shop");
  ASSERT_EQ(orders.listen.size(), 2u);
  EXPECT_EQ(orders.listen[1].text(), "[fd00:96::10]:80");
  EXPECT_TRUE(orders.http);
  EXPECT_EQ(orders.original.text(), "orders-v1.shop.svc:8080");
  EXPECT_TRUE(orders.refuse_when_local_down);
  EXPECT_EQ(orders.environment_file, "/etc/causeway/env/orders.json");
  EXPECT_EQ(orders.environment,
            (environment::Variables{{"DB_HOST", "db.shop"}, {"spring.url", "two\nlines"}, {"A", ""}}));
  const ServiceConfig& cache = config->services[1];
  EXPECT_FALSE(cache.http);
  EXPECT_FALSE(cache.refuse_when_local_down);
  EXPECT_EQ(cache.original.text(), "[fd00::7]:6379");
  EXPECT_TRUE(cache.environment.empty());
}

TEST(ServiceConfig, WithoutOneThereAreDefaults) {
  auto config = parse_gateway_config("", "g.toml");
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->services.empty());
  EXPECT_EQ(config->intercept_grace, 5);
  EXPECT_EQ(config->intercept_lease, 300);
  EXPECT_EQ(config->control_socket, "");
}

TEST(ServiceConfig, MistakesSayWhereAndWhat) {
  EXPECT_EQ(error_of(kOrders), "");
  EXPECT_EQ(error_of(with("name", "name = 'or ders'")),
            "g.toml:2:8: 'service.name': \"or ders\" is not a service's name: letters, digits, '-', '_' and '.'");
  EXPECT_EQ(error_of(with("name", "nam = 'orders'")),
            "g.toml:2:1: unknown key 'service.nam'; did you mean 'service.name'?");
  EXPECT_EQ(
      error_of(with("listen", "listen = ['80']")),
      "g.toml:3:11: 'service.listen': \"80\" is not an address and port such as \"10.96.0.10:80\" or \"[::]:80\"");
  EXPECT_EQ(error_of(with("listen", "listen = []")), "g.toml:3:10: 'service.listen': at least one is needed");
  EXPECT_EQ(error_of(with("listen", "listen = '0.0.0.0:80'")),
            "g.toml:3:10: 'service.listen' must be a list of strings, not a string");
  EXPECT_EQ(
      error_of(with("original", "original = 'orders-v1'")),
      "g.toml:4:12: 'service.original': \"orders-v1\" is not an address or name with a port, such as \"orders-v1:80\"");
  EXPECT_EQ(error_of(with("original", "original = 'orders-v1:0'")).find("g.toml:4:12: "), 0u);
  EXPECT_EQ(error_of(with("protocol", "protocol = 'http2'")),
            "g.toml:5:12: 'service.protocol': \"http2\" is not one of \"tcp\" and \"http\"");
  EXPECT_EQ(error_of(with("local_down", "local_down = 'drop'")),
            "g.toml:5:14: 'service.local_down': \"drop\" is not one of \"original\" and \"refuse\"");
  EXPECT_EQ(error_of(with("environment_file", "environment_file = ''")),
            "g.toml:5:20: 'service.environment_file': it is not the name of a file");
  EXPECT_EQ(error_of("service = 1"), "g.toml:1:11: 'service' must be tables, each beginning with [[service]]");
  EXPECT_EQ(error_of("[service]\nname = 'a'"), "g.toml:1:1: 'service' must be tables, each beginning with [[service]]");
  EXPECT_EQ(error_of("intercept_grace = -1"),
            "g.toml:1:19: 'intercept_grace': it is not between 0.000000 and 3600.000000");
}

TEST(ServiceConfig, WhatIsMissingIsTold) {
  std::string none = error_of("# nothing yet\n[[service]]\n");
  EXPECT_EQ(none, "g.toml:2:1: 'service.name' is missing: what the service is called, such as \"orders\"");
  EXPECT_NE(error_of(with("original", "")).find("'service.original' is missing: who answers while nobody intercepts"),
            std::string::npos);
  EXPECT_NE(error_of(with("listen", "")).find("'service.listen' is missing"), std::string::npos);
}

TEST(ServiceConfig, VariablesAreCheckedOneByOne) {
  auto variables = [](std::string_view lines) {
    return error_of(std::string(kOrders) + "[service.environment]\n" + std::string(lines));
  };
  EXPECT_EQ(variables("PORT = 8080"), "g.toml:6:8: 'service.environment.PORT' must be a string, not a whole number");
  EXPECT_EQ(variables("A = ''\n'B C' = ''").find("g.toml:7:9: 'service.environment.B C': no name of a variable"), 0u);
  EXPECT_EQ(variables("A = \"\\u0000\"").find("g.toml:6:5: 'service.environment.A': a value is text without NUL"), 0u);
  std::string big = "'" + std::string(environment::kMaxValue, 'x') + "'\n";
  EXPECT_EQ(variables("A = " + big + "B = " + big), "");
  EXPECT_EQ(
      variables("A = " + big + "B = " + big + "C = " + big).find("g.toml:8:5: 'service.environment.C': with this one"),
      0u);
}

TEST(ServiceConfig, ServicesDoNotShareNamesOrEndpoints) {
  std::string second = "[[service]]\nname = 'orders'\nlisten = ['0.0.0.0:81']\noriginal = 'x:1'\n";
  EXPECT_EQ(error_of(std::string(kOrders) + second), "g.toml:6:8: 'service.name': there is a service orders already");
  second = "[[service]]\nname = 'cache'\nlisten = ['0.0.0.0:81', '0.0.0.0:80']\noriginal = 'x:1'\n";
  EXPECT_EQ(error_of(std::string(kOrders) + second), "g.toml:7:25: 'service.listen': 0.0.0.0:80 is taken already");
  // Port 0 is any.
  EXPECT_EQ(error_of(with("listen", "listen = ['127.0.0.1:0', '127.0.0.1:0']")), "");
}

TEST(ServiceConfig, NoServiceIsItsOwnOriginal) {
  EXPECT_EQ(error_of(with("original", "original = '127.0.0.1:80'")),
            "g.toml:4:12: 'service.original': 127.0.0.1:80 is where this gateway itself listens for a service");
  EXPECT_EQ(error_of(with("original", "original = '127.0.0.1:8080'")), "");
  std::string other = "[[service]]\nname = 'cache'\nlisten = ['10.0.0.1:81']\noriginal = '10.0.0.1:81'\n";
  EXPECT_NE(error_of(other).find("is where this gateway itself listens"), std::string::npos);
}

TEST(ServiceConfig, ThereAreNotTooMany) {
  std::string many;
  for (std::size_t i = 0; i <= ServiceConfig::kMaxServices; ++i) {
    many += "[[service]]\nname = 's" + std::to_string(i) + "'\nlisten = ['127.0.0.1:0']\noriginal = 'x:1'\n";
  }
  EXPECT_EQ(error_of(many), "g.toml:1025:1: 'service': more than 256");
  std::string listen = "listen = [";
  for (int i = 0; i < 17; ++i) listen += "'127.0.0.1:0', ";
  EXPECT_NE(error_of(with("listen", listen + "]")).find("'service.listen': more than 16"), std::string::npos);
}

}  // namespace
}  // namespace causeway::config

// Profiles, a gateway's configuration and the list of clients, as people and their tools write them.
#include "core/config/authorised_keys.h"
#include "core/config/gateway_config.h"
#include "core/config/profile.h"
#include "core/flow/service_name.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace config;

// What a person reads: one line, saying where.
void check(const Error& error, std::string_view source) {
  CAUSEWAY_ASSERT(error.message.starts_with(source));
  CAUSEWAY_ASSERT(error.message.find('\n') == std::string::npos);
}

// The first byte chooses the kind of file.
bool run(Bytes input) {
  if (input.empty()) return false;
  std::string_view text = as_text(input.subspan(1));
  if (input[0] % 3 == 0) {
    Result<Profile> profile = parse_profile(text, "/etc/causeway/demo.toml");
    if (!profile) check(profile.error(), "/etc/causeway/demo.toml:");
    if (profile) CAUSEWAY_ASSERT(profile->name == "demo" && !profile->gateways.empty());
    return profile.has_value();
  }
  if (input[0] % 3 == 1) {
    Result<GatewayConfig> config = parse_gateway_config(text, "/etc/gateway.toml");
    if (!config) check(config.error(), "/etc/gateway.toml:");
    if (config) CAUSEWAY_ASSERT(is_log_level(config->log_level));
    if (config) {
      for (const ServiceConfig& service : config->services) {
        CAUSEWAY_ASSERT(flow::is_service_name(service.name) && !service.listen.empty() && service.original.port != 0);
        CAUSEWAY_ASSERT(environment::check(service.environment));
      }
    }
    return config.has_value();
  }
  AuthorisedKeys keys = parse_authorised_keys(text, "/etc/clients");
  for (const AuthorisedKey& client : keys.clients) {
    CAUSEWAY_ASSERT(!client.name.empty() && client.name.size() <= 64 && client.line > 0);
  }
  return keys.mistakes.empty() && !keys.clients.empty();
}

std::vector<Seed> seeds() {
  std::string key = "mFNl0cU0SkZ6zNqQ2cTz1VrJr5lJHTnLvwUjLnFHy0A=";
  std::string profile =
      "gateways = [\"203.0.113.7:7700\", \"gw.example.org:7700\"]\ngateway_key = \"" + key +
      "\"\nkey_file = \"laptop.key\"\npsk_file = \"laptop.psk\"\nroutes = [\"10.96.0.0/16\", \"fd00:96::/112\"]\n"
      "[dns]\ndomain = \"cluster.local\"\nnamespaces = [\"shop\"]\nshort = \"shop\"\ntake_over = "
      "true\n[intercept]\nshortcut = false\n";
  std::string gateway =
      "listen = [\"0.0.0.0:7700\", \"[::]:7700\"]\nkey_file = \"gateway.key\"\nclients_file = \"clients\"\n"
      "dns = [\"10.96.0.10\"]\nallow = [\"10.96.0.0/12\"]\ndeny = [\"10.96.0.1/32\"]\nlog_level = \"info\"\n"
      "[limits]\nmax_carriers = 10\nrefusals_per_second = 0.5\nudp_idle = 90\n"
      "[[service]]\nname = \"orders\"\nlisten = [\"0.0.0.0:80\"]\nprotocol = \"http\"\noriginal = \"orders-v1:80\"\n"
      "local_down = \"refuse\"\nenvironment_file = \"orders.env\"\n[service.environment]\nA = \"x\"\n[[service]]\nname "
      "= \"b\"\n"
      "listen = [\"[::]:81\"]\noriginal = \"10.0.0.1:81\"\n";
  std::string clients = "# KEY NAME\n" + key + " alice\n\nEcmkMrcx8F0hOLvPMk8l8uMBaXD8tRk1Xe3oa5cdQxQ= ci  ci.psk\n";
  return {{blob({0}) + blob(profile)},
          {blob({1}) + blob(gateway)},
          {blob({2}) + blob(clients)},
          {blob({0}) + blob("gateways = 3\n[dns\n"), false},
          {blob({1}) + blob("a = 1979-05-27T07:32:00Z\nb = [1, [2, {c = inf}]]\n\"\\u00e9\" = '''x'''\n"), false},
          {blob({2}) + blob("not a key\n"), false}};
}

const Registration kRegistration({"config", run, seeds});

}  // namespace
}  // namespace causeway::fuzz

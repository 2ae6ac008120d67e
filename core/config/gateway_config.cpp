#include "core/config/gateway_config.h"

#include <algorithm>
#include <array>

#include "core/config/toml_reader.h"

namespace causeway::config {
namespace {

constexpr std::array<std::string_view, 6> kLogLevels{"trace", "debug", "info", "warn", "error", "off"};
constexpr std::uint64_t kMany = 1'000'000;

void read_limits(TomlTable table, GatewayLimits& limits) {
  table.read("max_carriers", limits.max_carriers, 1, 65536);
  table.read("max_handshakes", limits.max_handshakes, 1, 65536);
  table.read("sessions_per_client", limits.sessions_per_client, 1, 65536);
  table.read("streams_per_client", limits.streams_per_client, 1, kMany);
  table.read("dials_per_client", limits.dials_per_client, 1, kMany);
  table.read("refusals_per_second", limits.refusals_per_second, 0, 1000);
  table.read("udp_idle", limits.udp_idle, 1, 86400);
}

}  // namespace

std::optional<packet::Endpoint> parse_listen(std::string_view text) {
  auto endpoint = packet::Endpoint::parse(text);
  return endpoint && !endpoint->address.is_multicast() ? endpoint : std::nullopt;
}

std::optional<packet::Endpoint> parse_dns_server(std::string_view text) {
  if (auto address = packet::Address::parse(text)) return packet::Endpoint{*address, 53};
  auto endpoint = packet::Endpoint::parse(text);
  return endpoint && endpoint->port != 0 ? endpoint : std::nullopt;
}

bool is_log_level(std::string_view word) {
  return std::find(kLogLevels.begin(), kLogLevels.end(), word) != kLogLevels.end();
}

Result<GatewayConfig> parse_gateway_config(std::string_view toml, std::string_view source) {
  auto reader = TomlReader::parse(toml, source);
  if (!reader) return tl::make_unexpected(reader.error());
  GatewayConfig config;
  TomlTable root = reader->root();
  root.read_list("listen", config.listen, parse_listen,
                 "an address and port such as \"0.0.0.0:7700\" or \"[::]:7700\"");
  root.read_path("key_file", config.key_file);
  root.read_path("clients_file", config.clients_file);
  root.read_list("dns", config.dns, parse_dns_server, "an address such as \"10.96.0.10\" or \"10.96.0.10:53\"");
  root.read_list("allow", config.allow, packet::Cidr::parse, "a prefix such as \"10.96.0.0/12\"");
  root.read_list("deny", config.deny, packet::Cidr::parse, "a prefix such as \"10.96.0.1/32\"");
  if (root.read("log_level", config.log_level) && !is_log_level(config.log_level)) {
    root.reject("log_level", "\"" + config.log_level + "\" is none of trace, debug, info, warn, error and off");
  }
  root.read("intercept_grace", config.intercept_grace, 0, 3600);
  root.read("intercept_lease", config.intercept_lease, 0, 7 * 86400);
  root.read_path("control_socket", config.control_socket);
  read_limits(root.table("limits"), config.limits);
  config.services = read_services(root);
  if (auto read = reader->finish(); !read) return tl::make_unexpected(read.error());
  return config;
}

}  // namespace causeway::config

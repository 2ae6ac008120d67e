// What a gateway is told: where to listen, who it is, who may enter, what it may dial. TOML text in, values out; reading files is
// platform's.
//
//   listen       = ["0.0.0.0:7700", "[::]:7700"]   # default
//   key_file     = "gateway.key"                   # base64, mode 0600 or stricter
//   clients_file = "clients"                       # see authorised_keys.h; followed while running
//   dns          = ["10.96.0.10"]                  # default: those of resolv.conf
//   allow        = ["10.96.0.0/12"]                # default: all but loopback, link-local, metadata and multicast
//   deny         = ["10.96.0.1/32"]                # wins over `allow`; default: none
//   log_level    = "info"                          # default; or trace, debug, warn, error
//
//   intercept_grace = 5      # seconds that a request may go on once the laptop that has it stopped answering
//   intercept_lease = 300    # seconds that an intercept is kept for a client that is not connected
//   control_socket  = "/run/causeway-gateway/control.sock"   # default, where there are services; for `tun-gateway intercepts`
//
//   [limits]
//   max_carriers        = 1024    # connections of clients in all
//   max_handshakes      = 256     # of those, how many have not shown who they are
//   sessions_per_client = 8
//   streams_per_client  = 16384   # flows open at once
//   dials_per_client    = 1024    # flows being opened at once
//   refusals_per_second = 5       # answers to unknown keys, for each source address
//   udp_idle            = 90      # seconds after which a silent UDP flow is closed
//
//   [[service]]                   # what clients may intercept, any number: see service_config.h
//   name     = "orders"
//   listen   = ["0.0.0.0:80"]
//   original = "orders-v1:80"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/service_config.h"
#include "core/packet/address.h"

namespace causeway::config {

inline constexpr std::uint16_t kGatewayPort = 7700;
inline constexpr const char* kGatewayControl = "/run/causeway-gateway/control.sock";

struct GatewayLimits {
  std::uint64_t max_carriers = 1024;
  std::uint64_t max_handshakes = 256;
  std::uint64_t sessions_per_client = 8;
  std::uint64_t streams_per_client = 16384;
  std::uint64_t dials_per_client = 1024;
  double refusals_per_second = 5;
  std::uint64_t udp_idle = 90;  // seconds
};

struct GatewayConfig {
  std::vector<packet::Endpoint> listen;  // empty: kGatewayPort of all addresses
  std::string key_file;
  std::string clients_file;
  std::vector<packet::Endpoint> dns;  // empty: those of resolv.conf
  std::vector<packet::Cidr> allow, deny;
  std::string log_level = "info";
  GatewayLimits limits;
  std::vector<ServiceConfig> services;
  double intercept_grace = 5, intercept_lease = 300;  // seconds
  std::string control_socket;                         // empty: kGatewayControl, where there are services
};

// `source` names the text in errors; relative file names are meant from its folder.
Result<GatewayConfig> parse_gateway_config(std::string_view toml, std::string_view source);

// "0.0.0.0:7700", "[::]:7700".
std::optional<packet::Endpoint> parse_listen(std::string_view text);
// "10.96.0.10", "fd00::10", "10.96.0.10:5353", "[fd00::10]:5353".
std::optional<packet::Endpoint> parse_dns_server(std::string_view text);
bool is_log_level(std::string_view word);

}  // namespace causeway::config

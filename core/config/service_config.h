// The services of a gateway that clients may intercept, as its configuration lists them.
//
//   [[service]]
//   name             = "orders"                        # see core/flow/service_name.h
//   listen           = ["10.96.0.10:80", "[::]:8080"]  # where the cluster reaches it
//   protocol         = "http"                          # HTTP/1.x: requests can be told apart; default: "tcp"
//   original         = "orders-v1.shop:80"             # who answers while nobody intercepts
//   local_down       = "original"                      # who answers when the local process does not listen; default; or "refuse"
//   environment_file = "orders.env"                    # *.sh, *.json, anything else is docker's; read when the gateway starts
//
//   [service.environment]                              # what who intercepts it gets; wins over the file
//   DB_HOST          = "db.shop"
#pragma once

#include <string>
#include <vector>

#include "core/config/host_port.h"
#include "core/environment/variables.h"
#include "core/packet/address.h"

namespace causeway::config {

class TomlTable;

struct ServiceConfig {
  static constexpr std::size_t kMaxServices = 256;
  static constexpr std::size_t kMaxListen = 16;

  std::string name;
  std::vector<packet::Endpoint> listen;
  bool http = false;
  HostPort original;
  bool refuse_when_local_down = false;
  environment::Variables environment;
  std::string environment_file;  // empty: none
};

// Each [[service]] of `root`. Mistakes are noted there; two services neither share a name nor an endpoint, and none is its own original.
std::vector<ServiceConfig> read_services(TomlTable& root);

}  // namespace causeway::config

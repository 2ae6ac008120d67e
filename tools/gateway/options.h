// tun-gateway's command line and configuration file, put together.
#pragma once

#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/config/gateway_config.h"

namespace causeway::gateway {

struct Options {
  config::GatewayConfig config;
  std::string source;  // the configuration file; empty: none
  bool check = false;  // only look at the configuration
  // What an administrator asks the gateway that runs already; otherwise this one is to run.
  enum class Verb { kServe, kIntercepts, kFree } verb = Verb::kServe;
  bool json = false;
  std::string service, owner;
};

// Flags win over the file. Ends the process itself for --help, --version and a command line that is none.
Result<Options> read_options(int argc, char** argv);

}  // namespace causeway::gateway

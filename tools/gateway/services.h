// The services of the configuration as the driver takes them.
#pragma once

#include <vector>

#include "core/base/result.h"
#include "core/config/gateway_config.h"
#include "platform/gateway/gateway_driver.h"

namespace causeway::gateway {

// Reads their environment files. Fails, naming the service, where one cannot be read or does not hold variables.
Result<std::vector<platform::ServiceSettings>> read_services(const config::GatewayConfig& config);

}  // namespace causeway::gateway

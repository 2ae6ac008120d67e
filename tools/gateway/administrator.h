// What an administrator types on the gateway's machine, and the gateway's answer to it.
#pragma once

#include <memory>
#include <string>

#include "core/config/gateway_config.h"
#include "platform/control/question_server.h"
#include "platform/gateway/gateway_driver.h"

namespace causeway::gateway {

// `tun-gateway intercepts [--json]` and `tun-gateway free SERVICE [--owner NAME]`: the process's exit code.
int show_intercepts(const std::string& socket, bool json);
int free_service(const std::string& socket, const std::string& service, const std::string& owner);

// Where they are answered.
std::string control_socket_of(const config::GatewayConfig& config);
// Listens there; nothing where there are no services and no socket was asked for, or where the default one cannot be had, which is logged.
// The driver outlives it.
Result<std::unique_ptr<platform::QuestionServer>> serve_administrator(platform::Loop& loop,
                                                                      platform::GatewayDriver& driver,
                                                                      const config::GatewayConfig& config);

}  // namespace causeway::gateway

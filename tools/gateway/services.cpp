#include "tools/gateway/services.h"

#include "core/environment/syntax.h"
#include "platform/net/secret_file.h"

namespace causeway::gateway {
namespace {

// What quotes and names' repetition add to the values that are allowed.
constexpr std::size_t kMaxFile = 4 * environment::kMaxBytes;

Result<environment::Variables> read_environment(const config::ServiceConfig& service) {
  if (service.environment_file.empty()) return service.environment;
  auto text = platform::read_text_file(service.environment_file, kMaxFile);
  if (!text) return tl::make_unexpected(text.error());
  auto variables =
      environment::read(*text, environment::syntax_of_file(service.environment_file), service.environment_file);
  if (!variables) return tl::make_unexpected(variables.error());
  environment::Variables all = environment::merged(std::move(*variables), service.environment);
  if (auto checked = environment::check(all); !checked) return tl::make_unexpected(checked.error());
  return all;
}

flow::Destination destination_of(const config::HostPort& host) {
  flow::Destination to;
  to.endpoint.port = host.port;
  if (auto address = packet::Address::parse(host.host)) {
    to.endpoint.address = *address;
  } else {
    to.name = host.host;
  }
  return to;
}

}  // namespace

Result<std::vector<platform::ServiceSettings>> read_services(const config::GatewayConfig& config) {
  std::vector<platform::ServiceSettings> services;
  for (const config::ServiceConfig& from : config.services) {
    auto environment = read_environment(from);
    if (!environment) return tl::make_unexpected(std::move(environment.error()).in("service " + from.name));
    platform::ServiceSettings& to = services.emplace_back();
    to.engine.name = from.name;
    to.engine.http = from.http;
    to.engine.original = destination_of(from.original);
    to.engine.original_when_down = !from.refuse_when_local_down;
    to.listen = from.listen;
    to.environment = std::move(*environment);
  }
  return services;
}

}  // namespace causeway::gateway

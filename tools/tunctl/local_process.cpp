#include "tools/tunctl/local_process.h"

#include "platform/net/listening.h"

namespace causeway::tunctl {

std::optional<packet::Endpoint> listening_place(const InterceptOptions& options, std::uint16_t port) {
  packet::Endpoint usual = usual_place(options, port);
  if (platform::listens(usual)) return usual;
  packet::Endpoint other{*packet::Address::parse("::1"), port};
  return !options.address && platform::listens(other) ? std::optional(other) : std::nullopt;
}

packet::Endpoint usual_place(const InterceptOptions& options, std::uint16_t port) {
  return {options.address.value_or(packet::Address::v4(127, 0, 0, 1)), port};
}

std::uint16_t port_of(const control::ServiceAnswer& service) {
  if (service.listen.empty()) return 0;
  auto endpoint = packet::Endpoint::parse(service.listen.front());
  return endpoint ? endpoint->port : std::uint16_t(0);
}

}  // namespace causeway::tunctl

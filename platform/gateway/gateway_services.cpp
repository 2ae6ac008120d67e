// The services' listeners, and the gateway's own connections to them.
#include "platform/gateway/gateway_driver.h"
#include "platform/net/interfaces.h"
#include "platform/relay/tcp_relay.h"

namespace causeway::platform {

Result<void> GatewayDriver::listen_for_services() {
  for (engine::ServiceId id = 0; id < settings_.services.size(); ++id) {
    const ServiceSettings& service = settings_.services[id];
    auto& listeners = service_listeners_.emplace_back();
    for (const packet::Endpoint& at : service.listen) {
      auto listener = Listener::open(loop_, at, [this, id](Descriptor socket, const packet::Endpoint& source) {
        service_accepted(id, std::move(socket), source);
      });
      if (!listener) return tl::make_unexpected(std::move(listener.error()).in("service " + service.engine.name));
      listeners.push_back(std::move(*listener));
    }
    know_endpoints(id);
  }
  return {};
}

// Where the cluster reaches it: a listener of all addresses is reached at each of this machine's.
void GatewayDriver::know_endpoints(engine::ServiceId id) {
  std::vector<packet::Endpoint> endpoints;
  for (const auto& listener : service_listeners_[id]) {
    const packet::Endpoint& at = listener->endpoint();
    if (!at.address.is_unspecified()) {
      endpoints.push_back(at);
      continue;
    }
    for (const packet::Address& address : own_addresses()) {
      const bool reached = !address.is_loopback() && !address.is_link_local() && address.is_v4() == at.address.is_v4();
      if (reached) endpoints.push_back({address, at.port});
    }
  }
  engine_.set_endpoints(id, std::move(endpoints));
}

void GatewayDriver::service_accepted(engine::ServiceId service, Descriptor socket, const packet::Endpoint& source) {
  const engine::RelayId id =
      relays_.size() < settings_.max_relays ? engine_.service_accepted(service, source, boot_now()) : 0;
  touched();
  if (id == 0) return;
  start_relay(id, std::make_unique<TcpRelay>(relay_host(), id, std::move(socket)));
}

void GatewayDriver::dial_probe(const engine::GatewayEvent& event) {
  if (relays_.size() >= settings_.max_relays) return dial_failed(event.relay, link::Reason::kLimit);
  packet::Endpoint at = service_listeners_.at(event.service).front()->endpoint();
  if (at.address.is_unspecified()) at.address = *packet::Address::parse(at.address.is_v4() ? "127.0.0.1" : "::1");
  auto from = [this, relay = event.relay](const packet::Endpoint& local) { engine_.probe_from(relay, local); };
  start_relay(event.relay, std::make_unique<TcpRelay>(relay_host(), event.relay, std::vector{at}, from));
}

std::size_t GatewayDriver::free_intercepts(std::string_view service, std::string_view owner) {
  const std::size_t freed = engine_.free_intercepts(service, owner, boot_now());
  touched();
  return freed;
}

}  // namespace causeway::platform

// From a destination to a relay: names, the policy, the kind of socket.
#include <algorithm>

#include "platform/gateway/datagram_relay.h"
#include "platform/gateway/dns_relay.h"
#include "platform/gateway/gateway_driver.h"
#include "platform/log.h"
#include "platform/net/interfaces.h"
#include "platform/net/secret_file.h"
#include "platform/relay/tcp_relay.h"

namespace causeway::platform {
namespace {

constexpr Duration kOwnAddressesAge = std::chrono::seconds(30);
constexpr Duration kKnownAge = std::chrono::seconds(5);
constexpr std::size_t kMaxCandidates = 8;
constexpr std::size_t kMaxResolvConf = 64 * 1024;

link::Reason reason_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound: return link::Reason::kNameNotFound;
    case ErrorCode::kTimedOut: return link::Reason::kTimedOut;
    default: return link::Reason::kHostUnreachable;
  }
}

}  // namespace

void GatewayDriver::dial(const engine::GatewayEvent& event) {
  if (relays_.size() >= settings_.max_relays) return dial_failed(event.relay, link::Reason::kLimit);
  const flow::Destination& to = event.destination;
  if (to.protocol == flow::Protocol::kDns)
    return start_relay(event.relay, std::make_unique<DnsRelay>(relay_host(), event.relay));
  if (to.name.empty()) return open(event, {to.endpoint});
  if (event.configured) {
    auto known = known_.find(to.name);
    if (known != known_.end() && boot_now() - known->second.since < kKnownAge) return open(event, known->second.addresses);
  }
  relays_[event.relay] = nullptr;
  if (!names_) names_ = std::make_unique<NameLookup>(loop_, settings_.dns);
  names_->find(to.name, [this, event](Result<std::vector<packet::Address>> addresses) {
    if (!relays_.contains(event.relay)) return;  // the client has given up
    const bool known = event.configured && known_.contains(event.destination.name);
    if (!addresses && !known) return dial_failed(event.relay, reason_of(addresses.error()));
    if (!addresses) return open(event, known_[event.destination.name].addresses);  // better the old ones than none
    if (event.configured) known_[event.destination.name] = {*addresses, boot_now()};
    open(event, *addresses);
  });
}

void GatewayDriver::open(const engine::GatewayEvent& dial, const std::vector<packet::Address>& addresses) {
  std::vector<packet::Endpoint> candidates;
  for (const packet::Address& address : addresses) candidates.push_back({address, dial.destination.endpoint.port});
  open(dial, std::move(candidates));
}

void GatewayDriver::open(const engine::GatewayEvent& dial, std::vector<packet::Endpoint> candidates) {
  if (boot_now() - own_known_ > kOwnAddressesAge) know_own_addresses();
  for (packet::Endpoint& candidate : candidates) candidate.address = candidate.address.unmapped();
  // Where a service's own backend is says who runs the gateway, not a client.
  if (!dial.configured) std::erase_if(candidates, [&](const packet::Endpoint& each) { return !settings_.policy.allows(each); });
  if (candidates.empty()) {
    spdlog::debug("{}: {} is forbidden", printable(dial.client), printable(dial.destination.text()));
    return dial_failed(dial.relay, link::Reason::kForbidden);
  }
  candidates.resize(std::min(candidates.size(), kMaxCandidates));
  if (dial.destination.protocol == flow::Protocol::kTcp)
    return start_relay(dial.relay, std::make_unique<TcpRelay>(relay_host(), dial.relay, std::move(candidates)));
  start_relay(dial.relay, std::make_unique<DatagramRelay>(relay_host(), dial.relay, dial.destination.protocol, std::move(candidates)));
}

void GatewayDriver::start_relay(engine::RelayId id, std::unique_ptr<Relay> fresh) {
  Relay& started = *(relays_[id] = std::move(fresh));
  started.start();
}

void GatewayDriver::know_own_addresses() {
  own_known_ = boot_now();
  std::vector<packet::Endpoint> own = listening();
  for (const packet::Address& address : own_addresses()) {
    for (const auto& listener : listeners_) own.push_back({address, listener->endpoint().port});
  }
  settings_.policy.set_own(std::move(own));
}

void GatewayDriver::read_resolv_conf() {
  auto text = read_text_file(kResolvConf, kMaxResolvConf);
  std::vector<packet::Endpoint> servers = text ? resolv_conf_servers(*text) : std::vector<packet::Endpoint>();
  // As the C library does where none is named.
  if (servers.empty()) servers.push_back({packet::Address::v4(127, 0, 0, 1), 53});
  if (servers == dns_servers_) return;
  dns_servers_ = std::move(servers);
  names_.reset();
  std::string list;
  for (const packet::Endpoint& server : dns_servers_) list += (list.empty() ? "" : ", ") + server.text();
  spdlog::info("DNS servers: {}", list);
}

}  // namespace causeway::platform

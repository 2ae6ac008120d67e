// From a destination to a relay: names, the policy, the kind of socket.
#include <algorithm>

#include "platform/gateway/datagram_relay.h"
#include "platform/gateway/dns_relay.h"
#include "platform/gateway/gateway_driver.h"
#include "platform/gateway/tcp_relay.h"
#include "platform/log.h"
#include "platform/net/interfaces.h"
#include "platform/net/secret_file.h"

namespace causeway::platform {
namespace {

constexpr Duration kOwnAddressesAge = std::chrono::seconds(30);
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
  if (to.name.empty()) return open(event.relay, event.client, to, {to.endpoint});
  relays_[event.relay] = nullptr;
  if (!names_) names_ = std::make_unique<NameLookup>(loop_, settings_.dns);
  names_->find(to.name,
               [this, id = event.relay, client = event.client, to](Result<std::vector<packet::Address>> addresses) {
                 if (!relays_.contains(id)) return;  // the client has given up
                 if (!addresses) return dial_failed(id, reason_of(addresses.error()));
                 std::vector<packet::Endpoint> candidates;
                 for (const packet::Address& address : *addresses) candidates.push_back({address, to.endpoint.port});
                 open(id, client, to, std::move(candidates));
               });
}

void GatewayDriver::open(engine::RelayId id, const std::string& client, const flow::Destination& to,
                         std::vector<packet::Endpoint> candidates) {
  if (boot_now() - own_known_ > kOwnAddressesAge) know_own_addresses();
  for (packet::Endpoint& candidate : candidates) candidate.address = candidate.address.unmapped();
  std::erase_if(candidates, [&](const packet::Endpoint& candidate) { return !settings_.policy.allows(candidate); });
  if (candidates.empty()) {
    spdlog::debug("{}: {} is forbidden", printable(client), printable(to.text()));
    return dial_failed(id, link::Reason::kForbidden);
  }
  candidates.resize(std::min(candidates.size(), kMaxCandidates));
  if (to.protocol == flow::Protocol::kTcp)
    return start_relay(id, std::make_unique<TcpRelay>(relay_host(), id, std::move(candidates)));
  start_relay(id, std::make_unique<DatagramRelay>(relay_host(), id, to.protocol, std::move(candidates)));
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

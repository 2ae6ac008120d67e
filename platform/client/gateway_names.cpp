#include "platform/client/gateway_names.h"

#include <ares.h>

#include "platform/net/socket.h"

namespace causeway::platform {

struct GatewayNames::Lookup {
  GatewayNames* names;
  std::size_t which;
};

GatewayNames::GatewayNames(Loop& loop) : loop_(loop), settled_(loop, [this] { finish(); }) {}

GatewayNames::~GatewayNames() { cancel(); }

void GatewayNames::cancel() {
  done_ = nullptr;
  channel_.reset();
}

void GatewayNames::resolve(const std::vector<config::HostPort>& gateways, const MachineResolver& machine, Done done) {
  cancel();
  done_ = std::move(done);
  targets_.clear();
  has_servers_ = !machine.servers.empty();
  for (const config::HostPort& gateway : gateways) targets_.push_back({gateway, {}, {}});
  pending_ = 1;  // this call itself: lookups may settle before it returns
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (auto address = packet::Address::parse(gateways[i].host)) {
      targets_[i].endpoints.push_back({*address, gateways[i].port});
    } else {
      look_up(i, machine);
    }
  }
  if (channel_) channel_->schedule();
  if (--pending_ == 0) settled_.ask();
}

void GatewayNames::look_up(std::size_t which, const MachineResolver& machine) {
  if (!channel_) {
    DnsChannel::Options options;
    options.servers = machine.servers;
    options.search = machine.search;
    options.hosts_file = true;
    auto channel = DnsChannel::create(loop_, options);
    if (!channel) {
      targets_[which].trouble = channel.error().message;
      return;
    }
    channel_ = std::move(*channel);
  }
  ++pending_;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(
      channel_->raw(), targets_[which].gateway.host.c_str(), nullptr, &hints,
      [](void* arg, int status, int, ares_addrinfo* info) {
        std::unique_ptr<Lookup> lookup(static_cast<Lookup*>(arg));
        std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(info, ares_freeaddrinfo);
        if (status == ARES_EDESTRUCTION) return;
        GatewayTarget& target = lookup->names->targets_[lookup->which];
        if (status != ARES_SUCCESS) {
          target.trouble = lookup->names->has_servers_ ? dns_error_text(status)
                                                       : "not in the hosts file, and this machine has no DNS server";
        }
        for (const ares_addrinfo_node* node = info ? info->nodes : nullptr; node; node = node->ai_next) {
          SocketAddress address;
          std::memcpy(&address.storage, node->ai_addr, node->ai_addrlen);
          target.endpoints.push_back({address.endpoint().address, target.gateway.port});
        }
        if (--lookup->names->pending_ == 0) lookup->names->settled_.ask();
      },
      new Lookup{this, which});
}

void GatewayNames::finish() {
  if (!done_) return;
  channel_.reset();
  Done done = std::exchange(done_, nullptr);
  done(std::move(targets_));
}

}  // namespace causeway::platform

// From the gateways of a profile to addresses that can be dialled. Names are looked up at the machine's own servers, never through
// a tunnel.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/config/profile.h"
#include "platform/client/dns_channel.h"
#include "platform/host/host.h"

namespace causeway::platform {

struct GatewayTarget {
  config::HostPort gateway;
  std::vector<packet::Endpoint> endpoints;
  std::string trouble;  // why there are none
};

class GatewayNames {
 public:
  using Done = std::function<void(std::vector<GatewayTarget>)>;

  explicit GatewayNames(Loop& loop);
  ~GatewayNames();

  // `done` comes at the end of this turn or a later one, with a target for each gateway in the same order. Asking again forgets
  // what was asked before.
  void resolve(const std::vector<config::HostPort>& gateways, const MachineResolver& machine, Done done);
  void cancel();

 private:
  struct Lookup;
  void look_up(std::size_t which, const MachineResolver& machine);
  void finish();

  Loop& loop_;
  std::vector<GatewayTarget> targets_;
  Done done_;
  std::unique_ptr<DnsChannel> channel_;
  bool has_servers_ = false;
  std::size_t pending_ = 0;
  TurnEnd settled_;
};

}  // namespace causeway::platform

// The kernel's devices, addresses, routes and routing rules, through libnl. Everything waits for the kernel's acknowledgement.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "platform/host/route.h"

struct nl_sock;

namespace causeway::platform {

class Netlink {
 public:
  static Result<Netlink> open();

  // 0 where there is no device of that name.
  static unsigned device_index(const std::string& name);
  // "eth0", or "device 7" where it has gone.
  static std::string device_text(unsigned index);

  // "WireGuard", "TUN", "PPP" and the like; empty for a device that is one to the network, or has gone.
  std::string device_kind(unsigned index);

  // Of all tables, both families.
  Result<std::vector<Route>> routes();
  Result<std::vector<RoutingRule>> rules();
  // The device that holds the address; 0: none does.
  Result<unsigned> holder_of(const packet::Address& address);
  Result<std::vector<packet::Address>> addresses_of(unsigned index);
  // False where it has gone.
  bool is_up(unsigned index);
  // The device that packets to the address leave by, all rules and tables considered; 0: there is no way.
  unsigned device_towards(const packet::Address& address);

  // Sets the MTU, brings it up, and keeps the kernel from giving it an IPv6 address of its own.
  Result<void> start_device(unsigned index, std::uint16_t mtu);
  Result<void> remove_device(unsigned index);
  // Full length, valid at once (no duplicate address detection).
  Result<void> add_address(unsigned index, const packet::Address& address);
  // kConflict where there is one already.
  Result<void> add_route(const Route& route);
  // kNotFound where it is not there.
  Result<void> remove_route(const Route& route);
  // As with routes. kUnavailable where the kernel has no rules.
  Result<void> add_rule(const RoutingRule& rule);
  Result<void> remove_rule(const RoutingRule& rule);

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  explicit Netlink(nl_sock* socket) : socket_(socket) {}
  std::unique_ptr<nl_sock, Free> socket_;
};

}  // namespace causeway::platform

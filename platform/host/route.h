// Routes and routing rules of this machine, as far as we look at them, and as we make them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/packet/address.h"

namespace causeway::platform {

// Marks the routes and rules that we make: `ip route` shows "proto 199". No other program is known to use it.
inline constexpr std::uint8_t kRouteProtocol = 199;

// Each profile has a routing table of its own, the first of these that nobody uses, and a rule for each family that has it asked
// before the machine's other tables (but for `local`) and before the rules of the VPNs that are known.
inline constexpr std::uint32_t kFirstTable = 7700;
inline constexpr std::uint32_t kTables = 256;
inline constexpr std::uint32_t kRulePriority = 5000;

struct Route {
  // kThrow: the search goes on with the next rule, as if the table had nothing. kOther: unreachable, blackhole, broadcast...
  enum class Kind : std::uint8_t { kUnicast, kLocal, kThrow, kOther };
  Kind kind = Kind::kUnicast;
  packet::Cidr destination;
  std::uint32_t table = 0;
  std::uint8_t protocol = kRouteProtocol;
  unsigned device = 0;                 // by index; of the first next hop, 0: it has none
  std::optional<packet::Address> via;  // none: on the link
};

struct RoutingRule {
  bool v4 = true;
  std::uint32_t priority = 0;
  std::uint32_t table = 0;  // 0: it names none
  std::uint8_t protocol = kRouteProtocol;

  friend bool operator==(const RoutingRule&, const RoutingRule&) = default;
};

}  // namespace causeway::platform

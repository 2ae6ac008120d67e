// A route of this machine, as far as we look at it, and as we make it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/packet/address.h"

namespace causeway::platform {

// Marks the routes that we make: `ip route` shows "proto 199". No other program is known to use it.
inline constexpr std::uint8_t kRouteProtocol = 199;

struct Route {
  enum class Kind : std::uint8_t { kUnicast, kLocal, kOther };  // kOther: unreachable, blackhole, broadcast...
  Kind kind = Kind::kUnicast;
  packet::Cidr destination;
  bool main_table = true;
  std::uint32_t metric = 0;
  std::uint8_t protocol = kRouteProtocol;
  unsigned device = 0;                 // by index; of the first next hop that is alive, 0: none is
  std::optional<packet::Address> via;  // none: on the link
  bool on_link = false;                // `via` is to be taken for reachable on the device
  std::optional<packet::Address> source;

  // It is the same way to the same place; metrics and marks apart.
  bool same_way(const Route& other) const {
    return destination == other.destination && device == other.device && via == other.via;
  }
};

}  // namespace causeway::platform

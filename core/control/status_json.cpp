// `tunctl status --json`: the fields of a `tunnel` answer, in their order, counters by name.
#include "core/control/json.h"

namespace causeway::control {

std::string status_json(const std::vector<TunnelAnswer>& tunnels) {
  using json::Ordered;
  Ordered list = Ordered::array();
  for (const TunnelAnswer& tunnel : tunnels) {
    Ordered object{{"profile", tunnel.profile},
                   {"state", tunnel.state},
                   {"owner", tunnel.owner},
                   {"device", tunnel.device},
                   {"gateway", tunnel.gateway},
                   {"gateway_key", tunnel.gateway_key},
                   {"own_key", tunnel.own_key},
                   {"last_error", tunnel.last_error},
                   {"up_for_s", tunnel.up_for.count()},
                   {"round_trip_us", nullptr},
                   {"icmp", tunnel.icmp},
                   {"resolver", tunnel.resolver},
                   {"cipher", tunnel.cipher},
                   {"routes", tunnel.routes},
                   {"addresses", tunnel.addresses},
                   {"dns_servers", tunnel.dns_servers},
                   {"skipped_routes", tunnel.skipped_routes},
                   {"intercepts", tunnel.intercepts},
                   {"counters", Ordered::object()}};
    if (tunnel.round_trip) object["round_trip_us"] = tunnel.round_trip->count();
    for (const auto& [name, value] : tunnel.counters) object["counters"][name] = value;
    list.push_back(std::move(object));
  }
  return json::indented(Ordered{{"tunnels", std::move(list)}});
}

}  // namespace causeway::control

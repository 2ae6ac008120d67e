// The routes of MachineHost: what is in their way, what they are to be, and what they become while a profile is attached.
#include <algorithm>

#include "platform/host/files.h"
#include "platform/host/machine_host.h"
#include "platform/host/request_check.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;

std::string holder_text(Netlink& netlink, const Route& route) {
  std::string name = Netlink::device_text(route.device), kind = netlink.device_kind(route.device);
  if (name.starts_with("cw-")) return name + " (the profile " + name.substr(3) + ')';
  if (!kind.empty()) return name + " (" + kind + ')';
  return route.via ? name + ", by " + route.via->text() : name;
}

}  // namespace

bool MachineHost::ipv6_usable() {
  auto off = [](const char* which) {
    auto text = read_file(std::string("/proc/sys/net/ipv6/conf/") + which + "/disable_ipv6", 16);
    return !text || text->front() != '0';
  };
  return !off("all") && !off("default");
}

Result<std::vector<RouteConflict>> MachineHost::conflicts(const ConflictsRequest& request) {
  if (auto checked = check_request(request); !checked) return tl::make_unexpected(std::move(checked.error()));
  auto netlink = Netlink::open();
  if (!netlink) return tl::make_unexpected(std::move(netlink.error()));
  auto machine = MachineRoutes::look(*netlink);
  if (!machine) return tl::make_unexpected(std::move(machine.error()));
  unsigned own = Netlink::device_index(device_name(request.profile));
  std::vector<HeldRoute> held;
  for (const Route& route : machine->routes) {
    if (route.kind != Route::Kind::kUnicast || route.device == own || !machine->consulted(route.table)) continue;
    // Names are asked for only where they are needed.
    auto near = [&](const Cidr& prefix) { return prefix.overlaps(route.destination); };
    if (std::none_of(request.routes.begin(), request.routes.end(), near)) continue;
    held.push_back({route.destination, holder_text(*netlink, route)});
  }
  return find_conflicts(request.routes, request.include, request.exclude, held);
}

Result<RoutePlan> MachineHost::plan(const RoutesRequest& request, const MachineRoutes& machine) {
  const Attached* self = nullptr;
  std::vector<KeptAddress> keep;
  for (const Address& address : request.keep) keep.push_back({address.unmapped(), "the gateway"});
  for (const Attached& other : attached_) {
    if (other.profile == request.profile) self = &other;
    if (&other == self) continue;
    for (const Address& address : other.keep) keep.push_back({address.unmapped(), "the gateway of " + other.profile});
  }
  for (const Route& route : machine.routes) {
    bool is_default = route.destination.length() == 0 && route.kind == Route::Kind::kUnicast;
    if (is_default && route.via && machine.consulted(route.table))
      keep.push_back({*route.via, "the machine's default gateway"});
  }
  auto resolver = resolver_.look(self ? self->changes.addresses : std::vector<Address>());
  if (!resolver) return tl::make_unexpected(std::move(resolver.error()));
  for (const Address& server : resolver_.reached_by(*resolver)) {
    keep.push_back({server.unmapped(), "the machine's DNS server"});
  }
  std::vector<Cidr> wanted = request.routes, off;
  if (!ipv6_usable()) {
    auto is_v4 = [](const Cidr& route) { return route.network().is_v4(); };
    auto first = std::stable_partition(wanted.begin(), wanted.end(), is_v4);
    off.assign(first, wanted.end());
    wanted.erase(first, wanted.end());
  }
  auto plan = plan_routes(wanted, request.exclude, keep);
  if (plan) plan->skipped = std::move(off);
  return plan;
}

// Before there is anything of ours: what the kernel says now it will say of what the table throws.
Result<void> MachineHost::check_way(Netlink& netlink, const NetworkRequest& request, const RoutePlan& plan) {
  for (const Address& each : request.keep) {
    Address address = each.unmapped();
    Cidr host(address, address.bits());
    bool kept = std::find(plan.thrown.begin(), plan.thrown.end(), host) != plan.thrown.end();
    if (!kept || netlink.device_towards(address) != 0) continue;
    return fail(ErrorCode::kConflict,
                "the gateway " + address.text() + " lies in a route of the profile, and there is no other way to it",
                "narrow that route, or exclude the gateway's network");
  }
  return {};
}

// A rule that is asked before ours may send it anywhere: the kernel has the last word.
Result<void> MachineHost::check_kept(Netlink& netlink, const std::vector<Address>& keep, unsigned index) {
  for (const Address& address : keep) {
    if (netlink.device_towards(address.unmapped()) == index) {
      return fail(ErrorCode::kConflict, "the gateway " + address.text() + " would be reached through its own tunnel",
                  "look at the machine's routing rules: ip rule, ip route get " + address.text());
    }
  }
  return {};
}

Result<std::vector<Address>> MachineHost::missing_addresses(Netlink& netlink, const Attached& attached) {
  auto there = netlink.addresses_of(attached.changes.index);
  if (!there) return there;
  std::vector<Address> missing = attached.changes.addresses;
  std::erase_if(missing, [&](const Address& one) { return std::find(there->begin(), there->end(), one) != there->end(); });
  return missing;
}

Result<void> MachineHost::restore_device(Netlink& netlink, const Attached& attached,
                                         const std::vector<Address>& missing) {
  unsigned index = attached.changes.index;
  Result<void> done = netlink.is_up(index) ? Result<void>() : netlink.start_device(index, attached.mtu);
  for (auto at = missing.begin(); done && at != missing.end(); ++at) done = netlink.add_address(index, *at);
  return done;
}

Result<ChangedRoutes> MachineHost::change_routes(const RoutesRequest& request) {
  if (auto checked = check_request(request); !checked) return tl::make_unexpected(std::move(checked.error()));
  auto found = find(request.profile);
  if (found == attached_.end()) return fail(ErrorCode::kNotFound, request.profile + " is not attached");
  Attached& attached = *found;
  auto netlink = Netlink::open();
  if (!netlink) return tl::make_unexpected(std::move(netlink.error()));
  if (Netlink::device_index(attached.changes.device) != attached.changes.index)
    return fail(ErrorCode::kNotFound, attached.changes.device + " is gone: another program removed it");
  ChangedRoutes changed;
  auto addresses = missing_addresses(*netlink, attached);
  if (!addresses) return tl::make_unexpected(std::move(addresses.error()));
  if (!netlink->is_up(attached.changes.index)) changed.lost.push_back("that " + attached.changes.device + " is up");
  for (const Address& address : *addresses) changed.lost.push_back("the address " + address.text());
  if (request.repair) {
    if (auto restored = restore_device(*netlink, attached, *addresses); !restored)
      return tl::make_unexpected(std::move(restored.error()));
  }

  // A device that is down has no routes, and takes none.
  if (!netlink->is_up(attached.changes.index)) return changed;
  auto machine = MachineRoutes::look(*netlink);
  if (!machine) return tl::make_unexpected(std::move(machine.error()));
  auto planned = plan(request, *machine);
  if (!planned) return tl::make_unexpected(std::move(planned.error()));
  TableDifference lost = compare(attached.table, *machine);
  for (const Route& route : lost.missing) changed.lost.push_back("the route " + route.destination.text());
  for (const RoutingRule& rule : lost.missing_rules)
    changed.lost.push_back(std::string("the routing rule for ") + (rule.v4 ? "IPv4" : "IPv6"));

  RoutingTable next = attached.table;
  next.plan = std::move(*planned);
  for (const Cidr& route : next.plan.routes) (route.network().is_v4() ? next.v4 : next.v6) = true;
  TableDifference difference = compare(next, *machine);
  if (!request.repair) {
    auto is_lost = [&](const Route& route) {
      return std::any_of(lost.missing.begin(), lost.missing.end(), [&](const Route& one) {
        return one.destination == route.destination && one.kind == route.kind;
      });
    };
    std::erase_if(difference.missing, is_lost);
    std::erase_if(difference.missing_rules, [&](const RoutingRule& rule) {
      return std::find(lost.missing_rules.begin(), lost.missing_rules.end(), rule) != lost.missing_rules.end();
    });
  }
  attached.keep = request.keep;
  if (attached.table.plan.routes != next.plan.routes) {
    attached.changes.routes = next.plan.routes;
    if (auto written = journal_.begin(request.profile, attached.changes); !written)
      return tl::make_unexpected(std::move(written.error()));
  }
  attached.table = next;
  if (auto applied = apply(*netlink, difference); !applied) return tl::make_unexpected(std::move(applied.error()));
  return changed;
}

}  // namespace causeway::platform

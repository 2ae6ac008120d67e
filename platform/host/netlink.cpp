#include "platform/host/netlink.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>

namespace causeway::platform {
namespace {

// Packets that may wait for us to read them. The default of 500 drops the bursts of a few hundred uploads at once; a place costs 8
// bytes, and what waits is bounded by the apps' windows.
constexpr unsigned kQueueLength = 10'000;

using packet::Address;
using packet::Cidr;

template <auto F>
struct Put {
  template <class T>
  void operator()(T* object) const {
    F(object);
  }
};
using NlAddress = std::unique_ptr<nl_addr, Put<nl_addr_put>>;
using NlRoute = std::unique_ptr<rtnl_route, Put<rtnl_route_put>>;
using NlLink = std::unique_ptr<rtnl_link, Put<rtnl_link_put>>;
using NlLocal = std::unique_ptr<rtnl_addr, Put<rtnl_addr_put>>;
using NlRule = std::unique_ptr<rtnl_rule, Put<rtnl_rule_put>>;
using NlCache = std::unique_ptr<nl_cache, Put<nl_cache_free>>;

// libnl gives its own numbers, not errno's.
tl::unexpected<Error> fail_netlink(int status, std::string doing) {
  ErrorCode code = ErrorCode::kSystem;
  std::string advice;
  switch (-status) {
    case NLE_PERM:
    case NLE_NOACCESS:
      code = ErrorCode::kPermission;
      advice = "CAP_NET_ADMIN is needed: start it as root";
      break;
    case NLE_EXIST:
    case NLE_BUSY: code = ErrorCode::kConflict; break;
    case NLE_OBJ_NOTFOUND:
    case NLE_NODEV:
    case NLE_NOADDR: code = ErrorCode::kNotFound; break;
    case NLE_OPNOTSUPP:
    case NLE_AF_NOSUPPORT: code = ErrorCode::kUnavailable; break;
    default: break;
  }
  return fail(code, std::move(doing) + ": " + nl_geterror(status), std::move(advice));
}

NlAddress to_netlink(const Address& address, unsigned length) {
  Bytes raw = address.bytes();
  NlAddress made(nl_addr_build(address.is_v4() ? AF_INET : AF_INET6, raw.data(), raw.size()));
  CAUSEWAY_ASSERT(made);
  nl_addr_set_prefixlen(made.get(), int(length));
  return made;
}

std::optional<Address> from_netlink(nl_addr* address) {
  if (!address || (nl_addr_get_len(address) != 4 && nl_addr_get_len(address) != 16)) return std::nullopt;
  return Address::from_bytes(
      {static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(address)), nl_addr_get_len(address)});
}

// A default route comes as an address of no bytes.
std::optional<Cidr> destination_of(rtnl_route* route) {
  nl_addr* address = rtnl_route_get_dst(route);
  std::uint8_t family = rtnl_route_get_family(route);
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  if (!address || nl_addr_get_len(address) == 0) {
    static constexpr std::uint8_t kZero[16]{};
    return Cidr(Address::from_bytes({kZero, family == AF_INET ? 4u : 16u}), 0);
  }
  auto network = from_netlink(address);
  if (!network || nl_addr_get_prefixlen(address) > network->bits()) return std::nullopt;
  return Cidr(*network, nl_addr_get_prefixlen(address));
}

// The first next hop that is alive; of those that are not, the first, as it may be tomorrow.
void read_next_hop(rtnl_route* from, Route& route) {
  for (int i = 0; i < rtnl_route_get_nnexthops(from); ++i) {
    rtnl_nexthop* hop = rtnl_route_nexthop_n(from, i);
    bool dead = rtnl_route_nh_get_flags(hop) & (RTNH_F_DEAD | RTNH_F_LINKDOWN);
    if (dead && i > 0) continue;
    nl_addr* via = rtnl_route_nh_get_gateway(hop);
    route.device = unsigned(rtnl_route_nh_get_ifindex(hop));
    route.via = from_netlink(via ? via : rtnl_route_nh_get_via(hop));
    if (!dead) return;
  }
}

std::optional<Route> read_route(rtnl_route* from) {
  auto destination = destination_of(from);
  // What the kernel remembers of single destinations is no route.
  if (!destination || (rtnl_route_get_flags(from) & RTM_F_CLONED)) return std::nullopt;
  Route route;
  route.destination = *destination;
  route.table = rtnl_route_get_table(from);
  route.protocol = rtnl_route_get_protocol(from);
  switch (rtnl_route_get_type(from)) {
    case RTN_UNICAST: route.kind = Route::Kind::kUnicast; break;
    case RTN_LOCAL:
    case RTN_ANYCAST: route.kind = Route::Kind::kLocal; break;
    case RTN_THROW: route.kind = Route::Kind::kThrow; break;
    default: route.kind = Route::Kind::kOther; break;
  }
  read_next_hop(from, route);
  return route;
}

// One into a device, or one that throws.
NlRoute to_netlink(const Route& from) {
  const Address& network = from.destination.network();
  bool thrown = from.kind == Route::Kind::kThrow;
  NlRoute route(rtnl_route_alloc());
  CAUSEWAY_ASSERT(route && (thrown || from.kind == Route::Kind::kUnicast));
  rtnl_route_set_family(route.get(), network.is_v4() ? AF_INET : AF_INET6);
  rtnl_route_set_dst(route.get(), to_netlink(network, from.destination.length()).get());
  rtnl_route_set_table(route.get(), from.table);
  rtnl_route_set_type(route.get(), thrown ? RTN_THROW : RTN_UNICAST);
  rtnl_route_set_protocol(route.get(), from.protocol);
  rtnl_route_set_scope(route.get(), network.is_v4() && !thrown ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
  if (thrown) return route;
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  CAUSEWAY_ASSERT(hop);
  rtnl_route_nh_set_ifindex(hop, int(from.device));
  rtnl_route_add_nexthop(route.get(), hop);
  return route;
}

NlRule to_netlink(const RoutingRule& from) {
  NlRule rule(rtnl_rule_alloc());
  CAUSEWAY_ASSERT(rule);
  rtnl_rule_set_family(rule.get(), from.v4 ? AF_INET : AF_INET6);
  rtnl_rule_set_prio(rule.get(), from.priority);
  rtnl_rule_set_table(rule.get(), from.table);
  rtnl_rule_set_action(rule.get(), FR_ACT_TO_TBL);
  rtnl_rule_set_protocol(rule.get(), from.protocol);
  return rule;
}

std::string rule_text(const RoutingRule& rule) {
  return std::string("the ") + (rule.v4 ? "IPv4" : "IPv6") + " rule for the table " + std::to_string(rule.table);
}

}  // namespace

void Netlink::Free::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<Netlink> Netlink::open() {
  Netlink netlink(nl_socket_alloc());
  CAUSEWAY_ASSERT(netlink.socket_);
  // libnl sets FD_CLOEXEC itself.
  if (int status = nl_connect(netlink.socket_.get(), NETLINK_ROUTE); status < 0)
    return fail_netlink(status, "opening a netlink socket");
  return netlink;
}

unsigned Netlink::device_index(const std::string& name) { return ::if_nametoindex(name.c_str()); }

std::string Netlink::device_text(unsigned index) {
  char name[IF_NAMESIZE];
  return ::if_indextoname(index, name) ? name : "device " + std::to_string(index);
}

std::string Netlink::device_kind(unsigned index) {
  static constexpr std::pair<std::string_view, const char*> kKinds[]{
      {"wireguard", "WireGuard"}, {"tun", "TUN"},       {"ppp", "PPP"},      {"bridge", "bridge"}, {"xfrm", "IPsec"},
      {"vti", "IPsec"},           {"vti6", "IPsec"},    {"gre", "GRE"},      {"ipip", "IPIP"},     {"vxlan", "VXLAN"},
      {"sit", "SIT"},             {"ip6tnl", "tunnel"}, {"geneve", "Geneve"}};
  rtnl_link* raw = nullptr;
  if (rtnl_link_get_kernel(socket_.get(), int(index), nullptr, &raw) < 0) return {};
  NlLink device(raw);
  const char* type = rtnl_link_get_type(raw);
  for (const auto& [name, text] : kKinds) {
    if (type && name == type) return text;
  }
  return {};
}

Result<std::vector<Route>> Netlink::routes() {
  nl_cache* raw = nullptr;
  if (int status = rtnl_route_alloc_cache(socket_.get(), AF_UNSPEC, 0, &raw); status < 0)
    return fail_netlink(status, "listing the routes");
  NlCache cache(raw);
  std::vector<Route> routes;
  for (nl_object* object = nl_cache_get_first(raw); object; object = nl_cache_get_next(object)) {
    if (auto route = read_route(reinterpret_cast<rtnl_route*>(object))) routes.push_back(*route);
  }
  return routes;
}

Result<std::vector<RoutingRule>> Netlink::rules() {
  nl_cache* raw = nullptr;
  if (int status = rtnl_rule_alloc_cache(socket_.get(), AF_UNSPEC, &raw); status < 0)
    return fail_netlink(status, "listing the routing rules");
  NlCache cache(raw);
  std::vector<RoutingRule> rules;
  for (nl_object* object = nl_cache_get_first(raw); object; object = nl_cache_get_next(object)) {
    auto* one = reinterpret_cast<rtnl_rule*>(object);
    int family = rtnl_rule_get_family(one);
    if (family != AF_INET && family != AF_INET6) continue;
    RoutingRule rule{family == AF_INET, rtnl_rule_get_prio(one), rtnl_rule_get_table(one), 0};
    if (rtnl_rule_get_action(one) != FR_ACT_TO_TBL) rule.table = 0;
    rtnl_rule_get_protocol(one, &rule.protocol);
    rules.push_back(rule);
  }
  return rules;
}

Result<unsigned> Netlink::holder_of(const Address& address) {
  nl_cache* raw = nullptr;
  if (int status = rtnl_addr_alloc_cache(socket_.get(), &raw); status < 0)
    return fail_netlink(status, "listing the addresses");
  NlCache cache(raw);
  for (nl_object* object = nl_cache_get_first(raw); object; object = nl_cache_get_next(object)) {
    auto* one = reinterpret_cast<rtnl_addr*>(object);
    if (from_netlink(rtnl_addr_get_local(one)) == address) return unsigned(rtnl_addr_get_ifindex(one));
  }
  return 0u;
}

Result<std::vector<Address>> Netlink::addresses_of(unsigned index) {
  nl_cache* raw = nullptr;
  if (int status = rtnl_addr_alloc_cache(socket_.get(), &raw); status < 0)
    return fail_netlink(status, "listing the addresses");
  NlCache cache(raw);
  std::vector<Address> addresses;
  for (nl_object* object = nl_cache_get_first(raw); object; object = nl_cache_get_next(object)) {
    auto* one = reinterpret_cast<rtnl_addr*>(object);
    auto address = from_netlink(rtnl_addr_get_local(one));
    if (address && unsigned(rtnl_addr_get_ifindex(one)) == index) addresses.push_back(*address);
  }
  return addresses;
}

bool Netlink::is_up(unsigned index) {
  rtnl_link* raw = nullptr;
  if (rtnl_link_get_kernel(socket_.get(), int(index), nullptr, &raw) < 0) return false;
  NlLink device(raw);
  return rtnl_link_get_flags(raw) & IFF_UP;
}

unsigned Netlink::device_towards(const Address& address) {
  rtnl_route* raw = nullptr;
  if (rtnl_route_lookup(socket_.get(), to_netlink(address, address.bits()).get(), &raw) < 0) return 0;
  NlRoute route(raw);
  rtnl_nexthop* hop = rtnl_route_nexthop_n(raw, 0);
  return hop ? unsigned(rtnl_route_nh_get_ifindex(hop)) : 0;
}

Result<void> Netlink::start_device(unsigned index, std::uint16_t mtu) {
  NlLink device(rtnl_link_alloc()), change(rtnl_link_alloc());
  CAUSEWAY_ASSERT(device && change);
  rtnl_link_set_ifindex(device.get(), int(index));
  // Otherwise the kernel makes up a link-local address and sends solicitations into the tunnel. Where IPv6 is off it says no.
  rtnl_link_inet6_set_addr_gen_mode(change.get(), rtnl_link_inet6_str2addrgenmode("none"));
  rtnl_link_change(socket_.get(), device.get(), change.get(), 0);
  NlLink rise(rtnl_link_alloc());
  CAUSEWAY_ASSERT(rise);
  rtnl_link_set_mtu(rise.get(), mtu);
  rtnl_link_set_txqlen(rise.get(), kQueueLength);
  rtnl_link_set_flags(rise.get(), IFF_UP);
  if (int status = rtnl_link_change(socket_.get(), device.get(), rise.get(), 0); status < 0) {
    return fail_netlink(status, "bringing up " + device_text(index));
  }
  return {};
}

Result<void> Netlink::remove_device(unsigned index) {
  NlLink device(rtnl_link_alloc());
  CAUSEWAY_ASSERT(device);
  rtnl_link_set_ifindex(device.get(), int(index));
  if (int status = rtnl_link_delete(socket_.get(), device.get()); status < 0)
    return fail_netlink(status, "removing " + device_text(index));
  return {};
}

Result<void> Netlink::add_address(unsigned index, const Address& address) {
  NlLocal made(rtnl_addr_alloc());
  CAUSEWAY_ASSERT(made);
  rtnl_addr_set_ifindex(made.get(), int(index));
  rtnl_addr_set_local(made.get(), to_netlink(address, address.bits()).get());
  if (address.is_v6()) rtnl_addr_set_flags(made.get(), IFA_F_NODAD);
  if (int status = rtnl_addr_add(socket_.get(), made.get(), NLM_F_EXCL); status < 0) {
    return fail_netlink(status, "giving " + device_text(index) + " the address " + address.text());
  }
  return {};
}

Result<void> Netlink::add_route(const Route& route) {
  if (int status = rtnl_route_add(socket_.get(), to_netlink(route).get(), NLM_F_EXCL); status < 0) {
    return fail_netlink(status, "adding the route " + route.destination.text());
  }
  return {};
}

Result<void> Netlink::remove_route(const Route& route) {
  if (int status = rtnl_route_delete(socket_.get(), to_netlink(route).get(), 0); status < 0) {
    return fail_netlink(status, "removing the route " + route.destination.text());
  }
  return {};
}

Result<void> Netlink::add_rule(const RoutingRule& rule) {
  int status = rtnl_rule_add(socket_.get(), to_netlink(rule).get(), NLM_F_EXCL);
  if (status >= 0) return {};
  if (status == -NLE_OPNOTSUPP || status == -NLE_AF_NOSUPPORT) {
    return fail(ErrorCode::kUnavailable, "this kernel has no routing rules",
                "it needs CONFIG_IP_MULTIPLE_TABLES and CONFIG_IPV6_MULTIPLE_TABLES");
  }
  return fail_netlink(status, "adding " + rule_text(rule));
}

Result<void> Netlink::remove_rule(const RoutingRule& rule) {
  if (int status = rtnl_rule_delete(socket_.get(), to_netlink(rule).get(), 0); status < 0)
    return fail_netlink(status, "removing " + rule_text(rule));
  return {};
}

}  // namespace causeway::platform

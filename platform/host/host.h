// What a profile changes on this machine: a device, its addresses, a routing table of its own, and the resolver. Every change is written to a
// journal before it is made, and undone in reverse order by detach(), by recover() after a crash, and after kill -9; what another
// program changed since stays.
//
// MachineHost makes the changes itself and needs CAP_NET_ADMIN; RemoteHost has them made by the host helper at the other end of
// a socketpair. Calls wait for their answer (milliseconds; 5 s at the most). One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/packet/address.h"
#include "platform/host/route_conflict.h"
#include "platform/net/socket.h"

namespace causeway::platform {

// What a profile wants. Bounds: 64 addresses, 1,536 routes, 1,024 excluded prefixes, 64 kept addresses.
struct NetworkRequest {
  std::string profile;                      // 1 to 12 of a-z, 0-9, '-', '_': the device is cw-PROFILE
  std::uint16_t mtu = 1500;
  std::vector<packet::Address> addresses;   // the device's own
  std::vector<packet::Cidr> routes;         // into the device
  std::vector<packet::Cidr> exclude;        // not into it: of both the more specific prefix wins
  std::vector<packet::Address> keep;        // must never be routed into it: the gateway's. Default gateways and the
                                            // machine's resolvers are found and kept as well
};

struct AttachedNetwork {
  std::string device;                       // "cw-demo"
  Descriptor tun;                           // IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, offloads set, non-blocking
  std::vector<packet::Cidr> skipped;        // routes left out, because this machine cannot have them: IPv6 is off
};

// What is to be looked for among the machine's routes: see find_conflicts().
struct ConflictsRequest {
  std::string profile;
  std::vector<packet::Cidr> routes;         // the cluster's own
  std::vector<packet::Cidr> include, exclude;
};

// What a profile that is attached wants from now on; as in NetworkRequest.
struct RoutesRequest {
  std::string profile;
  std::vector<packet::Cidr> routes, exclude;
  std::vector<packet::Address> keep;
  bool repair = true;                       // what another program took away is put back
};

struct ChangedRoutes {
  // What another program had taken away: "the route 10.96.0.0/16", "the address 198.19.0.1". It is there again where that was asked
  // for and no error came.
  std::vector<std::string> lost;
};

struct ResolverRequest {
  std::string profile;
  std::vector<packet::Address> servers;     // the stub's
  bool take_over = true;                    // stand in where nothing routes by name
};

struct MachineResolver {
  std::vector<packet::Address> servers;     // the machine's own, as they were before us: where other names are asked
  std::vector<std::string> search;
  bool standing_in = false;                 // the machine's questions come to the stub now
  std::string how;                          // "/etc/resolv.conf, written in place", for people
};

class Host {
 public:
  virtual ~Host() = default;

  // Routes of the machine, in any table that its rules name, that are in the way of the profile's. Looks only. Routes of other
  // profiles count, of this one do not.
  virtual Result<std::vector<RouteConflict>> conflicts(const ConflictsRequest& request) = 0;
  // Makes the device with its addresses and routes, which win over all others of the machine that hold the same addresses. Fails, with
  // everything undone, where the device exists and is not ours, where a `keep` address would have no way, or where the kernel says no.
  virtual Result<AttachedNetwork> attach(const NetworkRequest& request) = 0;
  // Makes the routes of a profile that is attached what the request says, and keeps the machine's default gateways and resolvers of
  // now out of them. Asked again, it changes nothing. kNotFound where the profile is not attached, or its device has gone.
  virtual Result<ChangedRoutes> change_routes(const RoutesRequest& request) = 0;
  // Points the machine's resolver at the stub; looks only where `take_over` is false.
  virtual Result<MachineResolver> set_resolver(const ResolverRequest& request) = 0;
  // Undoes everything of the profile; gives a line for each thing undone or left. Fine where nothing is there.
  virtual Result<std::vector<std::string>> detach(std::string_view profile) = 0;
  // A file beneath the profiles' folder, for reading: a profile or a key. `name` is relative, without "..". `secret`: refused
  // where group or others may read it, or somebody other than root owns it.
  virtual Result<Descriptor> open_file(std::string_view name, bool secret) = 0;
};

}  // namespace causeway::platform

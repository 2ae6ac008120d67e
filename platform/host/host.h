// What a profile changes on this machine: a device, its addresses and routes, and the resolver. Every change is written to a
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
#include "platform/net/socket.h"

namespace causeway::platform {

// What a profile wants. Bounds: 64 addresses, 1,024 routes, 64 kept addresses.
struct NetworkRequest {
  std::string profile;                      // 1 to 12 of a-z, 0-9, '-', '_': the device is cw-PROFILE
  std::uint16_t mtu = 1500;
  std::vector<packet::Address> addresses;   // the device's own
  std::vector<packet::Cidr> routes;         // into the device
  std::vector<packet::Address> keep;        // must never be routed into it: the gateway's. Default gateways and the
                                            // machine's resolvers are found and kept as well
};

struct AttachedNetwork {
  std::string device;                       // "cw-demo"
  Descriptor tun;                           // IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, offloads set, non-blocking
  std::vector<packet::Cidr> skipped;        // routes left out or narrowed, because another one of the machine is in the way
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

  // Makes the device with its addresses and routes. Fails, with everything undone, where the device exists and is not ours,
  // where a route would cover a `keep` address, or where the kernel says no.
  virtual Result<AttachedNetwork> attach(const NetworkRequest& request) = 0;
  // Points the machine's resolver at the stub; looks only where `take_over` is false.
  virtual Result<MachineResolver> set_resolver(const ResolverRequest& request) = 0;
  // Undoes everything of the profile; gives a line for each thing undone or left. Fine where nothing is there.
  virtual Result<std::vector<std::string>> detach(std::string_view profile) = 0;
  // A file beneath the profiles' folder, for reading: a profile or a key. `name` is relative, without "..". `secret`: refused
  // where group or others may read it, or somebody other than root owns it.
  virtual Result<Descriptor> open_file(std::string_view name, bool secret) = 0;
};

}  // namespace causeway::platform

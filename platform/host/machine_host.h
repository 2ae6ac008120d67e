// Changes this machine itself; see host.h. Linux only.
//
// What is changed for whom stands in STATE/journal (0700), which one process at a time may use; STATE itself is made where it is
// missing, and belongs to root. A program starts with recover(), which undoes what a crashed one left. Needs CAP_NET_ADMIN, the
// right to write resolv.conf, and to read the profiles.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "platform/host/host.h"
#include "platform/host/journal.h"
#include "platform/host/netlink.h"
#include "platform/host/resolver_file.h"
#include "platform/host/routing_table.h"

namespace causeway::platform {

class MachineHost final : public Host {
 public:
  struct Options {
    std::string state_directory;
    std::string profiles_directory = "/etc/causeway";
    std::string resolv_conf = "/etc/resolv.conf";
  };
  // Fails where another process uses the same state directory (kConflict).
  static Result<std::unique_ptr<MachineHost>> create(const Options& options);
  // Undoes what is left, unless in a process that was forked after create(): there it only closes descriptors.
  ~MachineHost() override;
  MachineHost(const MachineHost&) = delete;
  MachineHost& operator=(const MachineHost&) = delete;

  // Before the first attach(): undoes what a process before us left behind. A line for each thing undone, left or not possible.
  std::vector<std::string> recover();
  // Nothing is left to undo.
  bool clean() const { return journal_.left_over().empty() && resolver_.clean(); }
  // Undoes everything of all profiles, the last one first. The same lines.
  std::vector<std::string> detach_all();

  Result<std::vector<RouteConflict>> conflicts(const ConflictsRequest& request) override;
  Result<AttachedNetwork> attach(const NetworkRequest& request) override;
  Result<ChangedRoutes> change_routes(const RoutesRequest& request) override;
  Result<MachineResolver> set_resolver(const ResolverRequest& request) override;
  Result<std::vector<std::string>> detach(std::string_view profile) override;
  Result<Descriptor> open_file(std::string_view name, bool secret) override;

 private:
  struct Attached {
    std::string profile;
    Changes changes;
    std::uint16_t mtu = 0;
    RoutingTable table;
    std::vector<packet::Address> keep;  // of the request: no other profile may route them either
  };
  MachineHost(const Options& options, std::string journal_folder, Descriptor lock);

  // machine_host_routes.cpp
  static bool ipv6_usable();
  Result<RoutePlan> plan(const RoutesRequest& request, const MachineRoutes& machine);
  Result<void> check_way(Netlink& netlink, const NetworkRequest& request, const RoutePlan& plan);
  Result<void> check_kept(Netlink& netlink, const std::vector<packet::Address>& keep, unsigned index);
  Result<std::vector<packet::Address>> missing_addresses(Netlink& netlink, const Attached& attached);
  Result<void> restore_device(Netlink& netlink, const Attached& attached, const std::vector<packet::Address>& missing);

  // machine_host.cpp
  Result<Descriptor> make(Netlink& netlink, const NetworkRequest& request, Attached& attached);
  // `failed` where something could not be undone, and the journal has to stay.
  std::vector<std::string> undo(Netlink& netlink, const Changes& changes, bool& failed);
  std::vector<Attached>::iterator find(std::string_view profile);

  Options options_;
  Journal journal_;
  ResolverFile resolver_;
  Descriptor lock_;
  pid_t owner_;
  std::vector<Attached> attached_;
};

}  // namespace causeway::platform

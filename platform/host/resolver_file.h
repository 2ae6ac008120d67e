// Stands in for the machine's resolver in /etc/resolv.conf, for several profiles at once, and puts the file back.
//
// The file is replaced by a new one where that can be done, and written in place where it is a mount (as `ip netns exec` and
// containers have it) or has a second name; a symbolic link stays, its target is written. The first profile finds the original,
// which goes into the journal; the file names the stub of the first profile alone, which asks the others' in turn, and the next
// one's when that goes; the last puts the original back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/host/host.h"
#include "platform/host/resolver_state.h"

namespace causeway::platform {

class ResolverFile {
 public:
  struct Paths {
    std::string file = "/etc/resolv.conf";
    std::string journal;  // a file's name; its folder exists
    // Where systemd-resolved listens. Where it does and the file names it, questions are routed by name, and we stay out.
    std::string resolved = "/run/systemd/resolve/io.systemd.Resolve";
    // Where it writes down the servers that it asks itself.
    std::string resolved_servers = "/run/systemd/resolve/resolv.conf";
  };
  explicit ResolverFile(Paths paths) : paths_(std::move(paths)) {}

  // The machine's own servers; changes nothing. `ours` never count as such.
  Result<MachineResolver> look(const std::vector<packet::Address>& ours);
  Result<MachineResolver> stand_in(const StandIn& stub);
  // All that must stay reachable for `machine` to get its answers: its servers, and the ones behind systemd-resolved.
  std::vector<packet::Address> reached_by(const MachineResolver& machine) const;
  // A line for each thing undone or left; none where the profile does not stand in.
  Result<std::vector<std::string>> stand_down(std::string_view profile);
  // For all profiles, after a crash.
  Result<std::vector<std::string>> recover();
  // No change is journalled.
  bool clean() const;

 private:
  struct Found {
    std::string file;  // behind symbolic links
    bool exists = false, one_name = true;
    FileOwner owner;
    std::string content;
  };
  using Lines = std::vector<std::string>;

  Result<Found> find(const std::string& file) const;
  Result<std::optional<ResolverState>> load() const;
  Result<void> save(const ResolverState& state) const;
  Result<void> forget() const;
  bool wrote(const Found& found, const ResolverState& state) const;
  std::string original_behind(const Found& found, const std::optional<ResolverState>& state) const;
  MachineResolver describe(const std::string& original, const std::vector<packet::Address>& ours) const;
  bool routed_by_name(const MachineResolver& machine) const;
  Result<bool> write(const Found& found, std::string_view content, const FileOwner& owner) const;
  Result<Lines> go_back(ResolverState state, std::vector<StandIn> left);
  // `ours`: nobody but us has written the file since.
  Result<std::string> put_back(const Found& found, const ResolverState& state, bool ours) const;
  Result<Lines> recover_without_journal() const;

  Paths paths_;
};

}  // namespace causeway::platform

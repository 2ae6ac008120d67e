// A machine in memory: its device is one end of a socket pair, the test holds the other end, as the kernel and the apps would.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "platform/host/host.h"

namespace causeway::platform {

class FakeHost final : public Host {
 public:
  Result<AttachedNetwork> attach(const NetworkRequest& request) override {
    attached.push_back(request);
    if (!attach_errors.empty()) {
      Error error = attach_errors.front();
      attach_errors.erase(attach_errors.begin());
      return tl::make_unexpected(error);
    }
    int both[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) != 0) abort();
    apps[request.profile] = Descriptor(both[1]);
    AttachedNetwork network;
    network.device = "cw-" + request.profile;
    network.tun = Descriptor(both[0]);
    network.skipped = skipped;
    return network;
  }

  Result<std::vector<RouteConflict>> conflicts(const ConflictsRequest& request) override {
    conflict_requests.push_back(request);
    return in_the_way;
  }

  Result<ChangedRoutes> change_routes(const RoutesRequest& request) override {
    route_requests.push_back(request);
    if (change_error) return tl::make_unexpected(*change_error);
    return ChangedRoutes{std::exchange(lost, {})};
  }

  Result<MachineResolver> set_resolver(const ResolverRequest& request) override {
    resolver_requests.push_back(request);
    MachineResolver machine;
    machine.servers = servers;
    if (request.take_over && take_over_error) return tl::make_unexpected(*take_over_error);
    machine.standing_in = request.take_over;
    machine.how = request.take_over ? "stood in" : "left as it is";
    return machine;
  }

  Result<std::vector<std::string>> detach(std::string_view profile) override {
    detached.emplace_back(profile);
    return std::vector<std::string>{"removed cw-" + std::string(profile)};
  }

  Result<Descriptor> open_file(std::string_view name, bool secret) override {
    opened.emplace_back(name);
    if (!secret) return fail(ErrorCode::kPermission, "a key is a secret");
    auto found = files.find(std::string(name));
    if (found == files.end()) return fail(ErrorCode::kNotFound, std::string(name) + ": No such file or directory");
    int both[2];
    if (pipe2(both, O_CLOEXEC) != 0) abort();
    Descriptor in(both[1]);
    if (write(in.get(), found->second.data(), found->second.size()) != ssize_t(found->second.size())) abort();
    return Descriptor(both[0]);
  }

  bool took_over() const {
    for (const ResolverRequest& each : resolver_requests) {
      if (each.take_over) return true;
    }
    return false;
  }

  std::vector<packet::Address> servers;
  std::vector<packet::Cidr> skipped;
  std::vector<RouteConflict> in_the_way;
  std::vector<std::string> lost;  // to be told once
  std::optional<Error> change_error;
  std::vector<Error> attach_errors;  // of the next calls
  std::optional<Error> take_over_error;
  std::map<std::string, std::string> files;

  std::vector<NetworkRequest> attached;
  std::vector<ConflictsRequest> conflict_requests;
  std::vector<RoutesRequest> route_requests;
  std::vector<ResolverRequest> resolver_requests;
  std::vector<std::string> detached, opened;
  std::map<std::string, Descriptor> apps;
};

}  // namespace causeway::platform

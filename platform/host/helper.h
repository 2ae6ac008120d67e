// The host helper's two ends: HostServer makes for an engine process what it asks, within bounds; RemoteHost is how the engine
// process asks. They share a socket pair of make_message_sockets().
#pragma once

#include "platform/host/host.h"
#include "platform/host/host_protocol.h"
#include "platform/host/message_socket.h"

namespace causeway::platform {

// One thread. `host` outlives it.
class HostServer {
 public:
  HostServer(Descriptor socket, Host& host) : socket_(std::move(socket)), host_(host) {}

  // To wait on: readable when there is something to serve.
  int descriptor() const { return socket_.get(); }
  // Serves one request, waiting for it if need be. False when the engine process has gone, or sent what is malformed or out of
  // bounds: then there is nothing more to come, and what it had made is to be undone.
  bool serve();

 private:
  struct Answer {
    HostAnswer body;
    Descriptor descriptor;
  };
  Answer answer(const NetworkRequest& request);
  Answer answer(const ResolverRequest& request);
  Answer answer(const DetachRequest& request);
  Answer answer(const OpenFileRequest& request);
  Answer answer(const ConflictsRequest& request);
  Answer answer(const RoutesRequest& request);

  Descriptor socket_;
  Host& host_;
};

// Calls wait for the helper's answer, 5 s at the most (kTimedOut); kUnavailable when the helper has gone. One thread.
class RemoteHost final : public Host {
 public:
  explicit RemoteHost(Descriptor socket) : socket_(std::move(socket)) {}

  Result<std::vector<RouteConflict>> conflicts(const ConflictsRequest& request) override;
  Result<AttachedNetwork> attach(const NetworkRequest& request) override;
  Result<ChangedRoutes> change_routes(const RoutesRequest& request) override;
  Result<MachineResolver> set_resolver(const ResolverRequest& request) override;
  Result<std::vector<std::string>> detach(std::string_view profile) override;
  Result<Descriptor> open_file(std::string_view name, bool secret) override;

 private:
  struct Answered {
    HostAnswer body;
    Descriptor descriptor;
  };
  Result<Answered> ask(HostRequest request);
  template <class T>
  Result<std::pair<T, Descriptor>> ask_for(HostRequest request);

  Descriptor socket_;
  std::uint64_t last_number_ = 0;
};

}  // namespace causeway::platform

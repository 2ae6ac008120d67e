// What an engine process that was taken over may say to the host helper, and a helper's answers.
#include "platform/host/host_protocol.h"
#include "platform/host/request_check.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace platform;

void check_routes(const std::vector<packet::Cidr>& routes) {
  CAUSEWAY_ASSERT(routes.size() <= kMaxRoutes);
  packet::Address metadata = packet::Address::v4(169, 254, 169, 254);
  for (const packet::Cidr& route : routes) {
    CAUSEWAY_ASSERT((!route.contains(metadata) || route.length() == 32) && !route.network().is_loopback());
  }
}

void check_bounds(const HostRequest& request) {
  if (const auto* network = std::get_if<NetworkRequest>(&request)) {
    CAUSEWAY_ASSERT(check_profile_name(network->profile) && network->addresses.size() <= kMaxAddresses);
    CAUSEWAY_ASSERT(network->exclude.size() <= kMaxExcluded && network->keep.size() <= kMaxKept);
    check_routes(network->routes);
  } else if (const auto* routes = std::get_if<RoutesRequest>(&request)) {
    CAUSEWAY_ASSERT(check_profile_name(routes->profile));
    CAUSEWAY_ASSERT(routes->exclude.size() <= kMaxExcluded && routes->keep.size() <= kMaxKept);
    check_routes(routes->routes);
  } else if (const auto* conflicts = std::get_if<ConflictsRequest>(&request)) {
    CAUSEWAY_ASSERT(check_profile_name(conflicts->profile) && conflicts->routes.size() <= kMaxConflicts);
    CAUSEWAY_ASSERT(conflicts->include.size() <= kMaxRoutes && conflicts->exclude.size() <= kMaxExcluded);
  } else if (const auto* resolver = std::get_if<ResolverRequest>(&request)) {
    CAUSEWAY_ASSERT(check_profile_name(resolver->profile) && resolver->servers.size() <= kMaxStubServers);
  } else if (const auto* detach = std::get_if<DetachRequest>(&request)) {
    CAUSEWAY_ASSERT(check_profile_name(detach->profile));
  } else if (const auto* file = std::get_if<OpenFileRequest>(&request)) {
    CAUSEWAY_ASSERT(check_file_name(file->name) && file->name[0] != '/');
    CAUSEWAY_ASSERT(('/' + file->name + '/').find("/../") == std::string::npos);
  }
}

bool run(Bytes message) {
  Result<Numbered<HostRequest>> request = decode_host_request(message);
  if (request) {
    check_bounds(request->body);
    Blob again = encode(*request);
    CAUSEWAY_ASSERT(again.size() <= kMaxHostMessage);
    Result<Numbered<HostRequest>> second = decode_host_request(again);
    CAUSEWAY_ASSERT(second && encode(*second) == again);
  }
  Result<Numbered<HostAnswer>> answer = decode_host_answer(message);
  if (answer) {
    Blob again = encode(*answer);
    CAUSEWAY_ASSERT(again.size() <= kMaxHostMessage && decode_host_answer(again));
  }
  return request || answer;
}

std::vector<Seed> seeds() {
  packet::Address address = *packet::Address::parse("10.255.0.2");
  packet::Cidr route = *packet::Cidr::parse("fd00:96::/64");
  auto request = [](const HostRequest& body) { return encode(Numbered<HostRequest>{7, body}); };
  auto answer = [](const HostAnswer& body) { return encode(Numbered<HostAnswer>{7, body}); };
  return {
      {request(NetworkRequest{"demo", 1500, {address}, {route}, {route}, {address}})},
      {request(ResolverRequest{"demo", {address}, true})},
      {request(DetachRequest{"demo"})},
      {request(OpenFileRequest{"keys/demo.key", true})},
      {request(ConflictsRequest{"demo", {route}, {route}, {route}})},
      {request(RoutesRequest{"demo", {route}, {route}, {address}, true})},
      {answer(Error{ErrorCode::kSystem, "no", "do"})},
      {answer(AttachedAnswer{"cw-demo", {route}})},
      {answer(MachineResolver{{address}, {"home.example"}, true, "how"})},
      {answer(DetachedAnswer{{"line"}})},
      {answer(OpenedAnswer{})},
      {answer(ConflictsAnswer{{{route, route, "wg0 (WireGuard)", 2}}})},
      {answer(ChangedRoutes{{"the route 10.96.0.0/16"}})},
      {Blob(30, 1), false},
  };
}

const Registration kRegistration({"host_request", run, seeds});

}  // namespace
}  // namespace causeway::fuzz

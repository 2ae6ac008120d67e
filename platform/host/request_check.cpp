#include "platform/host/request_check.h"

#include <algorithm>
#include <array>

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;

const std::array<Cidr, 10>& out_of_bounds() {
  static const std::array<Cidr, 10> kRanges = [] {
    constexpr const char* kText[]{"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4",   "240.0.0.0/4",
                                  "::/127",    "fe80::/10",   "ff00::/8",       "::ffff:0:0/96", "fec0::/10"};
    std::array<Cidr, 10> ranges;
    for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = *Cidr::parse(kText[i]);
    return ranges;
  }();
  return kRanges;
}

const Cidr* reserved(const Cidr& wanted) {
  for (const Cidr& range : out_of_bounds()) {
    if (range.overlaps(wanted)) return &range;
  }
  return nullptr;
}

bool is_metadata(const Cidr& wanted) {
  static const Cidr kMetadata = *Cidr::parse("169.254.169.254/32");
  return wanted == kMetadata;
}

tl::unexpected<Error> too_many(const char* what, std::size_t count, std::size_t most) {
  return fail(ErrorCode::kLimit, std::to_string(count) + ' ' + what + ", at most " + std::to_string(most));
}

}  // namespace

Result<void> check_profile_name(std::string_view name) {
  bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (name.empty() || name.size() > kMaxProfileName || !plain) {
    return fail(ErrorCode::kInvalid, "a profile's name is not 1 to 12 of a-z, 0-9, '-', '_'", "rename the profile");
  }
  return {};
}

Result<void> check_request(const NetworkRequest& request) {
  if (request.mtu < 1280) return fail(ErrorCode::kInvalid, "an MTU below 1280");
  if (request.addresses.size() > kMaxAddresses) return too_many("addresses", request.addresses.size(), kMaxAddresses);
  for (const Address& address : request.addresses) {
    if (reserved(Cidr(address, address.bits()))) {
      return fail(ErrorCode::kInvalid, address.text() + " cannot be an address of the tunnel");
    }
  }
  return check_request(RoutesRequest{request.profile, request.routes, request.exclude, request.keep});
}

Result<void> check_request(const RoutesRequest& request) {
  if (auto name = check_profile_name(request.profile); !name) return name;
  if (request.routes.size() > kMaxRoutes) return too_many("routes", request.routes.size(), kMaxRoutes);
  if (request.exclude.size() > kMaxExcluded)
    return too_many("excluded prefixes", request.exclude.size(), kMaxExcluded);
  if (request.keep.size() > kMaxKept) return too_many("kept addresses", request.keep.size(), kMaxKept);
  for (const Cidr& route : request.routes) {
    if (is_metadata(route)) continue;
    if (const Cidr* range = reserved(route)) {
      return fail(ErrorCode::kInvalid, "a route to " + route.text() + " would take in " + range->text(),
                  "name the cluster's own prefixes in the profile");
    }
  }
  return {};
}

Result<void> check_request(const ConflictsRequest& request) {
  if (auto name = check_profile_name(request.profile); !name) return name;
  if (request.routes.size() > kMaxConflicts) return too_many("routes", request.routes.size(), kMaxConflicts);
  if (request.include.size() > kMaxRoutes) return too_many("included prefixes", request.include.size(), kMaxRoutes);
  if (request.exclude.size() > kMaxExcluded)
    return too_many("excluded prefixes", request.exclude.size(), kMaxExcluded);
  return {};
}

Result<void> check_request(const ResolverRequest& request) {
  if (auto name = check_profile_name(request.profile); !name) return name;
  if (request.servers.size() > kMaxStubServers) return too_many("servers", request.servers.size(), kMaxStubServers);
  if (request.take_over && request.servers.empty())
    return fail(ErrorCode::kInvalid, "no server to point the machine at");
  for (const Address& server : request.servers) {
    if (server.is_unspecified() || server.is_multicast() || server.is_broadcast()) {
      return fail(ErrorCode::kInvalid, server.text() + " cannot be a DNS server");
    }
  }
  return {};
}

Result<void> check_file_name(std::string_view name) {
  bool plain = !name.empty() && name.size() <= kMaxFileName && name.front() != '/' && name.back() != '/' &&
               std::none_of(name.begin(), name.end(), [](char c) { return std::uint8_t(c) < 0x20 || c == 0x7f; });
  for (std::string_view rest = name; plain;) {
    std::string_view part = rest.substr(0, rest.find('/'));
    plain = !part.empty() && part != "." && part != "..";
    if (part.size() == rest.size()) break;
    rest.remove_prefix(part.size() + 1);
  }
  if (!plain) return fail(ErrorCode::kInvalid, "not the name of a file beneath the profiles' folder");
  return {};
}

std::string device_name(std::string_view profile) { return "cw-" + std::string(profile); }

}  // namespace causeway::platform

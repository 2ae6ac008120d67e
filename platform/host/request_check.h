// The bounds of what may be asked of a Host. Checked by the host helper on what arrives, and by MachineHost on what it is given:
// an engine process that was taken over reaches nothing beyond them.
#pragma once

#include <cstddef>
#include <string_view>

#include "platform/host/host.h"

namespace causeway::platform {

inline constexpr std::size_t kMaxProfileName = 12;
inline constexpr std::size_t kMaxAddresses = 64;
inline constexpr std::size_t kMaxRoutes = 1536;  // a profile's, and ranges of our own
inline constexpr std::size_t kMaxExcluded = 1024;
inline constexpr std::size_t kMaxConflicts = 1024;  // routes that are looked at for them
inline constexpr std::size_t kMaxKept = 64;
inline constexpr std::size_t kMaxStubServers = 16;
inline constexpr std::size_t kMaxFileName = 255;
inline constexpr std::size_t kMaxFileSize = 64 * 1024;  // of what open_file() gives

Result<void> check_profile_name(std::string_view name);
// Addresses are ones a device can have; routes and addresses keep out of loopback, link-local, multicast and reserved space, so
// that neither the default route nor a range of this machine's own can be asked for. Of link-local space the metadata address of a
// cloud may be, alone: a profile can include the cluster's.
Result<void> check_request(const NetworkRequest& request);
Result<void> check_request(const RoutesRequest& request);
Result<void> check_request(const ConflictsRequest& request);
Result<void> check_request(const ResolverRequest& request);
// Relative, of plain components: no "..", no ".", no "//".
Result<void> check_file_name(std::string_view name);

// "cw-demo"
std::string device_name(std::string_view profile);

}  // namespace causeway::platform

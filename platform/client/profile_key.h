// Keys as the host's files hold them.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "platform/host/host.h"

namespace causeway::platform {

// Reads a key of 32 bytes in base64. `path` is as the profile gives it; it must lie beneath `folder`, the profiles'. What was read
// on the way is wiped.
Result<Secret<32>> read_profile_key(Host& host, const std::string& folder, const std::string& path);

}  // namespace causeway::platform

// Opens files beneath the profiles' folder for a process that may not, and none elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "platform/host/host.h"

namespace causeway::platform {

// A regular file of at most 64 KiB, for reading. No symbolic link is followed anywhere beneath `folder`, and nothing above it is
// reached. `secret`: refused where group or others may do anything with it, or where neither root nor this process's user owns it.
Result<Descriptor> open_beneath(const std::string& folder, std::string_view name, bool secret);

}  // namespace causeway::platform

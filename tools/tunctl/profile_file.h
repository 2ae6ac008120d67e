// A profile by its path: read here, with the rights of who calls, and sent with the keys that it names.
#pragma once

#include <string>

#include "core/control/message.h"

namespace causeway::tunctl {

// A name of tund's profiles folder, or a path: what has a '/' or ends in ".toml".
bool is_path(const std::string& profile);

// Checks the profile before anything is asked of tund, so that its mistakes are told with the path as it was typed.
Result<control::UpRequest> read_profile(const std::string& path);

}  // namespace causeway::tunctl

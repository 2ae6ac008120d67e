// Makes the control socket.
#pragma once

#include <string>

#include "core/base/result.h"
#include "platform/net/socket.h"

namespace causeway::platform {

// A socket that listens on `path`, open to everybody: who may do what is decided for each caller. Folders that are missing are made.
// A socket that nobody listens on any more is replaced; one that somebody does, or a file of another kind, is a kConflict.
Result<Descriptor> listen_on(const std::string& path);

// Removes a socket that nobody listens on any more; whatever else is there stays. True where there was one. Waits up to 2 s for a
// daemon that is being killed.
Result<bool> remove_dead_socket(const std::string& path);

}  // namespace causeway::platform

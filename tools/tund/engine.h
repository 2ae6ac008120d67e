// The engine process: everything but the changes to the machine.
#pragma once

#include <optional>
#include <string>

#include "platform/host/host.h"

namespace causeway::tund {

struct EngineParts {
  std::string state_directory;  // writable for this process
  std::string profiles_directory;
  platform::Descriptor profiles;   // the folder, where it was there
  platform::Descriptor listening;  // the control socket
  std::optional<gid_t> group;
};

// Until SIGTERM or SIGINT, which are blocked when this is called; all tunnels are down then. The process's exit code.
int run_engine(EngineParts parts, platform::Host& host);

}  // namespace causeway::tund

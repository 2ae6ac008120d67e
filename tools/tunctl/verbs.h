// What people type. A verb prints what it has to say and gives the exit code.
#pragma once

#include <string>

#include "tools/tunctl/exit_code.h"

namespace causeway::tunctl {

ExitCode keygen(const std::string& file, bool force);  // empty: to standard output
ExitCode pubkey(const std::string& file);              // "-": from standard input
ExitCode up(const std::string& socket, const std::string& profile);
ExitCode down(const std::string& socket, const std::string& profile);
ExitCode status(const std::string& socket, const std::string& profile, bool json, bool counters);
ExitCode version(const std::string& socket);

}  // namespace causeway::tunctl

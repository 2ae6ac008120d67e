// What people type. A verb prints what it has to say and gives the exit code.
#pragma once

#include <string>

#include "tools/tunctl/exit_code.h"
#include "tools/tunctl/intercept_options.h"

namespace causeway::tunctl {

ExitCode keygen(const std::string& file, bool force);  // empty: to standard output
ExitCode pubkey(const std::string& file);              // "-": from standard input
ExitCode up(const std::string& socket, const std::string& profile);
ExitCode down(const std::string& socket, const std::string& profile);
ExitCode status(const std::string& socket, const std::string& profile, bool json, bool counters);
// The exit code, which is the command's where there is one.
int intercept(const std::string& socket, const InterceptWords& words);
ExitCode leave(const std::string& socket, const InterceptWords& words);
ExitCode list(const std::string& socket, const std::string& profile, bool json);
ExitCode version(const std::string& socket);

}  // namespace causeway::tunctl

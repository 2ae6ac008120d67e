// The environment of a service of the cluster: asked for, and put where programs find it.
#pragma once

#include <string>

#include "core/control/message.h"
#include "tools/tunctl/call.h"
#include "tools/tunctl/intercept_options.h"

namespace causeway::tunctl {

struct ServiceEnvironment {
  control::ServiceAnswer service;
  environment::Variables variables;
};

// kDone, or what was told to the user.
ExitCode ask_environment(const std::string& socket, const InterceptOptions& options, ServiceEnvironment& out);

// To the file that the options name.
Result<void> write_environment(const environment::Variables& variables, const InterceptOptions& options);

// What a program on this machine gets of it: not what would change where it is looked for, how it is loaded, and where it is at home.
// `left_out` has the names of the rest.
environment::Variables for_program(const environment::Variables& variables, std::vector<std::string>& left_out);

}  // namespace causeway::tunctl

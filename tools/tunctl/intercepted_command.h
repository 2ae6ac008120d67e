// `tunctl intercept NAME -- COMMAND…`: the service is answered by a command while that runs.
#pragma once

#include <string>

#include "core/control/message.h"
#include "core/packet/address.h"
#include "tools/tunctl/exit_code.h"
#include "tools/tunctl/intercept_options.h"

namespace causeway::tunctl {

// Runs the command with the service's environment, intercepts once it listens, and ends with it. Its exit code, or this process ends by
// the same signal; 126 and 127 where it cannot be run, an ExitCode where it is not intercepted.
int run_intercepted(const std::string& socket, const InterceptOptions& options);

// Of intercept.cpp, for both ways.
control::InterceptRequest request_of(const InterceptOptions& options, const packet::Endpoint& local);
// Somebody else ended it before it was proven.
ExitCode complain_that_it_was_left(const InterceptOptions& options);
std::string ready_text(const InterceptOptions& options, const control::ServiceAnswer& service,
                       const control::InterceptedAnswer& intercepted);

}  // namespace causeway::tunctl

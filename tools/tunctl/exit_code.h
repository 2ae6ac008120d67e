// What tunctl's exit codes mean. `tunctl --help` and README.md list them; scripts rely on them.
#pragma once

#include "core/control/message.h"

namespace causeway::tunctl {

enum class ExitCode : int {
  kDone = 0,
  kOther = 1,
  kUsage = 2,
  kNoDaemon = 3,
  kNotPermitted = 4,
  kProfile = 5,
  kNoGateway = 6,
  kRefused = 7,
  kClusterDns = 8,
  kMachine = 9,
  kNotUp = 10,
  kNoService = 11,
  kTaken = 12,
};

// The table for --help.
const char* exit_code_help();

// For what tund answered: where `up` or `intercept` stopped tells more than why.
ExitCode exit_code_of(const control::ErrorAnswer& error);

}  // namespace causeway::tunctl

#include "tools/tunctl/exit_code.h"

namespace causeway::tunctl {

const char* exit_code_help() {
  return "Exit codes:\n"
         "  0   done; `status`: up\n"
         "  1   failed for another reason\n"
         "  2   wrong usage\n"
         "  3   tund is not running, or does not answer\n"
         "  4   not permitted: neither root nor a member of tund's group\n"
         "  5   the profile or a key is missing, unreadable or wrong\n"
         "  6   the gateway is not reachable, or gives no answer\n"
         "  7   the gateway refused us\n"
         "  8   the gateway answers, but the cluster's DNS does not\n"
         "  9   this machine is in the way: device, routes or resolver\n"
         "  10  `status`: not up\n";
}

ExitCode exit_code_of(const control::ErrorAnswer& error) {
  if (error.step == "profile") return ExitCode::kProfile;
  if (error.step == "device" || error.step == "resolver") return ExitCode::kMachine;
  if (error.step == "dns") return ExitCode::kClusterDns;
  if (error.step == "link" && error.kind == ErrorCode::kRefused) return ExitCode::kRefused;
  if (error.step == "gateway" || error.step == "link" || error.step == "echo") return ExitCode::kNoGateway;
  switch (error.kind) {
    case ErrorCode::kPermission: return ExitCode::kNotPermitted;
    case ErrorCode::kInvalid:
    case ErrorCode::kNotFound: return ExitCode::kProfile;
    case ErrorCode::kUnavailable: return ExitCode::kNoDaemon;
    case ErrorCode::kConflict: return ExitCode::kMachine;
    default: return ExitCode::kOther;
  }
}

}  // namespace causeway::tunctl

#include "tools/tunctl/exit_code.h"

namespace causeway::tunctl {

const char* exit_code_help() {
  return "Exit codes:\n"
         "  0   done; `status`: up\n"
         "  1   failed for another reason\n"
         "  2   wrong usage\n"
         "  3   tund is not running, or does not answer\n"
         "  4   not permitted: neither root nor a member of tund's group; or it is somebody else's\n"
         "  5   the profile or a key is missing, unreadable or wrong\n"
         "  6   the gateway is not reachable, or gives no answer\n"
         "  7   the gateway refused us\n"
         "  8   the gateway answers, but the cluster's DNS does not\n"
         "  9   this machine is in the way: device, routes or resolver\n"
         "  10  no tunnel is up, or not the one that is meant\n"
         "  11  there is no such service, or nothing of it is intercepted from here\n"
         "  12  somebody else intercepts the same of the service\n"
         "`intercept NAME -- COMMAND` ends as the command does, once that runs: with its exit code, or by the same\n"
         "signal; with 126 where it may not be run, and 127 where there is none.\n";
}

namespace {

ExitCode of_intercept(const control::ErrorAnswer& error) {
  switch (error.kind) {
    case ErrorCode::kNotFound: return ExitCode::kNoService;
    case ErrorCode::kConflict: return ExitCode::kTaken;
    case ErrorCode::kInvalid: return ExitCode::kUsage;
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimedOut: return ExitCode::kNoGateway;
    case ErrorCode::kPermission:
    case ErrorCode::kRefused: return ExitCode::kRefused;
    default: return ExitCode::kOther;
  }
}

}  // namespace

ExitCode exit_code_of(const control::ErrorAnswer& error) {
  if (error.step == "profile") return ExitCode::kProfile;
  if (error.step == "device" || error.step == "resolver") return ExitCode::kMachine;
  if (error.step == "dns") return ExitCode::kClusterDns;
  if (error.step == "link" && error.kind == ErrorCode::kRefused) return ExitCode::kRefused;
  if (error.step == "gateway" || error.step == "link" || error.step == "echo") return ExitCode::kNoGateway;
  if (error.step == "tunnel") return ExitCode::kNotUp;
  if (error.step == "service" || error.step == "path" || error.step == "local" || error.step == "leave") {
    return of_intercept(error);
  }
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

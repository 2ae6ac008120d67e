// `tunctl leave NAME`: the cluster's own answers again.
#include <fmt/format.h>

#include "tools/tunctl/call.h"
#include "tools/tunctl/verbs.h"

namespace causeway::tunctl {

ExitCode leave(const std::string& socket, const InterceptWords& words) {
  auto options = read_options(words);
  if (!options) return complain(options.error(), ExitCode::kUsage);
  control::LeaveRequest request{options->profile, options->service, options->headers, options->path_prefix, 0};
  return call(socket, request, std::chrono::seconds(10), [&](const control::Answer& answer) {
    const auto* done = std::get_if<control::LeaveAnswer>(&answer);
    if (!done) return ExitCode::kDone;
    std::string which = options->what.empty() ? "" : " with " + options->what;
    std::string count = done->count > 1 ? fmt::format(", {} intercepts ended", done->count) : "";
    fmt::print("{}{} is not intercepted from here any more{}\n", done->service, which, count);
    return ExitCode::kDone;
  });
}

}  // namespace causeway::tunctl

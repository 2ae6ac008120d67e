// `tunctl version`: ours, and that of the tund that runs.
#include <fmt/format.h>

#include "tools/tunctl/call.h"
#include "tools/tunctl/verbs.h"

namespace causeway::tunctl {

ExitCode version(const std::string& socket) {
  fmt::print("tunctl {}\n", CAUSEWAY_VERSION);
  auto client = platform::ControlClient::connect(socket);
  if (!client) {
    // Fine: it was asked which version this is.
    fmt::print("tund   {}\n", client.error().message);
    return ExitCode::kDone;
  }
  return call(socket, control::VersionRequest{}, std::chrono::seconds(10), [](const control::Answer& answer) {
    if (const auto* version = std::get_if<control::VersionAnswer>(&answer)) fmt::print("tund   {}\n", version->version);
    return ExitCode::kDone;
  });
}

}  // namespace causeway::tunctl

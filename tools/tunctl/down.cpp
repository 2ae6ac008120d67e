// `tunctl down [PROFILE]`: everything undone.
#include <fmt/format.h>

#include "tools/tunctl/call.h"
#include "tools/tunctl/profile_file.h"
#include "tools/tunctl/verbs.h"

namespace causeway::tunctl {
namespace {

void print(const control::DownAnswer& down) {
  for (const std::string& line : down.lines) fmt::print("  {}\n", line);
  if (down.profile.empty()) {
    fmt::print("nothing is up\n");
  } else {
    fmt::print("{} {}\n", down.profile, down.was_up ? "is down" : "was down already");
  }
}

// A path stands for the name that `up` made of it.
std::string name_of(std::string profile) {
  if (!is_path(profile)) return profile;
  profile.erase(0, profile.rfind('/') + 1);
  if (profile.ends_with(".toml")) profile.resize(profile.size() - 5);
  return profile;
}

}  // namespace

ExitCode down(const std::string& socket, const std::string& profile) {
  return call(socket, control::DownRequest{name_of(profile)}, std::chrono::seconds(60),
              [](const control::Answer& answer) {
                if (const auto* done = std::get_if<control::DownAnswer>(&answer)) print(*done);
                return ExitCode::kDone;
              });
}

}  // namespace causeway::tunctl

// `tunctl up [PROFILE]`: returns when the path is proven.
#include <fmt/format.h>

#include "tools/tunctl/call.h"
#include "tools/tunctl/profile_file.h"
#include "tools/tunctl/verbs.h"

namespace causeway::tunctl {
namespace {

using namespace std::chrono_literals;

void print(const control::UpAnswer& up) {
  switch (up.outcome) {
    case control::UpOutcome::kUp: fmt::print("{} is up, in {}\n", up.profile, time_text(up.took)); break;
    case control::UpOutcome::kJoined:
      fmt::print("{} is up; {} was bringing it up already\n", up.profile,
                 up.owner.empty() ? "somebody else" : up.owner);
      break;
    case control::UpOutcome::kAlreadyUp: fmt::print("{} was up already\n", up.profile); break;
  }
  if (!up.owner.empty()) fmt::print("it is {}'s, who alone takes it down (or root)\n", up.owner);
  if (!up.note.empty()) fmt::print("note: {}\n", up.note);
}

}  // namespace

ExitCode up(const std::string& socket, const std::string& profile) {
  control::UpRequest request{profile, {}};
  if (is_path(profile)) {
    auto read = read_profile(profile);
    if (!read) return complain(read.error(), ExitCode::kProfile);
    request = std::move(*read);
  }
  // Longer than any step may take, also for who joins late.
  return call(socket, request, 60s, [](const control::Answer& answer) {
    if (const auto* step = std::get_if<control::StepAnswer>(&answer)) print(stdout, *step);
    if (const auto* done = std::get_if<control::UpAnswer>(&answer)) print(*done);
    return ExitCode::kDone;
  });
}

}  // namespace causeway::tunctl

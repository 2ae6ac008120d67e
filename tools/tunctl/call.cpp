#include "tools/tunctl/call.h"

#include <fmt/format.h>

#include <cstdio>

namespace causeway::tunctl {
namespace {

ExitCode call_failed(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimedOut: return complain(error, ExitCode::kNoDaemon);
    case ErrorCode::kPermission: return complain(error, ExitCode::kNotPermitted);
    case ErrorCode::kLimit: return complain(error, ExitCode::kProfile);
    default: return complain(error, ExitCode::kOther);
  }
}

}  // namespace

ExitCode call(const std::string& socket, const control::Request& request, Duration patience,
              const std::function<ExitCode(const control::Answer&)>& take) {
  auto client = platform::ControlClient::connect(socket);
  if (!client) return call_failed(client.error());
  if (auto sent = client->send(request); !sent) return call_failed(sent.error());
  for (;;) {
    auto answer = client->receive(patience);
    if (!answer) return call_failed(answer.error());
    if (const auto* error = std::get_if<control::ErrorAnswer>(&*answer)) {
      complain(error->step.empty() ? error->message : error->step + ": " + error->message, error->advice);
      return exit_code_of(*error);
    }
    ExitCode code = take(*answer);
    if (control::is_final(*answer)) return code;
  }
}

void complain(const std::string& message, const std::string& advice) {
  std::fflush(stdout);
  fmt::print(stderr, "tunctl: {}\n", message);
  if (!advice.empty()) fmt::print(stderr, "  to do: {}\n", advice);
}

ExitCode complain(const Error& error, ExitCode code) {
  complain(error.message, error.advice);
  return code;
}

std::string time_text(std::chrono::microseconds time) {
  auto us = time.count();
  if (us < 1000) return fmt::format("{} us", us);
  if (us < 1'000'000) return fmt::format("{:.1f} ms", double(us) / 1e3);
  return fmt::format("{:.2f} s", double(us) / 1e6);
}

}  // namespace causeway::tunctl

#include "tools/tunctl/call.h"

#include <fmt/format.h>

#include <cstdio>

namespace causeway::tunctl {

ExitCode call(const std::string& socket, const control::Request& request, Duration patience,
              const std::function<ExitCode(const control::Answer&)>& take) {
  auto client = platform::ControlClient::connect(socket);
  if (!client) return complain_of_call(client.error());
  if (auto sent = client->send(request); !sent) return complain_of_call(sent.error());
  for (;;) {
    auto answer = client->receive(patience);
    if (!answer) return complain_of_call(answer.error());
    if (const auto* error = std::get_if<control::ErrorAnswer>(&*answer)) return complain(*error);
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

ExitCode complain(const control::ErrorAnswer& error) {
  complain(error.step.empty() ? error.message : error.step + ": " + error.message, error.advice);
  return exit_code_of(error);
}

ExitCode complain_of_call(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimedOut: return complain(error, ExitCode::kNoDaemon);
    case ErrorCode::kPermission: return complain(error, ExitCode::kNotPermitted);
    case ErrorCode::kLimit: return complain(error, ExitCode::kProfile);
    default: return complain(error, ExitCode::kOther);
  }
}

void print(std::FILE* to, const control::StepAnswer& step) {
  fmt::print(to, "  {:<9} {:>8}  {}\n", step.name, time_text(step.took), step.detail);
  std::fflush(to);
}

}  // namespace causeway::tunctl

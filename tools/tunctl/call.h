// Asking tund, and telling people what is wrong.
#pragma once

#include <functional>
#include <string>

#include "platform/control/client.h"
#include "tools/tunctl/exit_code.h"

namespace causeway::tunctl {

// Sends one request and hands on its answers up to the one that closes it; an error among them is told and becomes the exit code.
// `patience` is for each answer.
ExitCode call(const std::string& socket, const control::Request& request, Duration patience,
              const std::function<ExitCode(const control::Answer&)>& take);

// "tunctl: demo: WHAT HAPPENED", and beneath it what to do, on standard error.
void complain(const std::string& message, const std::string& advice = {});
// The same for something wrong on this side: files, keys, the call itself.
ExitCode complain(const Error& error, ExitCode code);

// "840 us", "4.1 ms", "2.30 s"
std::string time_text(std::chrono::microseconds time);

}  // namespace causeway::tunctl

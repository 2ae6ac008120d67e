// Asking tund, and telling people what is wrong.
#pragma once

#include <cstdio>
#include <functional>
#include <string>

#include "platform/control/client.h"
#include "tools/tunctl/exit_code.h"
#include "tools/tunctl/words.h"

namespace causeway::tunctl {

// Sends one request and hands on its answers up to the one that closes it; an error among them is told and becomes the exit code.
// `patience` is for each answer.
ExitCode call(const std::string& socket, const control::Request& request, Duration patience,
              const std::function<ExitCode(const control::Answer&)>& take);

// "tunctl: demo: WHAT HAPPENED", and beneath it what to do, on standard error.
void complain(const std::string& message, const std::string& advice = {});
// The same for something wrong on this side: files, keys, the call itself.
ExitCode complain(const Error& error, ExitCode code);
// What tund said, or that it could not be asked.
ExitCode complain(const control::ErrorAnswer& error);
ExitCode complain_of_call(const Error& error);

// "  device      4.1 ms  cw-demo"
void print(std::FILE* to, const control::StepAnswer& step);

}  // namespace causeway::tunctl

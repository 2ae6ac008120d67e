// Two processes from one: the host helper, which may change the machine and parses nothing, and the engine process, which parses
// everything and may change nothing. A program's main() is then:
//
//   auto host = MachineHost::create({state, profiles});                  // as root; says why not
//   for (const std::string& line : (*host)->recover()) log(line);        // what a crashed one left
//   Descriptor control = listen(...);                                    // whatever needs root to be opened
//   auto user = find_engine_user("causeway");
//   return run_split(std::move(*host), *user, {.engine = [&](Host& host) { return serve(control, host); }, .log = ...});
//
// To be called before there is a second thread or an event loop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "platform/host/helper.h"
#include "platform/host/machine_host.h"
#include "platform/host/privileges.h"

namespace causeway::platform {

// Exit codes of run_split() beyond the engine's own; 128 + N where signal N ended the engine.
inline constexpr int kExitNoPrivileges = 70;  // rights could not be given away: nothing ran
inline constexpr int kExitEngineStuck = 71;   // the engine did not end in time after being told to, and was killed

struct SplitParts {
  // Runs in the engine process, without rights; its result is the process's exit code. Ends on SIGTERM and SIGINT of its own
  // accord, taking its tunnels down through `host`. Is killed when the helper is.
  std::function<int(Host& host)> engine;
  // The helper's lines for the log: what was undone, what went wrong.
  std::function<void(const std::string& line)> log;
  // How long the engine has to end once it has been told to.
  std::chrono::milliseconds patience{5000};
};

// Starts the engine process and serves it until it ends. SIGTERM, SIGINT and SIGHUP are passed on to it as SIGTERM, and it has
// `patience` to end. Whatever it leaves is undone. Returns the exit code for the whole.
int run_split(std::unique_ptr<MachineHost> host, const EngineUser& user, const SplitParts& parts);

}  // namespace causeway::platform

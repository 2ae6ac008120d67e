#include "tools/tund/engine.h"

#include <causeway/tunnel.h>

#include <csignal>

#include "platform/log.h"
#include "tools/tund/service.h"

namespace causeway::tund {

int run_engine(EngineParts parts, platform::Host& host) {
  Runtime::Options options;
  options.host = &host;
  options.state_directory = parts.state_directory;
  options.profiles_directory = parts.profiles_directory;
  Failure failure;
  auto runtime = Runtime::create(options, failure);
  if (!runtime) {
    spdlog::error("cannot start: {}", failure.message);
    return 1;
  }
  platform::ControlServer::Options callers;
  callers.group = parts.group;
  Service service(*runtime, ProfileFolder(parts.profiles_directory, std::move(parts.profiles), host),
                  std::move(parts.listening), callers);
  auto stop = [&] {
    spdlog::info("ending: tunnels go down");
    service.stop([&] { runtime->stop(); });
  };
  platform::SignalWatch terminated(runtime->loop(), SIGTERM, stop), interrupted(runtime->loop(), SIGINT, stop);
  sigset_t ends;
  sigemptyset(&ends);
  for (int number : {SIGTERM, SIGINT}) sigaddset(&ends, number);
  sigprocmask(SIG_UNBLOCK, &ends, nullptr);  // what came before now is heard now
  spdlog::info("causeway {} is ready", version());
  runtime->run();
  // Told once more while the last things are closed, it would end as if it had failed.
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  return 0;
}

}  // namespace causeway::tund

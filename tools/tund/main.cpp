// tund: the local daemon. Root is needed to start it; what then parses packets, names and profiles has no rights left.
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <optional>
#include <thread>

#include "platform/control/listen.h"
#include "platform/host/split.h"
#include "platform/log.h"
#include "tools/tund/engine.h"
#include "tools/tund/ready.h"

namespace causeway::tund {
namespace {

// README.md lists them, with those of platform/host/split.h.
enum Exit : int { kDone = 0, kFailed = 1, kUsage = 2, kLives = 3 };

struct Options {
  std::string state = "/var/lib/causeway";
  std::string socket = "/run/causeway/control.sock";
  std::string profiles = "/etc/causeway";
  std::string group, user = "causeway";
  std::string log = "info";
  bool revert = false;
};

int complain(const Error& error) {
  spdlog::error("{}", platform::printable(error.message));
  if (!error.advice.empty()) spdlog::error("  to do: {}", platform::printable(error.advice));
  return kFailed;
}

// Nobody but root where the group was not named and does not exist.
Result<std::optional<gid_t>> find_group(const std::string& name) {
  const group* found = getgrnam(name.empty() ? "causeway" : name.c_str());
  if (found) return found->gr_gid;
  if (name.empty()) return std::nullopt;
  return fail(ErrorCode::kNotFound, "there is no group '" + name + "'",
              "`groupadd --system " + name + "`, or another --group");
}

// One that was killed a moment ago may hold the state for as long as the kernel takes to clean up.
Result<std::unique_ptr<platform::MachineHost>> take_machine(const Options& options) {
  platform::MachineHost::Options machine;
  machine.state_directory = options.state;
  machine.profiles_directory = options.profiles;
  for (int tries = 20;; --tries) {
    auto host = platform::MachineHost::create(machine);
    if (host || tries == 0 || host.error().code != ErrorCode::kConflict) return host;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

// Where the engine process keeps what must outlive it.
Result<std::string> engine_folder(const std::string& state, const platform::EngineUser& user) {
  std::string folder = state + "/engine";
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(ErrorCode::kSystem, "making " + folder + ": " + platform::error_text(errno));
  platform::Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened || fchown(opened.get(), user.uid, user.gid) != 0 || fchmod(opened.get(), 0700) != 0) {
    return fail(ErrorCode::kSystem, "giving " + folder + " to " + user.text + ": " + platform::error_text(errno));
  }
  return folder;
}

// What a tund that is no more has left on this machine, a line for each thing undone.
int revert(const Options& options) {
  auto host = take_machine(options);
  if (!host) {
    if (host.error().code != ErrorCode::kConflict) return complain(host.error());
    complain({ErrorCode::kConflict, "a tund lives with " + options.state + ": nothing was reverted",
              "`tunctl down` undoes what it does, or end it first"});
    return kLives;
  }
  std::vector<std::string> lines = (*host)->recover();
  auto socket = platform::remove_dead_socket(options.socket);
  if (socket && *socket) lines.push_back(options.socket + " removed");
  for (const std::string& line : lines) fmt::print("{}\n", platform::printable(line));
  if (!socket) return complain(socket.error());
  if (!(*host)->clean()) {
    return complain({ErrorCode::kSystem, "not all could be undone: the rest stays in the journal",
                     "`tund --revert` tries it again, and so does the next start"});
  }
  if (lines.empty()) fmt::print("there is nothing to undo\n");
  return kDone;
}

int run(const Options& options) {
  if (geteuid() != 0)
    return complain({ErrorCode::kPermission, "tund is started by root: it makes devices and routes", "use sudo"});
  umask(022);
  if (options.revert) return revert(options);
  auto group = find_group(options.group);
  if (!group) return complain(group.error());
  auto user = platform::find_engine_user(options.user);
  if (!user) return complain(user.error());
  auto host = take_machine(options);
  if (!host) return complain(host.error());
  for (const std::string& line : (*host)->recover())
    spdlog::info("left by an earlier run: {}", platform::printable(line));
  auto folder = engine_folder(options.state, *user);
  if (!folder) return complain(folder.error());
  auto listening = platform::listen_on(options.socket);
  if (!listening) return complain(listening.error());

  EngineParts parts{*folder, options.profiles,
                    platform::Descriptor(open(options.profiles.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                    std::move(*listening), *group};
  // Not before the engine process is ready to take its tunnels down.
  sigset_t ends;
  sigemptyset(&ends);
  for (int number : {SIGTERM, SIGINT}) sigaddset(&ends, number);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  spdlog::info("the engine process runs as {}; {} may bring tunnels up and down", user->text,
               *group ? "root and group " + std::to_string(**group) : "root alone");
  tell_ready();
  int code = platform::run_split(
      std::move(*host), *user,
      {[&](platform::Host& remote) { return run_engine(std::move(parts), remote); },
       [](const std::string& line) { spdlog::info("host helper: {}", platform::printable(line)); }});
  unlink(options.socket.c_str());
  if (code != kDone) spdlog::error("the engine process ended with {}", code);
  return code;
}

}  // namespace
}  // namespace causeway::tund

int main(int argc, char** argv) {
  using namespace causeway;
  CLI::App app("Keeps tunnels into clusters; tunctl tells it which. Runs in the foreground and logs to standard error.",
               "tund");
  tund::Options options;
  app.add_option("--state", options.state, "where it keeps what must survive a crash")->capture_default_str();
  app.add_option("--socket", options.socket, "where tunctl finds it")->capture_default_str();
  app.add_option("--profiles", options.profiles, "the folder of NAME.toml and their keys")->capture_default_str();
  app.add_option("--group", options.group,
                 "whose members may bring tunnels up and down; default: causeway, where there is one");
  app.add_option("--user", options.user,
                 "whom the unprivileged process runs as; a free number where there is no such user")
      ->capture_default_str();
  app.add_option("--log", options.log, "trace, debug, info, warn or error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_flag("--revert", options.revert,
               "undo what a tund that crashed or was killed left on this machine, say what, and end; refused while one "
               "lives with the same --state");
  app.set_version_flag("--version", "tund " CAUSEWAY_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? tund::kDone : tund::kUsage;
  }
  platform::start_log("tund", options.log);
  return tund::run(options);
}

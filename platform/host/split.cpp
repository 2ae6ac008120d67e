#include "platform/host/split.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>

#include "platform/host/files.h"

namespace causeway::platform {
namespace {

using Clock = std::chrono::steady_clock;

std::string text_of(const Error& error) { return error.message + (error.advice.empty() ? "" : "; " + error.advice); }

sigset_t helper_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&set, signal);
  return set;
}

int run_engine(Descriptor socket, pid_t helper, const EngineUser& user, const SplitParts& parts) {
  if (auto dropped = drop_privileges(user); !dropped) {
    parts.log(text_of(dropped.error()));
    return kExitNoPrivileges;
  }
  // Without the helper nothing can be undone, and the devices must go. Asked for after the change of user, which would clear it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != helper) return kExitNoPrivileges;
  RemoteHost host(std::move(socket));
  return parts.engine(host);
}

class Helper {
 public:
  Helper(pid_t engine, Descriptor socket, Descriptor signals, MachineHost& host, const SplitParts& parts)
      : engine_(engine), signals_(std::move(signals)), server_(std::move(socket), host), host_(host), parts_(parts) {}

  int run() {
    while (!status_) {
      if (deadline_ && Clock::now() >= *deadline_) {
        kill_engine();
        break;
      }
      pollfd wanted[2]{{signals_.get(), POLLIN, 0}, {serving_ ? server_.descriptor() : -1, POLLIN, 0}};
      int ready = ::poll(wanted, 2, wait_time());
      if (ready < 0 && errno != EINTR) break;
      // One request a turn: no flood of them keeps a signal or the deadline waiting.
      if (ready > 0 && wanted[1].revents) serve();
      if (ready > 0 && wanted[0].revents) take_signals();
    }
    if (!status_) kill_engine();
    undo();
    if (stuck_) return kExitEngineStuck;
    return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 128 + WTERMSIG(*status_);
  }

 private:
  // Without a deadline, until something comes.
  int wait_time() const {
    if (!deadline_) return -1;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now()).count();
    return int(std::max<long long>(left, 0));
  }

  // An engine that has gone, or that nobody can trust any more, keeps nothing; its process has as long to end as any.
  void serve() {
    if (server_.serve()) return;
    serving_ = false;
    undo();
    give_until_deadline();
  }

  void tell_engine() {
    ::kill(engine_, SIGTERM);
    give_until_deadline();
  }

  void give_until_deadline() {
    if (!deadline_) deadline_ = Clock::now() + parts_.patience;
  }

  void undo() {
    for (const std::string& line : host_.detach_all()) parts_.log(line);
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == ssize_t(sizeof info)) {
      if (info.ssi_signo != SIGCHLD) tell_engine();
    }
    int status = 0;
    if (::waitpid(engine_, &status, WNOHANG) == engine_) status_ = status;
  }

  void kill_engine() {
    stuck_ = true;
    ::kill(engine_, SIGKILL);
    int status = 0;
    while (::waitpid(engine_, &status, 0) < 0 && errno == EINTR) continue;
    status_ = status;
  }

  pid_t engine_;
  Descriptor signals_;
  HostServer server_;
  MachineHost& host_;
  const SplitParts& parts_;
  bool serving_ = true, stuck_ = false;
  std::optional<Clock::time_point> deadline_;
  std::optional<int> status_;
};

}  // namespace

int run_split(std::unique_ptr<MachineHost> host, const EngineUser& user, const SplitParts& parts) {
  auto sockets = make_message_sockets();
  sigset_t wanted = helper_signals(), before;
  ::sigprocmask(SIG_BLOCK, &wanted, &before);
  Descriptor signals(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!sockets || !signals) {
    parts.log(sockets ? "no descriptor for signals" : text_of(sockets.error()));
    return kExitNoPrivileges;
  }
  std::fflush(nullptr);  // what is buffered is written once, not by both
  pid_t helper = ::getpid(), engine = ::fork();
  if (engine < 0) {
    parts.log(fail_errno(errno, "starting the engine process").value().message);
    return kExitNoPrivileges;
  }
  if (engine == 0) {
    host.reset();
    signals.reset();
    sockets->first.reset();
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    int code = run_engine(std::move(sockets->second), helper, user, parts);
    std::fflush(nullptr);
    ::_exit(code);
  }
  sockets->second.reset();
  if (auto kept = keep_helper_privileges(); !kept) {
    parts.log(text_of(kept.error()));
    ::kill(engine, SIGKILL);
  }
  int code = Helper(engine, std::move(sockets->first), std::move(signals), *host, parts).run();
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return code;
}

}  // namespace causeway::platform

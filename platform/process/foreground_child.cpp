#include "platform/process/foreground_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

constexpr int kPassedOn[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};

sigset_t taken_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : kPassedOn) sigaddset(&set, number);
  sigaddset(&set, SIGCHLD);
  return set;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_with(const environment::Variables& variables) {
  environment::Variables own;
  for (char** at = environ; at && *at; ++at) {
    std::string_view pair = *at;
    std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) own.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  std::vector<std::string> out;
  for (const auto& [name, value] : environment::merged(std::move(own), variables)) out.push_back(name + '=' + value);
  return out;
}

Error cannot_run(const std::string& program, int error) {
  std::string message = "cannot run " + program + ": " + std::strerror(error);
  switch (error) {
    case ENOENT: return {ErrorCode::kNotFound, std::move(message), ""};
    case EACCES: return {ErrorCode::kPermission, std::move(message), ""};
    case E2BIG:
      return {ErrorCode::kSystem, std::move(message),
              "the service's environment and this one's are too large together"};
    default: return {ErrorCode::kSystem, std::move(message), ""};
  }
}

}  // namespace

Result<ForegroundChild> ForegroundChild::start(const std::vector<std::string>& command,
                                               const environment::Variables& variables) {
  std::vector<std::string> words = command, pairs = environment_with(variables);
  std::vector<char*> arguments = pointers(words), environment = pointers(pairs);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return tl::make_unexpected(cannot_run(command[0], errno));
  Descriptor failed(ends[0]), fails(ends[1]);
  sigset_t taken = taken_signals(), before;
  sigprocmask(SIG_BLOCK, &taken, &before);
  Descriptor signals(signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC));
  pid_t parent = getpid(), pid = signals ? fork() : -1;
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);  // it died before it could be noticed
    sigprocmask(SIG_SETMASK, &before, nullptr);
    execvpe(arguments[0], arguments.data(), environment.data());
    int error = errno;
    [[maybe_unused]] ssize_t told = write(fails.get(), &error, sizeof error);
    _exit(127);
  }
  int error = errno;
  fails.reset();
  // Nothing is told where the program has begun.
  bool begun = pid > 0 && read(failed.get(), &error, sizeof error) == 0;
  if (begun) return ForegroundChild(pid, std::move(signals));
  if (pid > 0) waitpid(pid, nullptr, 0);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return tl::make_unexpected(cannot_run(command[0], error));
}

ForegroundChild::Woken ForegroundChild::wait(int descriptor, Instant until) {
  for (;;) {
    look_for_end();
    if (end_) return Woken::kEnded;
    Instant now = boot_now(), next = std::min(until, kill_at_);
    if (now >= kill_at_) {
      kill(pid_, SIGKILL);
      kill_at_ = kNever;
      continue;
    }
    if (now >= until) return Woken::kTimedOut;
    int patience = -1;
    if (next != kNever) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now);
      patience = int(std::min<std::int64_t>(left.count(), 3'600'000));
    }
    pollfd ready[] = {{signals_.get(), POLLIN, 0}, {descriptor, POLLIN, 0}};
    if (poll(ready, descriptor < 0 ? 1 : 2, patience) < 0) continue;
    if (ready[0].revents) take_signals();
    if (descriptor >= 0 && ready[1].revents) return Woken::kReadable;
  }
}

void ForegroundChild::take_signals() {
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == ssize_t(sizeof info)) {
    // The kernel's come from the terminal, and the program has got them too.
    bool for_us_alone = info.ssi_signo != SIGCHLD && info.ssi_code != SI_KERNEL && pid_t(info.ssi_pid) != pid_;
    look_for_end();
    if (for_us_alone && !end_) kill(pid_, int(info.ssi_signo));
  }
}

void ForegroundChild::look_for_end() {
  int status = 0;
  while (!end_ && waitpid(pid_, &status, WNOHANG | WUNTRACED) == pid_) {
    if (WIFEXITED(status)) {
      end_ = End{false, WEXITSTATUS(status)};
    } else if (WIFSIGNALED(status)) {
      end_ = End{true, WTERMSIG(status)};
    } else if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGSTOP) {
      // By job control. The shell continues both, as they are in one group.
      raise(SIGSTOP);
    }
  }
}

void ForegroundChild::terminate(Duration patience) {
  look_for_end();
  if (end_) return;
  kill(pid_, SIGTERM);
  kill_at_ = boot_now() + patience;
}

int end_like(const ForegroundChild::End& end) {
  if (!end.by_signal) return end.number;
  rlimit none{};
  setrlimit(RLIMIT_CORE, &none);
  signal(end.number, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, end.number);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
  raise(end.number);
  return 128 + end.number;  // what a shell makes of it, where the signal does not end a process
}

}  // namespace causeway::platform

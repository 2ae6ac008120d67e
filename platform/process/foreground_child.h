// A program that runs in this process's place, as far as anybody can tell: same terminal, same process group, its signals and its end.
//
// What the terminal sends (^C, ^\, ^Z, a new size) reaches the program by itself, as it is in the same group; what is sent to this process
// alone (kill(2) from elsewhere) is passed on. When the program stops itself by job control, this process stops too, so that the
// shell gets its prompt. When this process is killed, the program gets SIGTERM from the kernel.
//
// From start() on SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and SIGWINCH do nothing to this process but this. One at a time, one
// thread.
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/environment/variables.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class ForegroundChild {
 public:
  struct End {
    bool by_signal = false;
    int number = 0;  // the exit code, or the signal
  };
  enum class Woken { kEnded, kReadable, kTimedOut };

  // `command`: the program, looked for in this process's PATH, and its arguments. `variables` are laid over this process's environment.
  // kNotFound: there is no such program; kPermission: it may not be run; kSystem: it cannot for another reason.
  static Result<ForegroundChild> start(const std::vector<std::string>& command,
                                       const environment::Variables& variables);
  ForegroundChild(ForegroundChild&&) noexcept = default;
  ForegroundChild& operator=(ForegroundChild&&) = delete;

  // Until the program has ended, `descriptor` is readable (-1: none), or `until`.
  Woken wait(int descriptor, Instant until);
  // SIGTERM now, SIGKILL after `patience`, if it is still there; wait() sees to that.
  void terminate(Duration patience);
  // Once it has ended.
  const std::optional<End>& end() const { return end_; }

 private:
  ForegroundChild(pid_t pid, Descriptor signals) : pid_(pid), signals_(std::move(signals)) {}
  void take_signals();
  void look_for_end();

  pid_t pid_;
  Descriptor signals_;
  Instant kill_at_ = kNever;
  std::optional<End> end_;
};

// Ends this process as the program has ended: by the same signal, without a core of its own; or gives the exit code to end with.
int end_like(const ForegroundChild::End& end);

}  // namespace causeway::platform

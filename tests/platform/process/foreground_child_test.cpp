// The program, its wrapper, and the terminal or the process that sends them signals.
#include "platform/process/foreground_child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

class Wrapped : public testing::Test {
 protected:
  Wrapped() {
    char name[] = "/tmp/causeway-process-XXXXXX";
    folder_ = mkdtemp(name);
    setenv("LOG", (folder_ + "/log").c_str(), 1);
  }
  ~Wrapped() override {
    for (pid_t pid : started_) {
      if (pid <= 0) continue;
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }

  // What tunctl does, in a process of its own.
  [[noreturn]] static void wrap(const Words& command, const environment::Variables& variables = {}) {
    auto child = ForegroundChild::start(command, variables);
    if (!child) _exit(99);
    while (child->wait(-1, kNever) != ForegroundChild::Woken::kEnded) continue;
    _exit(end_like(*child->end()));
  }
  pid_t in_process(const std::function<void()>& work) {
    pid_t pid = fork();
    if (pid == 0) {
      work();
      _exit(98);
    }
    started_.push_back(pid);
    return pid;
  }
  pid_t start(const std::string& script, const environment::Variables& variables = {}) {
    return in_process([&] { wrap({"sh", "-c", script}, variables); });
  }
  int status_of(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    std::replace(started_.begin(), started_.end(), pid, pid_t(-1));
    return status;
  }
  int exit_code(pid_t pid) {
    int status = status_of(pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::string log() const {
    std::ostringstream text;
    text << std::ifstream(folder_ + "/log").rdbuf();
    return text.str();
  }
  bool logs(const std::string& text) const {
    for (int tries = 0; tries < 2000; ++tries) {
      if (log().find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }

  // Logs each signal that it gets, until it gets USR2, which ends it.
  static constexpr const char* kListener =
      "for s in INT TERM HUP QUIT USR1 WINCH; do trap \"echo $s >>\\\"$LOG\\\"\" $s; done\n"
      "trap 'echo bye >>\"$LOG\"; exit 3' USR2\n"
      "echo ready >>\"$LOG\"\n"
      "while :; do sleep 0.1 & wait; done";

  std::string folder_;
  std::vector<pid_t> started_;
};

TEST_F(Wrapped, ItsExitCodeIsTheWrappers) {
  EXPECT_EQ(exit_code(start("exit 0")), 0);
  EXPECT_EQ(exit_code(start("exit 7")), 7);
  EXPECT_EQ(exit_code(start("exit 255")), 255);
}

TEST_F(Wrapped, ASignalThatEndsItEndsTheWrapper) {
  for (int number : {SIGINT, SIGTERM, SIGKILL, SIGSEGV, SIGPIPE})
    EXPECT_EQ(exit_code(start("kill -" + std::to_string(number) + " $$")), -number);
}

TEST_F(Wrapped, SignalsToTheWrapperAreItsOwnAndComeOnce) {
  pid_t wrapper = start(kListener);
  ASSERT_TRUE(logs("ready"));
  std::string wanted = "ready\n";
  for (auto [number, word] : {std::pair(SIGINT, "INT"),
                              {SIGTERM, "TERM"},
                              {SIGHUP, "HUP"},
                              {SIGQUIT, "QUIT"},
                              {SIGUSR1, "USR1"},
                              {SIGWINCH, "WINCH"}}) {
    kill(wrapper, number);
    EXPECT_TRUE(logs(word)) << word;
    wanted += std::string(word) + '\n';
  }
  kill(wrapper, SIGUSR2);
  EXPECT_EQ(exit_code(wrapper), 3);
  EXPECT_EQ(log(), wanted + "bye\n");
}

TEST_F(Wrapped, WhenTheWrapperIsKilledItGetsSigterm) {
  pid_t wrapper =
      start("trap 'echo TERM >>\"$LOG\"; exit' TERM; echo ready >>\"$LOG\"; while :; do sleep 0.1 & wait; done");
  ASSERT_TRUE(logs("ready"));
  kill(wrapper, SIGKILL);
  EXPECT_EQ(exit_code(wrapper), -SIGKILL);
  EXPECT_TRUE(logs("TERM"));
}

TEST_F(Wrapped, VariablesAreLaidOverTheEnvironment) {
  setenv("KEPT", "kept", 1);
  setenv("CHANGED", "old", 1);
  pid_t wrapper =
      start("printf '%s|%s|%s' \"$KEPT\" \"$CHANGED\" \"$NEW\" >\"$LOG\"", {{"CHANGED", "new\n'1'"}, {"NEW", ""}});
  EXPECT_EQ(exit_code(wrapper), 0);
  EXPECT_EQ(log(), "kept|new\n'1'|");
}

TEST_F(Wrapped, WhatCannotBeRunSaysWhy) {
  auto none = ForegroundChild::start({"no-such-program-here"}, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(none.error().message, "cannot run no-such-program-here: No such file or directory");
  std::ofstream(folder_ + "/text") << "text";
  auto text = ForegroundChild::start({folder_ + "/text"}, {});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kPermission);
  // What came between is as it was.
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, nullptr, &blocked);
  EXPECT_FALSE(sigismember(&blocked, SIGINT));
}

TEST_F(Wrapped, WaitingEndsForADescriptorOrATimeToo) {
  pid_t tester = in_process([&] {
    auto child = ForegroundChild::start({"sleep", "60"}, {});
    int ends[2];
    if (!child || pipe(ends) != 0) _exit(1);
    if (child->wait(ends[0], boot_now() + 20ms) != ForegroundChild::Woken::kTimedOut) _exit(2);
    if (write(ends[1], "x", 1) != 1 || child->wait(ends[0], kNever) != ForegroundChild::Woken::kReadable) _exit(3);
    child->terminate(10s);
    if (child->wait(-1, kNever) != ForegroundChild::Woken::kEnded) _exit(4);
    _exit(child->end()->by_signal && child->end()->number == SIGTERM ? 0 : 5);
  });
  EXPECT_EQ(exit_code(tester), 0);
}

TEST_F(Wrapped, WhatDoesNotHeedSigtermIsKilled) {
  pid_t tester = in_process([&] {
    auto child =
        ForegroundChild::start({"sh", "-c", "trap '' TERM; echo ready >\"$LOG\"; while :; do sleep 0.1; done"}, {});
    if (!child || !logs("ready")) _exit(1);
    child->terminate(200ms);
    if (child->wait(-1, kNever) != ForegroundChild::Woken::kEnded) _exit(2);
    _exit(child->end()->by_signal && child->end()->number == SIGKILL ? 0 : 3);
  });
  EXPECT_EQ(exit_code(tester), 0);
}

// A terminal whose session leader does what a shell does: runs the wrapper as a job in the foreground, and continues it when it stops.
class OnATerminal : public Wrapped {
 protected:
  void run(const std::string& script) {
    leader_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (leader_ == 0) lead(script);
    started_.push_back(leader_);
  }
  ~OnATerminal() override {
    if (terminal_ < 0) return;
    pid_t job = tcgetpgrp(terminal_);
    if (job > 1) kill(-job, SIGKILL);
    close(terminal_);
  }
  [[noreturn]] static void lead(const std::string& script) {
    signal(SIGTTOU, SIG_IGN);
    pid_t job = fork();
    if (job == 0) {
      setpgid(0, 0);
      tcsetpgrp(0, getpid());
      signal(SIGTTOU, SIG_DFL);
      wrap({"sh", "-c", script});
    }
    setpgid(job, job);
    for (int status = 0; waitpid(job, &status, WUNTRACED) == job;) {
      if (WIFSTOPPED(status)) {
        tcsetpgrp(0, getpid());
        std::ofstream(std::getenv("LOG"), std::ios::app) << "stopped\n";
        tcsetpgrp(0, job);
        kill(-job, SIGCONT);
      } else {
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
      }
    }
    _exit(97);
  }
  void type(const std::string& text) { EXPECT_EQ(write(terminal_, text.data(), text.size()), ssize_t(text.size())); }

  int terminal_ = -1;
  pid_t leader_ = -1;
};

TEST_F(OnATerminal, WhatIsTypedComesOnce) {
  run(kListener);
  ASSERT_TRUE(logs("ready"));
  type("\x03");
  EXPECT_TRUE(logs("INT"));
  type("\x1c");
  EXPECT_TRUE(logs("QUIT"));
  winsize size{50, 132, 0, 0};
  ioctl(terminal_, TIOCSWINSZ, &size);
  EXPECT_TRUE(logs("WINCH"));
  type("\x03");
  EXPECT_TRUE(logs("INT\nQUIT\nWINCH\nINT\n"));
  EXPECT_EQ(log(), "ready\nINT\nQUIT\nWINCH\nINT\n");
}

TEST_F(OnATerminal, AnInterruptThatEndsItEndsTheWrapperTheSameWay) {
  run("echo ready >\"$LOG\"; while :; do sleep 0.1; done");
  ASSERT_TRUE(logs("ready"));
  type("\x03");
  EXPECT_EQ(exit_code(leader_), 128 + SIGINT);
}

TEST_F(OnATerminal, BothStopAndGoOnAsOneJob) {
  // The kernel continues the job and the wrapper its child: one of the two may come while the shell still deals with the other.
  run("trap 'trap \"\" CONT; echo continued >>\"$LOG\"; exit 5' CONT; echo ready >>\"$LOG\"; while :; do sleep 0.1 & wait; done");
  ASSERT_TRUE(logs("ready"));
  type("\x1a");
  EXPECT_TRUE(logs("stopped"));
  EXPECT_EQ(exit_code(leader_), 5);
  EXPECT_EQ(log(), "ready\nstopped\ncontinued\n");
}

TEST_F(OnATerminal, WhatStopsItselfStopsTheJob) {
  run("trap 'echo continued >>\"$LOG\"' CONT; echo ready >>\"$LOG\"; kill -TSTP $$; echo on >>\"$LOG\"; exit 6");
  EXPECT_EQ(exit_code(leader_), 6);
  EXPECT_NE(log().find("stopped\n"), std::string::npos) << log();
  EXPECT_NE(log().find("on\n"), std::string::npos) << log();
}

TEST_F(OnATerminal, ItReadsWhatIsTyped) {
  run("read line; echo \"got $line\" >>\"$LOG\"; exit 4");
  type("hello\n");
  EXPECT_EQ(exit_code(leader_), 4);
  EXPECT_EQ(log(), "got hello\n");
}

}  // namespace
}  // namespace causeway::platform

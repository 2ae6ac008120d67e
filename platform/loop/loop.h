// The event loop (libuv) and what waits on it. The only place in the tree that waits.
//
// One thread for each loop. Everything here is made, used and destroyed on the loop's thread, except Loop::post() and
// Loop::stop(). A watcher may be destroyed inside any callback, its own included; no callback of it comes afterwards. A watcher
// must be gone before its loop.
#pragma once

#include <functional>
#include <memory>

#include "core/base/result.h"
#include "core/base/time.h"

struct uv_loop_s;

namespace causeway::platform {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Until stop() is called, or nothing is waited for and nothing posted any more.
  void run();
  // Ends run() after the present turn, or the next run() at once. Any thread.
  void stop();
  // Runs `work` on the loop's thread, in a later turn. Any thread.
  void post(std::function<void()> work);
  // Runs `work` at the end of the present turn, when all that was ready has been handled: where engines are flushed once for
  // many events. Work that asks again runs in the next turn, which then does not wait. See TurnEnd for work whose owner may go.
  void at_turn_end(std::function<void()> work);

  // For the parts of platform that use libuv themselves.
  uv_loop_s* raw();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

// Work for the end of a turn, of an owner that may go before it. Allocates nothing when asked.
class TurnEnd {
 public:
  TurnEnd(Loop& loop, std::function<void()> work);
  // The work is not run afterwards. Fine inside the work itself.
  ~TurnEnd();
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;

  // Runs the work once at the end of this turn, however often it is asked for.
  void ask();

 private:
  struct Inside;
  Inside* inside_;
};

// Tells when a descriptor can be read or written; level-triggered. The descriptor stays the caller's, and is closed after this.
class Poll {
 public:
  // kErrors waits for nothing but an error of the descriptor (a reset, a refused connection), which the others see too.
  enum Events : int { kNone = 0, kReadable = 1, kWritable = 2, kErrors = 4 };
  // `ready(events)`: an error counts as readable and writable. Nothing is waited for after it until watch() is called again.
  Poll(Loop& loop, int descriptor, std::function<void(int events)> ready);
  ~Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  // What to wait for from now on; nothing at first. Costs nothing where it is the same as before.
  void watch(int events);

 private:
  struct Inside;
  Inside* inside_;
};

// Runs a callback once its time has come, on CLOCK_BOOTTIME: after a sleep of the machine it is due at once.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> due);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // kNever stops it. A time that has passed is due in the next turn. Costs nothing where it is the same as before.
  void set(Instant when);

 private:
  std::function<void()> due_;
  int descriptor_;
  Instant when_ = kNever;
  std::unique_ptr<Poll> poll_;
};

// A signal of the process, taken on the loop's thread.
class SignalWatch {
 public:
  SignalWatch(Loop& loop, int number, std::function<void()> came);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct Inside;
  Inside* inside_;
};

}  // namespace causeway::platform

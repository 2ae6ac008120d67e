#include "platform/loop/loop.h"

#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "core/base/assert.h"

namespace causeway::platform {

struct Loop::Inside {
  uv_loop_t loop;
  uv_async_t wake;
  uv_check_t check;   // runs when the events of a turn have been handled
  uv_idle_t again;    // runs while work for the next turn is there, so that the loop does not wait
  std::mutex mutex;   // guards `posted` and `stopping`
  std::vector<std::function<void()>> posted;
  bool stopping = false;
  bool stopped = false;
  std::vector<std::function<void()>> turn_end, turn_end_now;

  void run_turn_end() {
    if (turn_end.empty()) return;
    uv_idle_stop(&again);
    turn_end_now.swap(turn_end);
    for (auto& each : turn_end_now) each();
    turn_end_now.clear();
  }

  // Gives whether there was work. Notes a wish to stop.
  bool run_posted() {
    std::vector<std::function<void()>> work;
    {
      std::lock_guard lock(mutex);
      work.swap(posted);
      if (std::exchange(stopping, false)) stopped = true;
    }
    for (auto& each : work) each();
    return !work.empty();
  }
};

Loop::Loop() : inside_(std::make_unique<Inside>()) {
  CAUSEWAY_ASSERT(uv_loop_init(&inside_->loop) == 0);
  inside_->loop.data = inside_.get();
  CAUSEWAY_ASSERT(uv_async_init(&inside_->loop, &inside_->wake, [](uv_async_t* handle) {
                    auto* inside = static_cast<Inside*>(handle->loop->data);
                    inside->run_posted();
                    if (inside->stopped) uv_stop(handle->loop);
                  }) == 0);
  uv_unref(reinterpret_cast<uv_handle_t*>(&inside_->wake));
  uv_check_init(&inside_->loop, &inside_->check);
  uv_check_start(&inside_->check, [](uv_check_t* handle) { static_cast<Inside*>(handle->loop->data)->run_turn_end(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&inside_->check));
  uv_idle_init(&inside_->loop, &inside_->again);
}

Loop::~Loop() {
  inside_->run_turn_end();  // what TurnEnds left behind
  for (uv_handle_t* handle : {reinterpret_cast<uv_handle_t*>(&inside_->wake), reinterpret_cast<uv_handle_t*>(&inside_->check),
                              reinterpret_cast<uv_handle_t*>(&inside_->again)}) {
    uv_close(handle, nullptr);
  }
  uv_run(&inside_->loop, UV_RUN_DEFAULT);
  CAUSEWAY_ASSERT(uv_loop_close(&inside_->loop) == 0);
}

void Loop::run() {
  inside_->stopped = false;
  // libuv also returns when nothing is waited for, but something may have been posted.
  do uv_run(&inside_->loop, UV_RUN_DEFAULT);
  while (!inside_->stopped && inside_->run_posted() && !inside_->stopped);
}

void Loop::stop() {
  {
    std::lock_guard lock(inside_->mutex);
    inside_->stopping = true;
  }
  uv_async_send(&inside_->wake);
}

void Loop::post(std::function<void()> work) {
  {
    std::lock_guard lock(inside_->mutex);
    inside_->posted.push_back(std::move(work));
  }
  uv_async_send(&inside_->wake);
}

void Loop::at_turn_end(std::function<void()> work) {
  inside_->turn_end.push_back(std::move(work));
  uv_idle_start(&inside_->again, [](uv_idle_t*) {});
}

uv_loop_s* Loop::raw() { return &inside_->loop; }

struct TurnEnd::Inside {
  Loop& loop;
  std::function<void()> work;
  bool asked = false, running = false, gone = false;

  void run() {
    asked = false;
    if (!gone) {
      running = true;
      work();
      running = false;
    }
    if (gone && !asked) delete this;
  }
};

TurnEnd::TurnEnd(Loop& loop, std::function<void()> work) : inside_(new Inside{loop, std::move(work)}) {}

TurnEnd::~TurnEnd() {
  inside_->gone = true;
  if (!inside_->asked && !inside_->running) delete inside_;
}

void TurnEnd::ask() {
  if (inside_->asked) return;
  inside_->asked = true;
  inside_->loop.at_turn_end([inside = inside_] { inside->run(); });
}

struct Poll::Inside {
  uv_poll_t handle;
  std::function<void(int)> ready;
  int watched = kNone;
  bool gone = false;
};

Poll::Poll(Loop& loop, int descriptor, std::function<void(int)> ready) : inside_(new Inside) {
  inside_->ready = std::move(ready);
  CAUSEWAY_ASSERT(uv_poll_init(loop.raw(), &inside_->handle, descriptor) == 0);
  inside_->handle.data = inside_;
}

Poll::~Poll() {
  inside_->gone = true;
  uv_poll_stop(&inside_->handle);
  uv_close(reinterpret_cast<uv_handle_t*>(&inside_->handle), [](uv_handle_t* h) { delete static_cast<Inside*>(h->data); });
}

void Poll::watch(int events) {
  if (events == inside_->watched) return;
  inside_->watched = events;
  if (events == kNone) {
    uv_poll_stop(&inside_->handle);
    return;
  }
  // libuv names no event for errors alone: urgent data, which nobody sends here, stands in.
  int wanted = ((events & kReadable) ? UV_READABLE : 0) | ((events & kWritable) ? UV_WRITABLE : 0) |
               ((events & kErrors) ? UV_PRIORITIZED : 0);
  CAUSEWAY_ASSERT(uv_poll_start(&inside_->handle, wanted, [](uv_poll_t* handle, int status, int got) {
                    auto* inside = static_cast<Inside*>(handle->data);
                    bool error = status < 0 || (got & UV_PRIORITIZED) != 0;
                    int ready = error ? kReadable | kWritable
                                      : ((got & UV_READABLE) ? kReadable : 0) | ((got & UV_WRITABLE) ? kWritable : 0);
                    if (error) {
                      uv_poll_stop(handle);
                      inside->watched = kNone;
                    }
                    // The callback may destroy the Poll: the function object lives until the handle is closed.
                    if (!inside->gone) inside->ready(ready);
                  }) == 0);
}

Timer::Timer(Loop& loop, std::function<void()> due)
    : due_(std::move(due)), descriptor_(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC)) {
  CAUSEWAY_ASSERT(descriptor_ >= 0);
  poll_ = std::make_unique<Poll>(loop, descriptor_, [this](int) {
    std::uint64_t times = 0;
    if (read(descriptor_, &times, sizeof times) != ssize_t(sizeof times)) return;
    when_ = kNever;
    std::function<void()> callback = due_;  // it may destroy the timer
    callback();
  });
  poll_->watch(Poll::kReadable);
}

Timer::~Timer() {
  poll_.reset();
  close(descriptor_);
}

void Timer::set(Instant when) {
  if (when == when_) return;
  when_ = when;
  itimerspec spec{};
  if (when != kNever) {
    // A zero would stop the timer, and times before the boot do not exist.
    std::int64_t ns = std::max<std::int64_t>(1, when.time_since_epoch().count());
    spec.it_value.tv_sec = ns / 1'000'000'000;
    spec.it_value.tv_nsec = ns % 1'000'000'000;
  }
  CAUSEWAY_ASSERT(timerfd_settime(descriptor_, TFD_TIMER_ABSTIME, &spec, nullptr) == 0);
}

struct SignalWatch::Inside {
  uv_signal_t handle;
  std::function<void()> came;
};

SignalWatch::SignalWatch(Loop& loop, int number, std::function<void()> came) : inside_(new Inside) {
  inside_->came = std::move(came);
  CAUSEWAY_ASSERT(uv_signal_init(loop.raw(), &inside_->handle) == 0);
  inside_->handle.data = inside_;
  CAUSEWAY_ASSERT(uv_signal_start(&inside_->handle,
                                  [](uv_signal_t* handle, int) { static_cast<Inside*>(handle->data)->came(); }, number) == 0);
  uv_unref(reinterpret_cast<uv_handle_t*>(&inside_->handle));
}

SignalWatch::~SignalWatch() {
  uv_signal_stop(&inside_->handle);
  uv_close(reinterpret_cast<uv_handle_t*>(&inside_->handle), [](uv_handle_t* h) { delete static_cast<Inside*>(h->data); });
}

}  // namespace causeway::platform

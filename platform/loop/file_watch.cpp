#include "platform/loop/file_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <tuple>
#include <utility>

#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

constexpr Duration kQuiet = std::chrono::milliseconds(30);
constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

// What tells one state of a file from another; all zero where there is none.
using State = std::tuple<dev_t, ino_t, off_t, mode_t, std::int64_t, std::int64_t>;

std::int64_t ns(const timespec& t) { return std::int64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec; }

State state_of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size, info.st_mode, ns(info.st_mtim), ns(info.st_ctim)};
}

std::string folder_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

struct FileWatch::Inside {
  Inside(Loop& loop, std::string file, std::function<void()> on_change, Duration every)
      : look_every(every),
        path(std::move(file)),
        changed(std::move(on_change)),
        told(state_of(path)),
        seen(told),
        timer(loop, [this] { look(); }) {
    timer.set(boot_now() + look_every);
    descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (descriptor < 0) return;  // the looks remain
    inotify_add_watch(descriptor, folder_of(path).c_str(), kEvents);
    poll = std::make_unique<Poll>(loop, descriptor, [this](int) { notified(); });
    poll->watch(Poll::kReadable);
  }
  ~Inside() {
    poll.reset();
    if (descriptor >= 0) close(descriptor);
  }

  void notified() {
    std::array<char, 4096> events;
    while (read(descriptor, events.data(), events.size()) > 0) {
    }
    poll->watch(Poll::kReadable);
    if (state_of(path) != told) timer.set(boot_now() + kQuiet);
  }

  void look() {
    State now = state_of(path);
    bool quiet = now == std::exchange(seen, now);
    if (now == told) {
      timer.set(boot_now() + look_every);
    } else if (!quiet) {
      timer.set(boot_now() + kQuiet);
    } else {
      told = now;
      timer.set(boot_now() + look_every);
      std::function<void()> callback = changed;  // it may destroy the watch
      callback();
    }
  }

  Duration look_every;
  std::string path;
  std::function<void()> changed;
  State told, seen;
  Timer timer;
  int descriptor = -1;
  std::unique_ptr<Poll> poll;
};

FileWatch::FileWatch(Loop& loop, std::string path, std::function<void()> changed, Duration look_every)
    : inside_(std::make_unique<Inside>(loop, std::move(path), std::move(changed), look_every)) {}
FileWatch::~FileWatch() = default;

}  // namespace causeway::platform

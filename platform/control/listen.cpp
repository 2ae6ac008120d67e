#include "platform/control/listen.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "platform/control/client.h"

namespace causeway::platform {
namespace {

tl::unexpected<Error> system_error(const std::string& doing) {
  return fail(ErrorCode::kSystem, doing + ": " + std::strerror(errno));
}

// A daemon that was killed keeps its socket until the kernel has closed its files.
constexpr auto kPatience = std::chrono::seconds(2);
constexpr auto kPause = std::chrono::milliseconds(50);

Result<bool> somebody_answers(const sockaddr_un& address) {
  Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe) return system_error("cannot make a socket");
  // EAGAIN: its queue is full, so somebody is there.
  return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
}

enum class Found { kNothing, kDead, kAlive, kOtherKind };

// What is there; a daemon that dies is waited for.
Result<Found> look(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return Found::kNothing;
  if (!S_ISSOCK(found.st_mode)) return Found::kOtherKind;
  for (auto waited = kPause;; waited += kPause) {
    Result<bool> answers = somebody_answers(address);
    if (!answers) return tl::make_unexpected(answers.error());
    if (!*answers) return Found::kDead;
    if (waited > kPatience) return Found::kAlive;
    std::this_thread::sleep_for(kPause);
  }
}

Result<void> remove(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return system_error("cannot remove the old " + path);
  return {};
}

// Takes a socket away that a dead daemon left.
Result<void> clear(const std::string& path, const sockaddr_un& address) {
  auto found = look(path, address);
  if (!found) return tl::make_unexpected(found.error());
  switch (*found) {
    case Found::kNothing: return {};
    case Found::kDead: return remove(path);
    case Found::kAlive:
      return fail(ErrorCode::kConflict, "another process answers on " + path,
                  "end that one first, or choose another path");
    case Found::kOtherKind: break;
  }
  return fail(ErrorCode::kConflict, path + " is there already, and is no socket", "choose another path, or remove it");
}

}  // namespace

Result<bool> remove_dead_socket(const std::string& path) {
  sockaddr_un address;
  if (auto fits = fill_socket_address(path, address); !fits) return tl::make_unexpected(fits.error());
  auto found = look(path, address);
  if (!found) return tl::make_unexpected(found.error());
  if (*found != Found::kDead) return false;
  if (auto removed = remove(path); !removed) return tl::make_unexpected(removed.error());
  return true;
}

Result<Descriptor> listen_on(const std::string& path) {
  sockaddr_un address;
  if (auto fits = fill_socket_address(path, address); !fits) return tl::make_unexpected(fits.error());
  std::error_code ignored;  // what is wrong with the folder is told by bind()
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  if (auto cleared = clear(path, address); !cleared) return tl::make_unexpected(cleared.error());
  Descriptor listening(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listening) return system_error("cannot make a socket");
  if (bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path.c_str(), 0666) != 0 || listen(listening.get(), 64) != 0) {
    return system_error("cannot listen on " + path);
  }
  return listening;
}

}  // namespace causeway::platform

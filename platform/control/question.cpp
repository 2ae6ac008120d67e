#include "platform/control/question.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "platform/control/client.h"
#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

tl::unexpected<Error> cannot(const std::string& path, int error) {
  bool nobody = error == ENOENT || error == ECONNREFUSED;
  bool forbidden = error == EACCES || error == EPERM;
  return fail(nobody      ? ErrorCode::kUnavailable
              : forbidden ? ErrorCode::kPermission
                          : ErrorCode::kSystem,
              (nobody ? "nobody listens on " : "cannot use ") + path +
                  (nobody ? "" : std::string(": ") + std::strerror(error)));
}

}  // namespace

Result<std::string> ask_question(const std::string& path, std::string_view question, std::size_t most,
                                 Duration patience) {
  sockaddr_un address;
  if (auto fits = fill_socket_address(path, address); !fits) return tl::make_unexpected(fits.error());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket || connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return cannot(path, errno);
  }
  std::string line = std::string(question) + '\n';  // short: it fits the socket's buffer
  if (send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) != ssize_t(line.size())) return cannot(path, errno);
  std::string answer;
  for (Instant until = boot_now() + patience;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(until - boot_now());
    pollfd readable{socket.get(), POLLIN, 0};
    int ready = left.count() <= 0 ? 0 : poll(&readable, 1, int(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return fail(ErrorCode::kTimedOut, "no answer comes from " + path);
    char buffer[64 * 1024];
    ssize_t size = recv(socket.get(), buffer, sizeof buffer, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return fail(ErrorCode::kUnavailable, "who listens on " + path + " hung up without an answer");
    answer.append(buffer, std::size_t(size));
    if (std::size_t end = answer.find('\n'); end != std::string::npos) return answer.substr(0, end);
    if (answer.size() > most) return fail(ErrorCode::kProtocol, "the answer from " + path + " does not end");
  }
}

}  // namespace causeway::platform

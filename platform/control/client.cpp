#include "platform/control/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

constexpr const char* kStartIt = "start it: `systemctl start tund`, or `tund` as root";

Error connect_error(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
    case ECONNREFUSED:
      return {ErrorCode::kUnavailable, "tund is not running (nothing listens on " + path + ")", kStartIt};
    case EACCES:
    case EPERM: return {ErrorCode::kPermission, "may not use " + path + ": " + std::strerror(error), "use sudo"};
    case EAGAIN:
      return {ErrorCode::kUnavailable, "tund does not take calls on " + path, "see its log: `journalctl -u tund`"};
    default: return {ErrorCode::kSystem, "cannot use " + path + ": " + std::strerror(error), ""};
  }
}

Error gone() { return {ErrorCode::kUnavailable, "tund ended while it was asked", "see its log: `journalctl -u tund`"}; }

}  // namespace

Result<void> fill_socket_address(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos) {
    return fail(ErrorCode::kInvalid, "'" + path + "' cannot be a socket's path", "it has 1 to 107 bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return {};
}

Result<ControlClient> ControlClient::connect(const std::string& path) {
  sockaddr_un address;
  if (auto fits = fill_socket_address(path, address); !fits) return tl::make_unexpected(fits.error());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return tl::make_unexpected(connect_error(path, errno));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return tl::make_unexpected(connect_error(path, errno));
  }
  return ControlClient(std::move(socket));
}

Result<void> ControlClient::send(const control::Request& request) {
  std::string line = control::encode(request);
  if (line.size() > control::kMaxLine) {
    return fail(ErrorCode::kLimit, "the profile is too large to be sent to tund",
                "put it into the profiles folder and bring it up by its name");
  }
  std::string_view rest = line;
  while (!rest.empty()) {
    ssize_t size = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (size > 0) {
      rest.remove_prefix(std::size_t(size));
    } else if (errno == EAGAIN) {
      pollfd writable{socket_.get(), POLLOUT, 0};
      if (poll(&writable, 1, 10'000) == 0) return fail(ErrorCode::kTimedOut, "tund does not take the request");
    } else if (errno != EINTR) {
      // It may have said why before it hung up.
      return {};
    }
  }
  explicit_bzero(line.data(), line.size());  // a key may be in it
  return {};
}

Result<control::Answer> ControlClient::receive(Duration patience) {
  Instant until = boot_now() + patience;
  for (;;) {
    auto answer = take();
    if (!answer) return tl::make_unexpected(answer.error());
    if (*answer) return std::move(**answer);
    auto left = std::chrono::ceil<std::chrono::milliseconds>(until - boot_now());
    pollfd readable{socket_.get(), POLLIN, 0};
    int ready = left.count() <= 0 ? 0 : poll(&readable, 1, int(left.count()));
    if (ready == 0) return fail(ErrorCode::kTimedOut, "tund does not answer", "see its log: `journalctl -u tund`");
  }
}

Result<std::optional<control::Answer>> ControlClient::take() {
  std::size_t end;
  while ((end = received_.find('\n')) == std::string::npos) {
    if (received_.size() >= control::kMaxLine) return fail(ErrorCode::kProtocol, "tund's answer is longer than 64 KiB");
    char buffer[16 * 1024];
    ssize_t size = recv(socket_.get(), buffer, sizeof buffer, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return std::nullopt;
    if (size <= 0) return tl::make_unexpected(gone());
    received_.append(buffer, std::size_t(size));
  }
  auto answer = control::parse_answer(std::string_view(received_).substr(0, end));
  received_.erase(0, end + 1);
  if (!answer)
    return fail(ErrorCode::kProtocol, "tund's answer is not understood: " + answer.error().message,
                answer.error().advice);
  return std::move(*answer);
}

}  // namespace causeway::platform

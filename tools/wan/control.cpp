#include "tools/wan/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace causeway::wan {

Result<std::unique_ptr<Control>> Control::open(platform::Loop& loop, const std::string& path, Answer answer) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(ErrorCode::kInvalid, path + ": too long for a socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  const int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const mode_t mask = umask(0177);
  const bool done = listener >= 0 && bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                    listen(listener, 8) == 0;
  const int why = errno;
  umask(mask);
  if (!done) {
    if (listener >= 0) close(listener);
    return fail(ErrorCode::kSystem, path + ": " + std::strerror(why));
  }
  return std::unique_ptr<Control>(new Control(loop, listener, path, std::move(answer)));
}

Control::Control(platform::Loop& loop, int listener, std::string path, Answer answer)
    : loop_(loop),
      listener_(listener),
      path_(std::move(path)),
      answer_(std::move(answer)),
      poll_(loop, listener, [this](int) { accept_one(); }) {
  poll_.watch(platform::Poll::kReadable);
}

Control::~Control() {
  hang_up();
  unlink(path_.c_str());
  close(listener_);
}

void Control::accept_one() {
  const int caller = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (caller < 0) return;
  hang_up();
  caller_ = caller;
  caller_poll_.emplace(loop_, caller_, [this](int) { talk(); });
  caller_poll_->watch(platform::Poll::kReadable);
}

void Control::talk() {
  std::array<char, 512> request;
  const ssize_t size = recv(caller_, request.data(), request.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size > 0) {
    const std::string answer = answer_({request.data(), std::size_t(size)});
    // Who has gone meanwhile does not hear it.
    (void)!send(caller_, answer.data(), answer.size(), MSG_NOSIGNAL);
  }
  hang_up();
}

void Control::hang_up() {
  if (caller_ < 0) return;
  caller_poll_.reset();
  close(caller_);
  caller_ = -1;
}

}  // namespace causeway::wan

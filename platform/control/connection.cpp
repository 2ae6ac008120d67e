#include "platform/control/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace causeway::platform {

ControlServer::Connection::Connection(ControlServer& server, CallerId id, Descriptor socket, Peer peer)
    : server_(server),
      id_(id),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      since_(boot_now()),
      poll_(server.loop_, socket_.get(), [this](int events) { ready(events); }),
      timer_(server.loop_, [this] { server_.remove(id_); }) {
  rest();
}

void ControlServer::Connection::ready(int events) {
  bool alive = true;
  if (events & Poll::kWritable) alive = write();
  if (alive && (events & Poll::kReadable)) alive = read();
  if (alive) alive = take_lines();
  if (!alive) {
    server_.remove(id_);
    return;
  }
  rest();
}

// Takes what is there, up to one line's bound: more waits in the kernel. False: the caller is gone.
bool ControlServer::Connection::read() {
  char buffer[16 * 1024];
  while (!no_more_ && received_.size() < control::kMaxLine) {
    ssize_t size = recv(socket_.get(), buffer, std::min(sizeof buffer, control::kMaxLine - received_.size()), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    since_ = boot_now();
    if (size == 0) {
      // Both halves shut: nobody reads the answer any more.
      pollfd state{socket_.get(), 0, 0};
      if (poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR))) return false;
      no_more_ = true;
    } else {
      received_.append(buffer, std::size_t(size));
    }
  }
  return true;
}

// Hands requests on until one has to wait for its answer. False: done with this caller.
bool ControlServer::Connection::take_lines() {
  while (!answering_ && !closing_ && !broken_) {
    std::size_t end = received_.find('\n');
    if (end == std::string::npos) break;
    std::string line = received_.substr(0, end);
    received_.erase(0, end + 1);
    take(line);
  }
  if (!answering_ && !closing_ && received_.size() >= control::kMaxLine && received_.find('\n') == std::string::npos) {
    // Where the next request begins cannot be known any more.
    closing_ = true;
    send(control::ErrorAnswer{ErrorCode::kLimit, "", "the message is longer than 64 KiB", ""});
  }
  if (no_more_ && !answering_) closing_ = true;
  return !broken_ && !(closing_ && unsent_.empty());
}

void ControlServer::Connection::take(std::string_view line) {
  answering_ = true;
  auto request = control::parse_request(line);
  if (!request) {
    send(control::error_answer(request.error()));
    return;
  }
  control::Asker asker{peer_.user, peer_.is_member(server_.options_.group)};
  if (!control::may_ask(asker, *request)) {
    send(control::ErrorAnswer{
        ErrorCode::kPermission, "", "user " + std::to_string(peer_.user) + " may not " + std::string(control::privilege(*request)),
        server_.options_.group ? "use sudo, or have yourself added to the group that tund was given"
                               : "use sudo: tund was given no group whose members may"});
  } else {
    server_.handler_.asked(id_, asker, *request);
  }
}

void ControlServer::Connection::send(const control::Answer& answer) {
  std::string line = control::encode(answer);
  if (unsent_.size() + line.size() > kMaxUnsent) {
    broken_ = true;  // it does not read
  } else {
    if (unsent_.empty()) since_ = boot_now();
    unsent_ += line;
  }
  if (control::is_final(answer)) answering_ = false;
  // What is wrong with the caller now is found from the loop, where it can be removed: not under the handler that called.
  if (!write()) broken_ = true;
  rest();
}

bool ControlServer::Connection::write() {
  while (!unsent_.empty()) {
    ssize_t size = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    since_ = boot_now();
    unsent_.erase(0, std::size_t(size));
  }
  return true;
}

// Waits for what comes next, and for no longer than the caller is allowed to take.
void ControlServer::Connection::rest() {
  bool room = !no_more_ && received_.size() < control::kMaxLine && !closing_;
  // Lines that waited for the answer just given are taken from the loop, and so is the end.
  bool more = !answering_ && (no_more_ || received_.find('\n') != std::string::npos);
  poll_.watch((room ? Poll::kReadable : Poll::kNone) | (more || !unsent_.empty() ? Poll::kWritable : Poll::kNone));
  if (broken_) {
    timer_.set(boot_now());
  } else if (!unsent_.empty()) {
    timer_.set(since_ + server_.options_.stalled);
  } else {
    timer_.set(answering_ ? kNever : since_ + server_.options_.idle);
  }
}

}  // namespace causeway::platform

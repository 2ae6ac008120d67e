#include "platform/client/carrier_socket.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

constexpr Duration kProgressEach = std::chrono::seconds(1);
// The engine gives a silent carrier up after 5 s. These free the kernel's memory of it where no engine is left to do so.
constexpr int kUserTimeoutMs = 30'000;
constexpr int kKeepIdle = 30, kKeepInterval = 10, kKeepCount = 3;

}  // namespace

void set_carrier_options(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  UnsentLimit::set_on(socket);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdle);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, kKeepInterval);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, kKeepCount);
}

CarrierSocket::CarrierSocket(Loop& loop, Descriptor socket, Callbacks callbacks)
    : socket_(std::move(socket)),
      callbacks_(std::move(callbacks)),
      progress_(loop, [this] { check_progress(); }),
      poll_(loop, socket_.get(), [this](int events) { ready(events); }) {
  poll_.watch(Poll::kReadable);
}

void CarrierSocket::ready(int events) {
  if ((events & Poll::kWritable) && blocked_) {
    blocked_ = false;
    callbacks_.writable();
  }
  poll_.watch(Poll::kReadable | (blocked_ ? Poll::kWritable : 0));
  if (!(events & Poll::kReadable)) return;
  // Reading is what finds out what is wrong with a socket, and may end this object.
  std::function<void()> readable = callbacks_.readable;
  readable();
}

Result<std::size_t> CarrierSocket::read(MutableBytes space) {
  for (;;) {
    ssize_t n = recv(socket_.get(), space.data(), space.size(), 0);
    if (n > 0) return std::size_t(n);
    if (n == 0) return fail(ErrorCode::kUnavailable, "the gateway closed the connection");
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return fail(ErrorCode::kUnavailable, "the connection broke: " + error_text(errno));
  }
}

Result<std::size_t> CarrierSocket::write(std::span<const Bytes> pieces) {
  Sent sent = unsent_limit_.send(socket_.get(), pieces, boot_now());
  if (sent.error != 0) return fail(ErrorCode::kUnavailable, "the connection broke: " + error_text(sent.error));
  if (!sent.all) wait_until_writable();
  if (sent.bytes > 0 && !checking_) {
    checking_ = true;
    progress_.set(boot_now() + kProgressEach);
  }
  return sent.bytes;
}

std::size_t CarrierSocket::room() {
  const std::size_t room = unsent_limit_.room(socket_.get());
  if (room == 0) wait_until_writable();
  return room;
}

void CarrierSocket::wait_until_writable() {
  if (std::exchange(blocked_, true)) return;
  poll_.watch(Poll::kReadable | Poll::kWritable);
}

void CarrierSocket::finish() { shutdown(socket_.get(), SHUT_WR); }

// Runs while something may be outstanding, so that an idle carrier costs no wake-up.
void CarrierSocket::check_progress() {
  tcp_info info{};
  socklen_t size = sizeof info;
  checking_ = false;
  if (getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
  bool moved = info.tcpi_bytes_acked != acknowledged_;
  acknowledged_ = info.tcpi_bytes_acked;
  if (blocked_ || info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0) {
    checking_ = true;
    progress_.set(boot_now() + kProgressEach);
  }
  if (moved) callbacks_.progressed();
}

std::optional<packet::Address> CarrierSocket::local_address() const {
  packet::Address local = local_endpoint(socket_.get()).address;
  if (local.is_unspecified()) return std::nullopt;
  return local;
}

}  // namespace causeway::platform

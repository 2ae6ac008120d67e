#include "platform/gateway/listener.h"

#include <netinet/in.h>

#include <cerrno>

#include "platform/log.h"
#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsPerTurn = 64;
constexpr Duration kRest = std::chrono::milliseconds(200);
constexpr Duration kTellEvery = std::chrono::seconds(60);

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const packet::Endpoint& at, Accepted accepted) {
  Descriptor socket(::socket(family_of(at.address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  SocketAddress address(at);
  if (socket) {
    set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (at.address.is_v6()) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  }
  if (!socket || bind(socket.get(), address.get(), address.size) != 0 || listen(socket.get(), kBacklog) != 0) {
    int error = errno;
    ErrorCode code = error == EADDRINUSE                               ? ErrorCode::kConflict
                     : error == EACCES                                 ? ErrorCode::kPermission
                     : error == EAFNOSUPPORT || error == EADDRNOTAVAIL ? ErrorCode::kUnavailable
                                                                       : ErrorCode::kSystem;
    return fail(code, "cannot listen on " + at.text() + ": " + error_text(error),
                error == EADDRINUSE ? "another program has this port; choose another with `listen`" : "");
  }
  return std::unique_ptr<Listener>(new Listener(loop, std::move(socket), std::move(accepted)));
}

Listener::Listener(Loop& loop, Descriptor socket, Accepted accepted)
    : socket_(std::move(socket)),
      endpoint_(local_endpoint(socket_.get())),
      accepted_(std::move(accepted)),
      poll_(std::make_unique<Poll>(loop, socket_.get(), [this](int) { ready(); })),
      again_(loop, [this] { poll_->watch(Poll::kReadable); }) {
  poll_->watch(Poll::kReadable);
}

void Listener::ready() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    SocketAddress source;
    Descriptor socket(accept4(socket_.get(), source.get(), &source.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      accepted_(std::move(socket), source.endpoint());
      continue;
    }
    switch (errno) {
      case EAGAIN: return poll_->watch(Poll::kReadable);
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM: return rest(errno);
      default: break;  // an error of that connection, which is gone (accept(2))
    }
  }
  poll_->watch(Poll::kReadable);
}

void Listener::rest(int error) {
  poll_->watch(Poll::kNone);
  Instant now = boot_now();
  again_.set(now + kRest);
  ++rests_;
  if (now < tell_at_) return;
  tell_at_ = now + kTellEvery;
  spdlog::warn("{}: accepting rested {} times: {}", endpoint_.text(), rests_ - std::exchange(told_, rests_),
               error_text(error));
}

}  // namespace causeway::platform

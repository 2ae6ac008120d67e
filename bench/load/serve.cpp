#include <netinet/in.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <memory>

#include "bench/load/load.h"
#include "bench/load/sockets.h"

namespace causeway::load {
namespace {

// A descriptor's number and what it is travel in the event itself: no table, nothing to allocate for a connection.
enum class Kind : std::uint32_t {
  kEchoListener,
  kOnceListener,
  kMuteListener,
  kPourListener,
  kDatagrams,
  kEcho,
  kOnce,
  kMute,
  kPour
};

Descriptor listening(int type, std::uint16_t port) {
  Descriptor result = make_socket(AF_INET6, type, SOCK_NONBLOCK);
  int on = 1;
  int off = 0;
  if (setsockopt(result.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) fail("SO_REUSEADDR");
  if (setsockopt(result.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) fail("IPV6_V6ONLY");
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  if (bind(result.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (type == SOCK_STREAM && listen(result.get(), 4096) != 0) fail("listen");
  return result;
}

class Server {
 public:
  explicit Server(std::uint16_t port)
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        echo_(listening(SOCK_STREAM, port)),
        once_(listening(SOCK_STREAM, static_cast<std::uint16_t>(port + 1))),
        mute_(listening(SOCK_STREAM, static_cast<std::uint16_t>(port + 2))),
        pour_(listening(SOCK_STREAM, static_cast<std::uint16_t>(port + 3))),
        datagrams_(listening(SOCK_DGRAM, port)) {
    int on = 1;
    if (setsockopt(datagrams_.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) != 0) fail("IPV6_RECVPKTINFO");
    watch(echo_.get(), Kind::kEchoListener);
    watch(once_.get(), Kind::kOnceListener);
    watch(mute_.get(), Kind::kMuteListener);
    watch(pour_.get(), Kind::kPourListener);
    watch(datagrams_.get(), Kind::kDatagrams);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    while (true) {
      int ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      if (ready < 0 && errno != EINTR) fail("epoll_wait");
      for (int i = 0; i < ready; ++i) {
        const std::uint64_t word = events[static_cast<std::size_t>(i)].data.u64;
        handle(static_cast<int>(word & 0xffffffff), static_cast<Kind>(word >> 32));
      }
    }
  }

 private:
  static std::uint32_t awaited(Kind kind) {
    if (kind == Kind::kMute) return EPOLLRDHUP;
    return kind == Kind::kPour ? EPOLLOUT : EPOLLIN;
  }

  void watch(int socket, Kind kind) {
    epoll_event event{.events = awaited(kind),
                      .data = {.u64 = static_cast<std::uint64_t>(kind) << 32 | static_cast<std::uint32_t>(socket)}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) != 0) fail("epoll_ctl");
  }

  void handle(int socket, Kind kind) {
    switch (kind) {
      case Kind::kEchoListener: return accept_all(socket, Kind::kEcho);
      case Kind::kOnceListener: return accept_all(socket, Kind::kOnce);
      case Kind::kMuteListener: return accept_all(socket, Kind::kMute);
      case Kind::kPourListener: return accept_all(socket, Kind::kPour);
      case Kind::kDatagrams: return echo_datagrams();
      case Kind::kEcho: return echo(socket);
      case Kind::kOnce: return answer_and_close(socket);
      case Kind::kMute: close(socket); return;  // the other side has ended it
      case Kind::kPour: return pour(socket);
    }
  }

  void accept_all(int listener, Kind kind) {
    while (true) {
      int socket = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      no_delay(socket);
      watch(socket, kind);
    }
  }

  // The loads wait for what they sent before they send more, so an answer always fits the socket's buffer.
  void echo(int socket) {
    ssize_t got = recv(socket, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0 || send(socket, buffer_.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) close(socket);
  }

  void answer_and_close(int socket) {
    ssize_t got = recv(socket, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0) send(socket, buffer_.data(), 1, MSG_NOSIGNAL);
    close(socket);
  }

  void pour(int socket) {
    if (send(socket, buffer_.data(), buffer_.size(), MSG_NOSIGNAL) < 0 && errno != EAGAIN) close(socket);
  }

  // An answer leaves from the address that was asked: it comes with the datagram and goes back with it.
  void echo_datagrams() {
    for (int i = 0; i < 64; ++i) {
      sockaddr_storage from{};
      alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
      iovec bytes{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
      msghdr message{};
      message.msg_name = &from;
      message.msg_namelen = sizeof from;
      message.msg_iov = &bytes;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      ssize_t got = recvmsg(datagrams_.get(), &message, 0);
      if (got < 0) return;
      message.msg_flags = 0;
      bytes.iov_len = static_cast<std::size_t>(got);
      sendmsg(datagrams_.get(), &message, 0);
    }
  }

  Descriptor epoll_;
  Descriptor echo_;
  Descriptor once_;
  Descriptor mute_;
  Descriptor pour_;
  Descriptor datagrams_;
  std::array<char, 65536> buffer_;
};

}  // namespace

int serve(std::uint16_t port) { std::make_unique<Server>(port)->run(); }

}  // namespace causeway::load

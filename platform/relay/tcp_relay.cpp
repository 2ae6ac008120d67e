#include "platform/relay/tcp_relay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>

namespace causeway::platform {
namespace {

// What one relay may do in a turn before the others have theirs.
constexpr int kReadsPerTurn = 4;
constexpr std::size_t kWritesPerTurn = 512 * 1024;

int take_error(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace

TcpRelay::TcpRelay(RelayHost& host, engine::RelayId id, std::vector<packet::Endpoint> candidates, Dialling dialling)
    : host_(host), id_(id), candidates_(std::move(candidates)), told_(std::move(dialling)) {}

TcpRelay::TcpRelay(RelayHost& host, engine::RelayId id, Descriptor socket)
    : host_(host), id_(id), socket_(std::move(socket)), dialling_(false) {}

void TcpRelay::start() {
  if (!dialling_) {
    set_options();
    poll_ = std::make_unique<Poll>(host_.loop(), socket_.get(), [this](int events) { ready(events); });
    return watch();
  }
  deadline_.start(host_.dial_deadlines(), [this] { host_.dial_failed(id_, link::Reason::kTimedOut); });
  dial_next();
}

void TcpRelay::dial_next() {
  while (next_ < candidates_.size()) {
    int error = connect_to(candidates_[next_++]);
    if (error == 0) return connected();
    if (error == EINPROGRESS) return poll_->watch(Poll::kWritable);
    reason_ = reason_of(error);
  }
  host_.dial_failed(id_, reason_);
}

int TcpRelay::connect_to(const packet::Endpoint& to) {
  poll_.reset();
  socket_ = Descriptor(socket(family_of(to.address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return errno;
  set_options();
  SocketAddress address(to);
  int result = 0;
  if (connect(socket_.get(), address.get(), address.size) != 0) {
    if (errno != EINPROGRESS) return errno;
    // A service on this machine has answered already: asking again saves a wake-up.
    int error = connect_outcome(socket_.get(), to);
    if (error != 0 && error != EALREADY) return error;
    if (error == EALREADY) result = EINPROGRESS;
  }
  if (told_) told_(local_endpoint(socket_.get()));
  poll_ = std::make_unique<Poll>(host_.loop(), socket_.get(), [this](int events) { ready(events); });
  return result;
}

void TcpRelay::set_options() {
  set_option(socket_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
}

void TcpRelay::connected() {
  dialling_ = false;
  deadline_.stop();
  candidates_ = {};
  host_.relays().dialled(id_, boot_now());
  host_.touched();
  watch();
}

void TcpRelay::ready(int events) {
  if (dialling_) {
    int error = connect_outcome(socket_.get(), candidates_[next_ - 1]);
    if (error == 0) return connected();
    if (error == EALREADY) return poll_->watch(Poll::kWritable);
    reason_ = reason_of(error);
    return dial_next();
  }
  if ((events & Poll::kWritable) && blocked_ && !write()) return;
  if ((events & Poll::kReadable) && reading_ && !read()) return;
  // Only errors are waited for once the service has sent its end.
  if (service_ended_ && (events & Poll::kReadable)) {
    if (int error = take_error(socket_.get())) return fail(error);
    both_ended_ = both_ended_ || own_ended_;
  }
  watch();
}

void TcpRelay::watch() {
  int events = (reading_ ? Poll::kReadable : 0) | (blocked_ ? Poll::kWritable : 0);
  if (events == 0 && service_ended_ && !both_ended_) events = Poll::kErrors;
  poll_->watch(events);
}

bool TcpRelay::read() {
  for (int i = 0; i < kReadsPerTurn; ++i) {
    MutableBytes space = host_.relays().relay_space(id_);
    if (space.empty()) {
      reading_ = false;
      return true;
    }
    ssize_t n = recv(socket_.get(), space.data(), space.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return true;
    if (n < 0) {
      fail(errno);
      return false;
    }
    host_.touched();
    if (n == 0) {
      reading_ = false;
      service_ended_ = true;
      host_.relays().relay_finished(id_, boot_now());
      return true;
    }
    // Also after a short read there is another: an end that has come by now travels with the bytes before it, so that the
    // app hears of both at once, as it mostly does from the service itself, and is not the first to close.
    host_.relays().relay_received(id_, std::size_t(n), boot_now());
  }
  return true;
}

bool TcpRelay::write() {
  std::array<Bytes, kMostPieces> pieces;
  std::size_t budget = kWritesPerTurn;
  blocked_ = false;
  while (true) {
    std::size_t count = host_.relays().relay_transmit(id_, pieces);
    if (count == 0) return true;
    Sent sent = send_pieces(socket_.get(), std::span(pieces.data(), count));
    if (sent.error != 0) {
      fail(sent.error);
      return false;
    }
    if (sent.bytes > 0) {
      host_.relays().relay_transmitted(id_, sent.bytes, boot_now());
      host_.touched();
    }
    if (!sent.all || sent.bytes >= budget) {
      blocked_ = true;
      return true;
    }
    budget -= sent.bytes;
  }
}

void TcpRelay::writable() {
  if (dialling_ || blocked_ || !write()) return;
  watch();
}

void TcpRelay::resume_reading() {
  if (dialling_ || service_ended_) return;
  reading_ = true;
  watch();
}

void TcpRelay::finish() {
  own_ended_ = true;
  shutdown(socket_.get(), SHUT_WR);
}

void TcpRelay::close(bool reset) {
  if (!reset) return;
  linger now{1, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void TcpRelay::fail(int error) { host_.failed(id_, reason_of(error)); }

}  // namespace causeway::platform

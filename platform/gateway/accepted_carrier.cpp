#include "platform/gateway/accepted_carrier.h"

#include <linux/tcp.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace causeway::platform {
namespace {

// What one carrier may do in a turn before the others have theirs.
constexpr int kReadsPerTurn = 2;
constexpr std::size_t kWritesPerTurn = 512 * 1024;

constexpr int kKeepIdle = 30, kKeepInterval = 10, kKeepCount = 3;  // seconds, seconds, probes

}  // namespace

AcceptedCarrier::AcceptedCarrier(CarrierHost& host, engine::CarrierId id, Descriptor socket)
    : host_(host),
      id_(id),
      socket_(std::move(socket)),
      poll_(std::make_unique<Poll>(host.loop(), socket_.get(), [this](int events) { ready(events); })),
      since_(boot_now()) {
  set_option(socket_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  UnsentLimit::set_on(socket_.get());
  set_option(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket_.get(), IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdle);
  set_option(socket_.get(), IPPROTO_TCP, TCP_KEEPINTVL, kKeepInterval);
  set_option(socket_.get(), IPPROTO_TCP, TCP_KEEPCNT, kKeepCount);
  watch();
}

void AcceptedCarrier::ready(int events) {
  if ((events & Poll::kWritable) && blocked_) write();
  if (!ended() && (events & Poll::kReadable)) shut_ || closing_ ? discard() : read();
  if (!ended()) watch();
}

void AcceptedCarrier::watch() { poll_->watch(Poll::kReadable | (blocked_ ? Poll::kWritable : 0)); }

void AcceptedCarrier::read() {
  for (int i = 0; i < kReadsPerTurn; ++i) {
    MutableBytes space = host_.engine().receive_space(id_);
    if (space.empty()) return discard();  // the engine is done with it; a close comes
    ssize_t n = recv(socket_.get(), space.data(), space.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return end();
    received_ += std::uint64_t(n);
    host_.engine().received(id_, std::size_t(n), boot_now());
    host_.touched();
    if (std::size_t(n) < space.size()) return;
  }
}

void AcceptedCarrier::discard() {
  MutableBytes space = host_.scratch();
  ssize_t n = recv(socket_.get(), space.data(), space.size(), 0);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) end();
}

void AcceptedCarrier::write() {
  write_what_fits();
  if (ended() || closing_) return;
  const std::size_t room = unsent_limit_.room(socket_.get());
  if (room == 0) blocked_ = true;
  if (std::exchange(room_, room) == room && room == UnsentLimit::kMost) return;
  host_.engine().set_carrier_room(id_, room);
  host_.touched();
}

void AcceptedCarrier::write_what_fits() {
  std::size_t budget = kWritesPerTurn;
  blocked_ = false;
  while (true) {
    std::array<Bytes, 2> pieces;
    std::size_t count = host_.engine().transmit(id_, pieces);
    if (count == 0) break;
    Sent sent = unsent_limit_.send(socket_.get(), std::span(pieces.data(), count), boot_now());
    if (sent.error != 0) return end();
    if (sent.bytes > 0) {
      written_ += sent.bytes;
      host_.engine().transmitted(id_, sent.bytes, boot_now());
      if (!std::exchange(looked_at_, true)) host_.sent(id_);
      if (!closing_) host_.touched();  // there is room for more
    }
    if (!sent.all || sent.bytes >= budget) {
      blocked_ = true;
      return;
    }
    budget -= sent.bytes;
  }
  if (!closing_ || shut_) return;
  shut_ = true;
  shutdown(socket_.get(), SHUT_WR);
}

void AcceptedCarrier::writable() {
  if (ended() || blocked_) return;
  write();
  if (!ended()) watch();
}

void AcceptedCarrier::close() {
  if (ended() || closing_) return;
  closing_ = true;
  deadline_.start(host_.close_deadlines(), [this] { end(); });
  writable();
}

bool AcceptedCarrier::progressed() {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (ended() || getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  if (size < offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) return false;
  return std::exchange(acknowledged_, info.tcpi_bytes_acked) < info.tcpi_bytes_acked;
}

void AcceptedCarrier::end() {
  deadline_.stop();
  poll_.reset();
  socket_.reset();
  host_.carrier_ended(id_);
}

}  // namespace causeway::platform

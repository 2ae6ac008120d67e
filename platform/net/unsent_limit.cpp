#include "platform/net/unsent_limit.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>

namespace causeway::platform {
namespace {

constexpr Duration kLookEach = std::chrono::milliseconds(10);
// Long enough for this process to be woken and write more before the kernel has nothing left.
constexpr std::uint64_t kMoment = 2000;  // us
// Made ready beyond what the kernel will take, so that headers and small frames do not make it less.
constexpr std::size_t kSpare = 512;

std::size_t unsent(int socket) {
  int bytes = 0;
  return ioctl(socket, SIOCOUTQNSD, &bytes) == 0 ? std::size_t(bytes) : 0;
}

}  // namespace

void UnsentLimit::set_on(int socket) { set_option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, int(kMost)); }

Sent UnsentLimit::send(int socket, std::span<const Bytes> pieces, Instant now) {
  std::array<Bytes, kMostPieces> fitting;
  std::span<const Bytes> part = pieces;
  bool whole = true;
  if (limits()) {
    std::size_t room = whole_segments() - std::min(whole_segments(), unsent(socket));
    std::size_t count = 0;
    for (; count < pieces.size() && room > 0; ++count) {
      fitting[count] = pieces[count].first(std::min(pieces[count].size(), room));
      room -= fitting[count].size();
    }
    part = std::span(fitting.data(), count);
    whole = count == pieces.size() && (count == 0 || part.back().size() == pieces.back().size());
  }
  Sent sent;
  if (!part.empty()) sent = send_pieces(socket, part);
  sent.all = sent.all && whole;
  if (!sent.all && sent.error == 0) look_at_path(socket, now);
  return sent;
}

std::size_t UnsentLimit::room(int socket) const {
  if (!limits()) return kMost;
  const std::size_t waiting = unsent(socket);
  return 2 * waiting < bytes_ ? whole_segments() - waiting + kSpare : 0;
}

void UnsentLimit::look_at_path(int socket, Instant now) {
  if (now < look_at_) return;
  look_at_ = now + kLookEach;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_rtt == 0) return;
  segment_ = std::max(info.tcpi_snd_mss, 1u);
  const std::uint64_t in_moment = std::uint64_t(info.tcpi_snd_cwnd) * segment_ * kMoment / info.tcpi_rtt;
  const std::size_t before = std::exchange(bytes_, std::size_t(std::clamp<std::uint64_t>(in_moment, kLeast, kMost)));
  if (bytes_ != before) set_option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, int(bytes_));
}

}  // namespace causeway::platform

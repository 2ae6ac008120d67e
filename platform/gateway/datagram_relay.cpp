#include "platform/gateway/datagram_relay.h"

#include <netinet/in.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

namespace causeway::platform {
namespace {

constexpr int kDatagramsPerTurn = 64;
constexpr int kBuffer = 1024 * 1024;  // bytes; the largest datagram counts for twice its size
constexpr std::size_t kIcmpHeader = 8;
constexpr std::size_t kSequenceAt = 6;                          // in an ICMP echo header
constexpr std::uint8_t kEchoRequest = 8, kEchoReply = 0;        // RFC 792
constexpr std::uint8_t kEchoRequest6 = 128, kEchoReply6 = 129;  // RFC 4443

int open_socket(bool echo, const packet::Address& address) {
  int protocol = !echo ? 0 : address.is_v4() ? int(IPPROTO_ICMP) : int(IPPROTO_ICMPV6);
  return socket(family_of(address), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

}  // namespace

bool DatagramRelay::can_ping() {
  Descriptor v4(open_socket(true, packet::Address::v4(0, 0, 0, 0)));
  Descriptor v6(open_socket(true, *packet::Address::parse("::")));
  return v4 || v6;
}

DatagramRelay::DatagramRelay(DatagramHost& host, engine::RelayId id, flow::Protocol protocol,
                             std::vector<packet::Endpoint> candidates)
    : host_(host), id_(id), echo_(protocol == flow::Protocol::kEcho), candidates_(std::move(candidates)) {}

void DatagramRelay::start() {
  link::Reason reason = link::Reason::kHostUnreachable;
  for (const packet::Endpoint& candidate : std::exchange(candidates_, {})) {
    int error = open(candidate);
    if (error == 0) {
      poll_ = std::make_unique<Poll>(host_.loop(), socket_.get(), [this](int events) { ready(events); });
      poll_->watch(Poll::kReadable);
      host_.engine().dialled(id_, boot_now());
      return host_.touched();
    }
    // Whoever may not have ping sockets at all is told something else than who may not reach this host.
    bool no_sockets = echo_ && !socket_ && (error == EACCES || error == EPERM);
    reason = no_sockets ? link::Reason::kNotAvailable : reason_of(error);
  }
  host_.dial_failed(id_, reason);
}

int DatagramRelay::open(const packet::Endpoint& to) {
  bool v4 = to.address.is_v4();
  socket_ = Descriptor(open_socket(echo_, to.address));
  if (!socket_) return errno;
  request_ = v4 ? kEchoRequest : kEchoRequest6;
  reply_ = v4 ? kEchoReply : kEchoReply6;
  set_option(socket_.get(), SOL_SOCKET, SO_RCVBUF, kBuffer);
  set_option(socket_.get(), SOL_SOCKET, SO_SNDBUF, kBuffer);
  // Without it the kernel keeps "host unreachable" and its like to itself.
  v4 ? set_option(socket_.get(), IPPROTO_IP, IP_RECVERR, 1) : set_option(socket_.get(), IPPROTO_IPV6, IPV6_RECVERR, 1);
  SocketAddress address(to);
  return connect(socket_.get(), address.get(), address.size) == 0 ? 0 : errno;
}

void DatagramRelay::ready(int events) {
  if ((events & Poll::kReadable) && !read()) return;
  if ((events & Poll::kWritable) && held_ && !write()) return;
  poll_->watch(Poll::kReadable | (held_ ? Poll::kWritable : 0));
}

bool DatagramRelay::read() {
  for (int i = 0; i < kDatagramsPerTurn; ++i) {
    MutableBytes space = host_.scratch();
    ssize_t n = recv(socket_.get(), space.data(), space.size(), 0);
    if (n < 0) {
      if (errno == EAGAIN) return true;
      if (!survives(errno)) return false;
      continue;
    }
    Bytes datagram = space.first(std::size_t(n));
    if (echo_) {
      if (datagram.size() < kIcmpHeader || datagram[0] != reply_) continue;
      datagram = datagram.subspan(kSequenceAt);
    }
    host_.engine().relay_datagram(id_, datagram, boot_now());
    host_.touched();
  }
  return true;
}

bool DatagramRelay::write() {
  for (int i = 0; i < kDatagramsPerTurn; ++i) {
    std::optional<Slice> datagram =
        held_ ? std::exchange(held_, std::nullopt) : host_.engine().relay_next_datagram(id_);
    if (!datagram) return true;
    if (send_one(datagram->bytes()) >= 0) continue;
    if (errno == EAGAIN) {
      held_ = std::move(datagram);
      return true;
    }
    if (!survives(errno)) return false;
  }
  held_ = host_.engine().relay_next_datagram(id_);
  return true;
}

ssize_t DatagramRelay::send_one(Bytes datagram) {
  std::array<std::uint8_t, kIcmpHeader> header{};
  std::array<iovec, 2> parts;
  msghdr message{};
  message.msg_iov = parts.data();
  if (echo_) {
    if (datagram.size() < 2) return 0;
    // The kernel fills in the identifier and the checksum.
    header[0] = request_;
    copy_bytes(MutableBytes(header).subspan(kSequenceAt), datagram.first(2));
    parts[message.msg_iovlen++] = {header.data(), header.size()};
    datagram = datagram.subspan(2);
  }
  parts[message.msg_iovlen++] = {const_cast<std::uint8_t*>(datagram.data()), datagram.size()};
  return sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
}

// An error of one datagram is that datagram's; an answer of the network ends the flow.
bool DatagramRelay::survives(int error) {
  switch (error) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EACCES:
    case EPERM: host_.failed(id_, reason_of(error)); return false;
    default: break;
  }
  // What the kernel has to say about it (too long for the path, say) would be told again and again until it is read.
  std::array<std::uint8_t, 512> text;
  while (recv(socket_.get(), text.data(), text.size(), MSG_ERRQUEUE) >= 0) {
  }
  return true;
}

void DatagramRelay::writable() {
  if (held_ || !write()) return;
  if (held_) poll_->watch(Poll::kReadable | Poll::kWritable);
}

}  // namespace causeway::platform

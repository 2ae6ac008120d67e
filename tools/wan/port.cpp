#include "tools/wan/port.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tools/wan/frame.h"

namespace causeway::wan {
namespace {

constexpr int kBuffer = 64 * 1024 * 1024;

bool enable(int descriptor, int level, int option, int value = 1) {
  return setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

tl::unexpected<Error> system_error(const std::string& what) {
  return fail(ErrorCode::kSystem, what + ": " + std::strerror(errno));
}

}  // namespace

Result<std::unique_ptr<Port>> Port::open(const std::string& device) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = int(if_nametoindex(device.c_str()));
  if (address.sll_ifindex == 0) return system_error(device);
  // Nothing is received before it is bound, so that no frame of another device comes.
  const int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return system_error("a packet socket");
  std::unique_ptr<Port> port(new Port(descriptor));
  const bool done =
      enable(descriptor, SOL_PACKET, PACKET_VNET_HDR) && enable(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING) &&
      enable(descriptor, SOL_PACKET, PACKET_QDISC_BYPASS) && enable(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, kBuffer) &&
      enable(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, kBuffer) &&
      bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (!done) return system_error("a packet socket on " + device);
  return port;
}

Port::Port(int descriptor)
    : descriptor_(descriptor), rooms_(new std::uint8_t[kBatch * kRoom]), receive_heads_{}, send_heads_{} {
  for (std::size_t i = 0; i < kBatch; ++i) {
    receive_pieces_[i] = {rooms_.get() + i * kRoom, kRoom};
    receive_heads_[i].msg_hdr.msg_iov = &receive_pieces_[i];
    receive_heads_[i].msg_hdr.msg_iovlen = 1;
    send_heads_[i].msg_hdr.msg_iov = &send_pieces_[i];
    send_heads_[i].msg_hdr.msg_iovlen = 1;
  }
}

Port::~Port() { close(descriptor_); }

std::span<const Bytes> Port::receive() {
  const int came = recvmmsg(descriptor_, receive_heads_.data(), kBatch, MSG_DONTWAIT, nullptr);
  for (int i = 0; i < came; ++i) {
    const mmsghdr& head = receive_heads_[std::size_t(i)];
    CAUSEWAY_ASSERT((head.msg_hdr.msg_flags & MSG_TRUNC) == 0 && head.msg_len >= kOffloadHeader + kEthernetHeader);
    frames_[std::size_t(i)] = {rooms_.get() + std::size_t(i) * kRoom, head.msg_len};
  }
  return {frames_.data(), std::size_t(std::max(came, 0))};
}

std::size_t Port::send(std::span<const Bytes> frames) {
  CAUSEWAY_ASSERT(frames.size() <= kBatch);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    send_pieces_[i] = {const_cast<std::uint8_t*>(frames[i].data()), frames[i].size()};
  }
  const int sent = sendmmsg(descriptor_, send_heads_.data(), unsigned(frames.size()), MSG_DONTWAIT);
  return sent > 0 ? std::size_t(sent) : 0;
}

std::uint64_t Port::missed() {
  tpacket_stats counts{};
  socklen_t size = sizeof counts;
  // The kernel counts from the last time that it was asked.
  if (getsockopt(descriptor_, SOL_PACKET, PACKET_STATISTICS, &counts, &size) != 0) return 0;
  return counts.tp_drops;
}

}  // namespace causeway::wan

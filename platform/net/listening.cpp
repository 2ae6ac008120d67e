#include "platform/net/listening.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "platform/net/interfaces.h"
#include "platform/net/socket.h"

namespace causeway::platform {
namespace {

constexpr int kConnectMs = 300;

struct Listening {
  packet::Endpoint at;
  bool only_v6 = false;
};

bool reached(const Listening& socket, const packet::Endpoint& at) {
  const packet::Address& own = socket.at.address;
  if (socket.at.port != at.port) return false;
  if (!own.is_unspecified()) return own.unmapped() == at.address.unmapped();
  return own.is_v4() == at.address.is_v4() || (own.is_v6() && !socket.only_v6);
}

Listening listening_of(const inet_diag_msg& message, std::size_t size) {
  Listening out;
  auto bytes = reinterpret_cast<const std::uint8_t*>(message.id.idiag_src);
  out.at = {packet::Address::from_bytes({bytes, message.idiag_family == AF_INET ? 4u : 16u}),
            ntohs(message.id.idiag_sport)};
  auto left = int(size - NLMSG_ALIGN(sizeof message));
  auto attribute =
      reinterpret_cast<const rtattr*>(reinterpret_cast<const char*>(&message) + NLMSG_ALIGN(sizeof message));
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type == INET_DIAG_SKV6ONLY && RTA_PAYLOAD(attribute) >= 1) {
      out.only_v6 = *static_cast<const std::uint8_t*>(RTA_DATA(attribute)) != 0;
    }
  }
  return out;
}

// All listening sockets of a family; nothing where the kernel does not tell.
std::optional<std::vector<Listening>> listening(int family) {
  Descriptor netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink) return std::nullopt;
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } ask{};
  ask.header.nlmsg_len = sizeof ask;
  ask.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  ask.request.sdiag_family = std::uint8_t(family);
  ask.request.sdiag_protocol = IPPROTO_TCP;
  ask.request.idiag_states = 1u << TCP_LISTEN;
  if (send(netlink.get(), &ask, sizeof ask, 0) < 0) return std::nullopt;
  std::vector<Listening> out;
  alignas(nlmsghdr) char buffer[32 * 1024];
  for (;;) {
    ssize_t got = recv(netlink.get(), buffer, sizeof buffer, 0);
    if (got <= 0) return std::nullopt;
    auto size = unsigned(got);
    for (auto header = reinterpret_cast<const nlmsghdr*>(buffer); NLMSG_OK(header, size);
         header = NLMSG_NEXT(header, size)) {
      if (header->nlmsg_type == NLMSG_DONE) return out;
      if (header->nlmsg_type == NLMSG_ERROR) return std::nullopt;
      if (header->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) continue;
      out.push_back(listening_of(*static_cast<const inet_diag_msg*>(NLMSG_DATA(header)), NLMSG_PAYLOAD(header, 0)));
    }
  }
}

bool connects(const packet::Endpoint& at) {
  SocketAddress to(at);
  Descriptor socket(::socket(family_of(at.address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return false;
  if (connect(socket.get(), to.get(), to.size) == 0) return true;
  pollfd ready{socket.get(), POLLOUT, 0};
  if (errno != EINPROGRESS || poll(&ready, 1, kConnectMs) != 1) return false;
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

}  // namespace

bool listens(const packet::Endpoint& at) {
  std::vector<packet::Address> own = own_addresses();
  if (at.address.is_loopback() || std::find(own.begin(), own.end(), at.address) != own.end()) {
    auto v6 = listening(AF_INET6), v4 = at.address.is_v4() ? listening(AF_INET) : std::vector<Listening>();
    if (v4 && v6) {
      auto would = [&](const Listening& socket) { return reached(socket, at); };
      return std::any_of(v4->begin(), v4->end(), would) || std::any_of(v6->begin(), v6->end(), would);
    }
  }
  return connects(at);
}

}  // namespace causeway::platform

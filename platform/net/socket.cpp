#include "platform/net/socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace causeway::platform {

void Descriptor::reset() {
  if (number_ >= 0) close(std::exchange(number_, -1));
}

SocketAddress::SocketAddress(const packet::Endpoint& endpoint) {
  Bytes raw = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    auto* to = reinterpret_cast<sockaddr_in*>(&storage);
    to->sin_family = AF_INET;
    to->sin_port = htons(endpoint.port);
    std::memcpy(&to->sin_addr, raw.data(), raw.size());
    size = sizeof *to;
  } else {
    auto* to = reinterpret_cast<sockaddr_in6*>(&storage);
    to->sin6_family = AF_INET6;
    to->sin6_port = htons(endpoint.port);
    std::memcpy(&to->sin6_addr, raw.data(), raw.size());
    size = sizeof *to;
  }
}

packet::Endpoint SocketAddress::endpoint() const {
  if (storage.ss_family == AF_INET) {
    auto* from = reinterpret_cast<const sockaddr_in*>(&storage);
    return {packet::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(&from->sin_addr), 4}),
            ntohs(from->sin_port)};
  }
  if (storage.ss_family == AF_INET6) {
    auto* from = reinterpret_cast<const sockaddr_in6*>(&storage);
    auto address = packet::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(&from->sin6_addr), 16});
    return {address.unmapped(), ntohs(from->sin6_port)};
  }
  return {};
}

void set_option(int socket, int level, int name, int value) { setsockopt(socket, level, name, &value, sizeof value); }

packet::Endpoint local_endpoint(int socket) {
  SocketAddress address;
  getsockname(socket, address.get(), &address.size);
  return address.endpoint();
}

int connect_outcome(int socket, const packet::Endpoint& to) {
  SocketAddress address(to);
  if (connect(socket, address.get(), address.size) == 0 || errno == EISCONN) return 0;
  return errno;
}

std::string error_text(int error) { return std::generic_category().message(error); }

Sent send_pieces(int socket, std::span<const Bytes> pieces) {
  CAUSEWAY_ASSERT(pieces.size() <= kMostPieces);
  std::array<iovec, kMostPieces> vectors;
  std::size_t total = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    vectors[i] = {const_cast<std::uint8_t*>(pieces[i].data()), pieces[i].size()};
    total += pieces[i].size();
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = pieces.size();
  ssize_t n;
  do n = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0) return {0, false, errno == EAGAIN ? 0 : errno};
  return {std::size_t(n), std::size_t(n) == total, 0};
}

}  // namespace causeway::platform

#include "bench/load/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace causeway::load {

void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

Address address_of(const std::string& text, std::uint16_t port) {
  Address result;
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&result.storage, &four, sizeof four);
    result.size = sizeof four;
  } else if (inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&result.storage, &six, sizeof six);
    result.size = sizeof six;
  } else {
    throw std::invalid_argument("'" + text + "' is no address");
  }
  return result;
}

Descriptor make_socket(int family, int type, int flags) {
  Descriptor result(socket(family, type | SOCK_CLOEXEC | flags, 0));
  if (!result.valid()) fail("socket");
  return result;
}

Descriptor connected(const Address& address, int type) {
  Descriptor result = make_socket(address.family(), type, 0);
  if (connect(result.get(), address.get(), address.size) != 0) fail("connect");
  if (type == SOCK_STREAM) no_delay(result.get());
  return result;
}

void no_delay(int socket) {
  int on = 1;
  if (setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail("TCP_NODELAY");
}

void bind_address(int socket, const Address& address) {
  int on = 1;
  if (setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0) fail("IP_BIND_ADDRESS_NO_PORT");
  if (bind(socket, address.get(), address.size) != 0) fail("bind");
}

void read_timeout(int socket, std::chrono::milliseconds limit) {
  timeval value{.tv_sec = limit.count() / 1000, .tv_usec = limit.count() % 1000 * 1000};
  if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value) != 0) fail("SO_RCVTIMEO");
}

}  // namespace causeway::load

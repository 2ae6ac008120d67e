// Descriptors that close themselves, and addresses as the kernel wants them.
#pragma once

#include <sys/socket.h>

#include <span>
#include <string>
#include <utility>

#include "core/packet/address.h"

namespace causeway::platform {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { reset(); }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  void reset();

 private:
  int number_ = -1;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  SocketAddress() = default;
  explicit SocketAddress(const packet::Endpoint& endpoint);
  // An IPv4-mapped address becomes the IPv4 address; anything but IP is 0.0.0.0:0.
  packet::Endpoint endpoint() const;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

inline int family_of(const packet::Address& address) { return address.is_v4() ? AF_INET : AF_INET6; }

void set_option(int socket, int level, int name, int value);
packet::Endpoint local_endpoint(int socket);

// How a connection that was begun without waiting stands: 0 when it is there, EALREADY while it is under way, else why it failed.
// Not SO_ERROR: Linux can wake a poll for an ICMP error a moment before SO_ERROR tells of it, and 0 then means nothing.
int connect_outcome(int socket, const packet::Endpoint& to);

// "Connection refused", for a value of errno.
std::string error_text(int error);

// Several pieces, at most kMostPieces, in one sendmsg(). What the kernel could not take is no error.
inline constexpr std::size_t kMostPieces = 32;
struct Sent {
  std::size_t bytes = 0;
  bool all = false;
  int error = 0;  // errno; 0: none
};
Sent send_pieces(int socket, std::span<const Bytes> pieces);

}  // namespace causeway::platform

// Descriptors, addresses and time for cw-load.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace causeway::load {

using Clock = std::chrono::steady_clock;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int get() const { return number_; }
  bool valid() const { return number_ >= 0; }
  void reset() { *this = Descriptor(); }

 private:
  int number_ = -1;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

Address address_of(const std::string& text, std::uint16_t port);

// Both throw std::system_error. `flags`: SOCK_NONBLOCK or 0.
Descriptor make_socket(int family, int type, int flags);
Descriptor connected(const Address& address, int type);

void no_delay(int socket);
// The address alone: a port is chosen when it connects, so that different targets may share it.
void bind_address(int socket, const Address& address);
// How long a blocking read may wait, so that a lost answer is an error and no hang.
void read_timeout(int socket, std::chrono::milliseconds limit);

[[noreturn]] void fail(const char* what);

inline Clock::duration seconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
}

}  // namespace causeway::load

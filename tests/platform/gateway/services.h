// Services for a gateway to dial, on 127.0.0.1, each in threads of its own.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "platform/net/socket.h"

namespace causeway::platform {

// Serves every connection with `serve(descriptor)`, which is closed when it returns.
class TcpService {
 public:
  explicit TcpService(std::function<void(int)> serve)
      : serve_(std::move(serve)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    SocketAddress any({packet::Address::v4(127, 0, 0, 1), 0});
    CAUSEWAY_ASSERT(bind(listener_.get(), any.get(), any.size) == 0 && listen(listener_.get(), 1024) == 0);
    endpoint_ = local_endpoint(listener_.get());
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~TcpService() {
    shutdown(listener_.get(), SHUT_RDWR);
    accepting_.join();
    for (std::thread& each : serving_) each.join();
  }
  const packet::Endpoint& endpoint() const { return endpoint_; }

 private:
  void accept_all() {
    while (true) {
      int connection = accept(listener_.get(), nullptr, nullptr);
      if (connection < 0) return;
      serving_.emplace_back([this, connection] {
        Descriptor owner(connection);
        serve_(connection);
      });
    }
  }

  std::function<void(int)> serve_;
  Descriptor listener_;
  packet::Endpoint endpoint_;
  std::thread accepting_;
  std::vector<std::thread> serving_;
};

// Answers each datagram with what `answer` makes of it, until it is destroyed.
class UdpService {
 public:
  explicit UdpService(std::function<std::string(std::string)> answer,
                      const packet::Endpoint& at = {packet::Address::v4(127, 0, 0, 1), 0})
      : socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
    SocketAddress own(at);
    set_option(socket_.get(), SOL_SOCKET, SO_RCVBUF, 1024 * 1024);
    CAUSEWAY_ASSERT(bind(socket_.get(), own.get(), own.size) == 0);
    endpoint_ = local_endpoint(socket_.get());
    thread_ = std::thread([this, answer = std::move(answer)] {
      std::string buffer(65536, '\0');
      while (true) {
        SocketAddress from;
        ssize_t n = recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, from.get(), &from.size);
        if (n < 0 || ended_) return;
        std::string out = answer(buffer.substr(0, std::size_t(n)));
        sendto(socket_.get(), out.data(), out.size(), 0, from.get(), from.size);
      }
    });
  }
  ~UdpService() {
    ended_ = true;
    Descriptor waker(socket(AF_INET, SOCK_DGRAM, 0));
    SocketAddress to(endpoint_);
    sendto(waker.get(), "", 0, 0, to.get(), to.size);
    thread_.join();
  }
  const packet::Endpoint& endpoint() const { return endpoint_; }

 private:
  Descriptor socket_;
  packet::Endpoint endpoint_;
  std::thread thread_;
  std::atomic<bool> ended_ = false;
};

inline std::string read_all(int connection) {
  std::string all;
  char buffer[65536];
  while (true) {
    ssize_t n = recv(connection, buffer, sizeof buffer, 0);
    if (n <= 0) return all;
    all.append(buffer, std::size_t(n));
  }
}

inline bool write_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(std::size_t(n));
  }
  return true;
}

inline void echo(int connection) {
  char buffer[65536];
  while (true) {
    ssize_t n = recv(connection, buffer, sizeof buffer, 0);
    if (n <= 0 || !write_all(connection, {buffer, std::size_t(n)})) return;
  }
}

inline void close_with_reset(int connection) {
  linger now{1, 0};
  setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace causeway::platform

// Programs on the laptop that ask and wait: datagrams that must come back as they went, and names.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/world/world.h"
#include "tests/world/zone.h"

namespace causeway::world {

// Sends datagrams to a service that echoes them. Each says which it is and holds content that follows from it.
class DatagramAsker {
 public:
  DatagramAsker(World& world, std::uint64_t flow, const packet::Endpoint& to);
  void send(std::size_t size);  // 8 bytes or more

  std::size_t sent() const { return sizes_.size(); }
  std::size_t answered() const { return answered_; }
  const Laptop::UdpSocket& socket() const { return socket_; }
  // What is wrong with what came; empty: nothing.
  const std::string& fault() const { return fault_; }

 private:
  void received(const packet::Endpoint& from, Bytes datagram);

  World& world_;
  std::uint64_t flow_;
  packet::Endpoint to_;
  std::vector<std::size_t> sizes_;
  std::vector<bool> back_;
  std::size_t answered_ = 0;
  std::string fault_;
  Laptop::UdpSocket& socket_;
};

// Looks up a name over UDP as a C library does: five times, three seconds apart.
class NameAsker {
 public:
  NameAsker(World& world, const std::string& name, std::uint16_t id, unsigned tries = 5);
  void ask();

  bool ended() const { return answer_ || tries_left_ == 0; }
  const std::optional<Answer>& answer() const { return answer_; }

 private:
  void try_again();

  World& world_;
  std::string name_;
  std::uint16_t id_;
  unsigned tries_left_;
  std::optional<Answer> answer_;
  Laptop::UdpSocket& socket_;
};

}  // namespace causeway::world

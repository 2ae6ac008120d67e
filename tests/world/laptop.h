// The laptop's kernel and the programs on it: TCP connections, UDP sockets and pings behind one device.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/packet/batch.h"
#include "core/packet/incoming.h"
#include "tests/world/app_tcp.h"
#include "tests/world/chart.h"

namespace causeway::world {

class Laptop {
 public:
  struct Options {
    bool offload = true;  // the device takes and gives super-packets and unfinished checksums
    std::size_t mtu = 1500;
  };

  // An ICMP error as the program's socket would show it.
  struct IcmpError {
    std::uint8_t type = 0, code = 0;
  };

  struct UdpSocket {
    packet::Endpoint local;
    std::function<void(const packet::Endpoint& from, Bytes datagram)> received;
    std::optional<IcmpError> error;  // the last one for this socket
  };

  // `pool` is the engine's, for packets towards it.
  Laptop(Timeline& time, BufferPool& pool, Chart& chart, const Options& options);

  // A connection to `to` from a port of its own, and who is told when anything about it changed. Lives as long as the laptop.
  AppTcp& connect(const packet::Endpoint& to, const AppTcp::Options& options, std::function<void(AppTcp&)> changed);
  // The same for a program, which lives as long.
  AppTcp& connect(const packet::Endpoint& to, Program& program);
  UdpSocket& open_udp(bool v6, std::function<void(const packet::Endpoint&, Bytes)> received);
  void send_udp(const UdpSocket& socket, const packet::Endpoint& to, Bytes datagram);
  void ping(const packet::Address& to, std::uint16_t identifier, std::uint16_t sequence, Bytes payload);
  // Puts any packet on the device.
  void send_raw(Bytes packet);

  struct EchoReply {
    packet::Address from;
    std::uint16_t identifier = 0, sequence = 0;
    std::vector<std::uint8_t> payload;
  };
  std::vector<EchoReply> echo_replies;
  std::vector<IcmpError> ping_errors;

  // What has reached the device by now.
  void take(std::vector<packet::Incoming>& out);
  // What the engine wrote to the device.
  void deliver(const packet::PacketBatch& batch);

  Instant deadline() const;
  void advance();
  // A rule that the engine's packets broke; empty: none.
  const std::string& fault() const { return fault_; }
  packet::Address address(bool v6) const { return v6 ? address6_ : address4_; }

 private:
  struct Connection {
    std::unique_ptr<AppTcp> tcp;
    std::function<void(AppTcp&)> changed;
    Instant due = kNever;
  };

  void send_segment(const packet::FiveTuple& tuple, const AppTcp::Segment& segment);
  void send_batch(const packet::PacketBatch& batch);
  void send_fragments(Bytes packet);
  void queue(Slice packet, bool checksum_trusted);
  void received(Bytes packet, bool checksum_trusted);
  void icmp_error(const packet::Parsed& packet);
  void changed(Connection& connection);
  void note(bool out, const packet::Parsed& packet);

  Timeline& time_;
  BufferPool& pool_;
  Chart& chart_;
  const Options options_;
  const packet::Address address4_, address6_;
  std::uint16_t next_port_ = 40000;
  std::uint32_t next_fragment_ = 1;
  std::map<packet::Endpoint, std::unique_ptr<Connection>> connections_;  // by local endpoint
  std::map<packet::Endpoint, std::unique_ptr<UdpSocket>> udp_;
  std::multimap<Instant, Connection*> due_;

  struct Queued {
    Instant arrives;
    packet::Incoming packet;
  };
  std::deque<Queued> outgoing_;
  BufferPool kernel_pool_;
  std::string fault_;
};

}  // namespace causeway::world

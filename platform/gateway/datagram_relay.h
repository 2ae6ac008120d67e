// A datagram flow joined to a connected UDP socket, or to an unprivileged ping socket (icmp(7)'s SOCK_DGRAM).
//
// ICMP errors that come back end the flow with their reason, so that the client can show them to the app.
#pragma once

#include <memory>
#include <vector>

#include "platform/gateway/datagram_host.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class DatagramRelay final : public Relay {
 public:
  DatagramRelay(DatagramHost& host, engine::RelayId id, flow::Protocol protocol, std::vector<packet::Endpoint> candidates);

  void start() override;
  void writable() override;

  // Whether the kernel lets this process have ping sockets (net.ipv4.ping_group_range), of either family.
  static bool can_ping();

 private:
  int open(const packet::Endpoint& to);
  void ready(int events);
  // False where the relay is gone.
  bool read();
  bool write();
  ssize_t send_one(Bytes datagram);
  bool survives(int error);

  DatagramHost& host_;
  engine::RelayId id_;
  bool echo_;
  std::uint8_t request_ = 0, reply_ = 0;  // ICMP types
  std::vector<packet::Endpoint> candidates_;
  Descriptor socket_;
  std::unique_ptr<Poll> poll_;
  std::optional<Slice> held_;  // did not fit into the socket
};

}  // namespace causeway::platform

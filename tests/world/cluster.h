// The cluster as the gateway's sockets see it: services at endpoints, and a DNS server.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/engine/gateway.h"
#include "tests/world/chart.h"
#include "tests/world/talker.h"

namespace causeway::world {

// A service: what is met at an endpoint.
struct TcpService {
  std::optional<link::Reason> refuses;  // how dialling fails
  bool silent = false;                  // dialling is never answered
  Duration answers_after = std::chrono::microseconds(300);
  Script script;
  std::uint64_t sends = 0, expects = 0;
  std::vector<std::unique_ptr<Talker>> talkers;  // one for each connection that was made
  std::vector<bool> closed_by_reset;             // by talker: the gateway closed the socket, and how
  std::size_t dials = 0;
};

struct UdpService {
  std::optional<link::Reason> refuses;  // told as an error of the socket, after the first datagram
  Duration answers_after = std::chrono::microseconds(300);
  std::size_t received = 0;
  std::size_t largest = 0;
  packet::Endpoint last_source;  // as the gateway was told
};

class Cluster {
 public:
  using DnsServer = std::function<std::optional<std::vector<std::uint8_t>>(Bytes question)>;

  Cluster(Timeline& time, Chart& chart, std::uint64_t seed);
  ~Cluster();

  TcpService& add_tcp(const packet::Endpoint& at) { return tcp_[at]; }
  UdpService& add_udp(const packet::Endpoint& at) { return udp_[at]; }
  void set_dns(DnsServer server) { dns_ = std::move(server); }
  bool answers_pings = true;

  // The gateway whose sockets these are; null: it is gone, and its sockets with it.
  void use(engine::Gateway* gateway);
  void event(const engine::GatewayEvent& event);
  void writable(engine::RelayId relay);

  // True once since the last call: the gateway was called.
  bool take_called() { return std::exchange(called_, false); }
  std::size_t sockets() const { return sockets_.size(); }

 private:
  class Socket;

  void dial(const engine::GatewayEvent& event);
  void dialled(engine::RelayId relay, TcpService& service);
  void datagrams(engine::RelayId relay);
  void answer(engine::RelayId relay, const flow::Destination& to, Bytes datagram);
  void step_soon(engine::RelayId relay);
  void step(engine::RelayId relay);
  void closed(engine::RelayId relay, bool reset);
  void note(std::string text) { chart_.note(Chart::Column::kGateway, std::move(text)); }

  Timeline& time_;
  Chart& chart_;
  SeededRandom random_;
  engine::Gateway* gateway_ = nullptr;
  std::uint64_t life_ = 0;  // of the gateway: what was put off for an earlier one is forgotten
  bool called_ = false;
  std::map<packet::Endpoint, TcpService> tcp_;
  std::map<packet::Endpoint, UdpService> udp_;
  DnsServer dns_;
  std::map<engine::RelayId, flow::Destination> dialling_;
  std::map<engine::RelayId, std::unique_ptr<Socket>> sockets_;
  std::vector<std::unique_ptr<Socket>> detached_;
  std::map<engine::RelayId, flow::Destination> datagram_sockets_;
};

}  // namespace causeway::world

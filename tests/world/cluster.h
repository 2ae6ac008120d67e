// The cluster as the gateway's sockets see it: services at endpoints, and a DNS server.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/engine/gateway.h"
#include "tests/world/relay_sockets.h"

namespace causeway::world {

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

  TcpService& add_tcp(const packet::Endpoint& at) { return tcp_.add(at); }
  // A program of the cluster connects to a listener of the gateway. False: that took no more.
  bool connect(engine::ServiceId service, Program& program);
  // How the gateway's own connections to its listeners go.
  enum class Listeners : std::uint8_t { kWork, kRefuse, kSilent };
  Listeners listeners = Listeners::kWork;
  UdpService& add_udp(const packet::Endpoint& at) { return udp_[at]; }
  void set_dns(DnsServer server) { dns_ = std::move(server); }
  bool answers_pings = true;

  // The gateway whose sockets these are; null: it is gone, and its sockets with it.
  void use(engine::Gateway* gateway);
  void event(const engine::GatewayEvent& event);
  void writable(engine::RelayId relay);

  // True once since the last call: the gateway was called.
  bool take_called() { return std::exchange(called_, false) | tcp_.take_called(); }
  std::size_t sockets() const { return tcp_.size(); }

 private:
  void dial(const engine::GatewayEvent& event);
  void dial_probe(const engine::GatewayEvent& event);
  void catalogue(const engine::GatewayEvent& event);
  void datagrams(engine::RelayId relay);
  void answer(engine::RelayId relay, const flow::Destination& to, Bytes datagram);
  void closed(engine::RelayId relay, bool reset);
  void note(std::string text) { chart_.note(Chart::Column::kGateway, std::move(text)); }

  Timeline& time_;
  Chart& chart_;
  RelaySockets tcp_;
  Nobody nobody_;
  std::uint16_t next_port_ = 30000;
  engine::Gateway* gateway_ = nullptr;
  std::uint64_t life_ = 0;  // of the gateway: what was put off for an earlier one is forgotten
  bool called_ = false;
  std::map<packet::Endpoint, UdpService> udp_;
  DnsServer dns_;
  std::map<engine::RelayId, flow::Destination> datagram_sockets_;
};

}  // namespace causeway::world

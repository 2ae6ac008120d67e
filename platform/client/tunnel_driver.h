// The turn of one tunnel: where bytes cross between its device, its carrier's socket, the machine's DNS servers and the engine.
//
//   device readable > read a batch      \                 / write what is sealed to the carrier
//   carrier readable > read into engine  > flush, once   <  write packets to the device
//   answers of the machine's DNS, timer,    at the end     \ write what local processes are to get, pass questions on,
//   sockets to local processes          /                    tell events, arm the timer
//
// What one turn reads is bounded, so that neither direction waits long for the other. Nothing is allocated for a packet.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/engine/client.h"
#include "dns/stub.h"
#include "platform/client/carrier_socket.h"
#include "platform/client/machine_dns.h"
#include "platform/client/name_chain.h"
#include "platform/loop/loop.h"
#include "platform/relay/relay.h"
#include "tun/device.h"
#include "tun/stack.h"

namespace causeway::platform {

class TunnelDriver final : private RelayHost {
 public:
  struct Parts {
    Loop& loop;
    BufferPool& pool;
    Random& random;
    tun::Stack& stack;
    NameChain& names;
    std::unique_ptr<tun::Device> device;
    engine::ClientConfig client;
    dns::Rules rules;
    dns::StubConfig dns = {};
    dns::OtherProfile own_names = {};  // as other tunnels are to know them
  };
  // Called at a turn's end; they may call the driver, but not destroy it.
  struct Callbacks {
    std::function<void(const engine::ClientEvent& event)> event;  // all but those of carriers and relays
    std::function<void(const Error& error)> device_gone;
  };
  TunnelDriver(Parts parts, Callbacks callbacks);
  ~TunnelDriver();
  TunnelDriver(const TunnelDriver&) = delete;
  TunnelDriver& operator=(const TunnelDriver&) = delete;

  void start();
  // The answers to a kDial event.
  void carrier_connected(Descriptor socket);
  void dial_failed(const Error& error);

  void echo(std::uint64_t token);
  void ask_cluster(std::uint64_t token, Bytes message);
  // See engine::Client.
  void ask_catalogue(std::uint64_t token, const std::string& service);
  engine::InterceptId intercept(const engine::InterceptRequest& request);
  void leave(engine::InterceptId intercept);
  std::vector<engine::InterceptStatus> intercepts() const { return client_.intercepts(); }

  void set_dns_servers(const std::vector<packet::Address>& servers) { machine_dns_.set_servers(servers); }
  // From now on it is asked what earlier ones cannot answer, until it is stopped.
  void join_names() { place_.join(); }
  // Programs whose questions wait for others are told SERVFAIL, before the device goes that they would be told through.
  void end_names();

  // See engine::Client. What follows is with the device when it returns.
  void end_hidden_flows();
  // Its addresses are others now, or its routes. Dials again at once where the link's own address has gone.
  void network_changed();

  // Ends every flow with RST and the link with CLOSE. `done` comes when the kernel has taken it all, or after a second; it may
  // destroy the driver.
  void stop(std::function<void()> done);
  // The same, without waiting for anything.
  void stop_now();

  engine::ClientStatus status() const { return client_.status(); }
  const dns::Counters& dns_counters() const { return stub_.counters(); }
  const tun::Device::Counters& device_counters() const { return device_->counters(); }
  const std::vector<packet::Address>& dns_servers() const { return machine_dns_.servers(); }

 private:
  void device_ready();
  void carrier_ready();
  void end_of_turn();
  // One flush and what comes of it; gives how many bytes the carrier took.
  std::size_t flush(Instant now);
  void write_packets();
  std::size_t write_carrier(Instant now);
  void write_relays();
  void handle_events();
  bool relay_event(const engine::ClientEvent& event);
  void take_questions();
  void carrier_lost(const Error& error, Instant now);
  bool unsent() const;

  Loop& loop() override { return loop_; }
  engine::Relays& relays() override { return client_; }
  void touched() override { turn_end_.ask(); }
  void dial_failed(engine::RelayId relay, link::Reason why) override;
  void failed(engine::RelayId relay, link::Reason why) override;
  DeadlineList& dial_deadlines() override { return dial_deadlines_; }
  void arm_timer();

  Loop& loop_;
  std::unique_ptr<tun::Device> device_;
  std::unique_ptr<engine::Stack> stack_;
  dns::Stub stub_;
  mutable engine::Client client_;
  Callbacks callbacks_;

  std::vector<packet::Incoming> batch_;
  std::vector<engine::ClientEvent> events_;
  std::vector<engine::DnsAction> questions_;
  MachineDns machine_dns_;
  NameChain::Place place_;
  std::unique_ptr<CarrierSocket> carrier_;

  DeadlineList dial_deadlines_;
  std::unordered_map<engine::RelayId, std::unique_ptr<Relay>> relays_;  // sockets to local processes

  std::function<void()> stopped_;  // set while stopping
  TurnEnd tell_stopped_;
  Timer stop_limit_;
  TurnEnd turn_end_;
  Timer timer_;
  Instant armed_ = kNever;
  std::optional<Poll> device_poll_;
};

}  // namespace causeway::platform

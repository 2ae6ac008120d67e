// Runs engine::Gateway on a loop: listeners, the clients' connections, the sockets to services, and the log of who came and went.
//
// All that becomes ready in a turn is handed to the engine, which is flushed once at the turn's end; then its events are carried
// out and its bytes written. An idle relay costs one descriptor and no timer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/control/catalogue.h"
#include "core/engine/gateway.h"
#include "core/flow/policy.h"
#include "core/noise/keys.h"
#include "platform/gateway/accepted_carrier.h"
#include "platform/gateway/datagram_host.h"
#include "platform/gateway/listener.h"
#include "platform/loop/file_watch.h"
#include "platform/net/name_lookup.h"

namespace causeway::platform {

struct ServiceSettings {
  engine::ServiceConfig engine;
  std::vector<packet::Endpoint> listen;  // not empty
  environment::Variables environment;    // what clients that intercept it get
};

struct GatewaySettings {
  engine::GatewayConfig engine;          // icmp_echo is found out by start(), services are those below
  std::vector<ServiceSettings> services;
  std::vector<packet::Endpoint> listen;  // empty: port 7700 of all addresses; then IPv6 may be missing on this machine
  flow::Policy policy;                   // the gateway's own endpoints are added by start()
  std::vector<packet::Endpoint> dns;     // empty: those of resolv.conf, followed as it changes
  std::size_t max_relays = 16384;
  Duration dial_timeout = std::chrono::seconds(30);
  Duration dns_try = std::chrono::seconds(1);  // for each of at most three tries
  Duration close_timeout =
      std::chrono::seconds(1);  // for a client to read what it is told before the connection is closed
};

class GatewayDriver final : private DatagramHost, private CarrierHost {
 public:
  // Listens, or says why it cannot. `loop` outlives the driver.
  static Result<std::unique_ptr<GatewayDriver>> start(Loop& loop, GatewaySettings settings);
  ~GatewayDriver();

  void set_clients(std::vector<engine::AuthorisedClient> clients);
  // Ends every session, and calls `stopped` once their connections are closed, or a moment later. Nothing is accepted any more.
  void stop(std::function<void()> stopped);

  std::vector<packet::Endpoint> listening() const;
  bool can_ping() const { return settings_.engine.icmp_echo; }
  engine::GatewayStatus status() const { return engine_.status(); }
  // All services, or the one of that name with its environment; `asker` is the owner for whom it is marked what is its own.
  control::Catalogue catalogue(std::string_view service, const std::string& asker) const;
  // Ends intercepts of a service; an empty owner is any. How many.
  std::size_t free_intercepts(std::string_view service, std::string_view owner);

 private:
  GatewayDriver(Loop& loop, GatewaySettings settings);
  Result<void> listen();
  Result<void> listen_for_services();

  // gateway_driver.cpp
  void accepted(Descriptor socket, const packet::Endpoint& source);
  void turn_end();
  void arm();
  void handle(const engine::GatewayEvent& event);
  void look_for_progress();
  AcceptedCarrier* carrier(engine::CarrierId id);
  Relay* relay(engine::RelayId id);

  // gateway_dial.cpp
  void dial(const engine::GatewayEvent& event);
  void open(const engine::GatewayEvent& dial, const std::vector<packet::Address>& addresses);
  void open(const engine::GatewayEvent& dial, std::vector<packet::Endpoint> candidates);
  void start_relay(engine::RelayId id, std::unique_ptr<Relay> fresh);
  void know_own_addresses();
  static constexpr const char* kResolvConf = "/etc/resolv.conf";
  void read_resolv_conf();

  // gateway_catalogue.cpp
  void answer_catalogue(const engine::GatewayEvent& event);

  // gateway_services.cpp
  void service_accepted(engine::ServiceId service, Descriptor socket, const packet::Endpoint& source);
  void dial_probe(const engine::GatewayEvent& event);
  void know_endpoints(engine::ServiceId service);

  // gateway_log.cpp
  void log_came(const engine::GatewayEvent& event);
  void log_went(const engine::GatewayEvent& event);
  void log_refused(const engine::GatewayEvent& event);
  void log_intercept(const engine::GatewayEvent& event);

  DatagramHost& relay_host() { return *this; }
  CarrierHost& carrier_host() { return *this; }
  Loop& loop() override { return loop_; }
  engine::Gateway& engine() override { return engine_; }
  engine::Relays& relays() override { return engine_; }
  void touched() override;
  MutableBytes scratch() override { return scratch_; }
  void dial_failed(engine::RelayId id, link::Reason why) override;
  void failed(engine::RelayId id, link::Reason why) override;
  DeadlineList& dial_deadlines() override { return dial_deadlines_; }
  DeadlineList& dns_deadlines() override { return dns_deadlines_; }
  const std::vector<packet::Endpoint>& dns_servers() override { return dns_servers_; }
  Random& random() override { return random_; }
  void sent(engine::CarrierId id) override;
  DeadlineList& close_deadlines() override { return close_deadlines_; }
  void carrier_ended(engine::CarrierId id) override;

  Loop& loop_;
  GatewaySettings settings_;
  noise::SodiumRandom random_;
  BufferPool pool_;
  engine::Gateway engine_;
  std::vector<std::uint8_t> scratch_;
  std::vector<packet::Endpoint> dns_servers_;
  std::unique_ptr<FileWatch> resolv_conf_;
  std::unique_ptr<NameLookup> names_;  // made with the first dial by name
  // What the names of services' own backends were last found to be: asked for anew when it is old, not for every connection.
  struct Known {
    std::vector<packet::Address> addresses;
    Instant since{};
  };
  std::map<std::string, Known> known_;
  Instant own_known_{};

  DeadlineList dial_deadlines_, dns_deadlines_, close_deadlines_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::vector<std::unique_ptr<Listener>>> service_listeners_;  // of each service
  std::unordered_map<engine::CarrierId, std::unique_ptr<AcceptedCarrier>> carriers_;
  std::unordered_map<engine::RelayId, std::unique_ptr<Relay>> relays_;  // none in it: its name is being looked up
  std::vector<engine::CarrierId> ended_;        // forgotten once the events that speak of them are handled
  std::vector<engine::CarrierId> outstanding_;  // sent something that was not acknowledged when last looked at
  std::vector<engine::GatewayEvent> events_;

  Timer timer_;
  Instant armed_ = kNever;
  Timer progress_timer_;
  bool flush_due_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::function<void()> stopped_;
  std::unique_ptr<Timer> stop_timer_;

  double refusal_lines_ = 0;  // that may still be logged
  Instant refusals_counted_{};
  std::uint64_t refusals_unsaid_ = 0;
};

}  // namespace causeway::platform

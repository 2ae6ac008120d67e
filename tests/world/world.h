// The whole path in one process and in virtual time: a laptop with programs, the client engine with the real lwIP and the real
// resolver, a carrier network that misbehaves as told, the gateway engine, and a cluster of services. Everything follows from
// the options and a seed.
//
// An engine gets a turn only when something came for it or its deadline is due, as in a program: a wake-up that an engine forgot
// to ask for shows as a hang.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/client.h"
#include "core/engine/gateway.h"
#include "dns/stub.h"
#include "tests/world/chart.h"
#include "tests/world/cluster.h"
#include "tests/world/laptop.h"
#include "tests/world/wire.h"
#include "tests/world/wiretap.h"
#include "tun/stack.h"

namespace causeway::world {

struct WorldOptions {
  std::uint64_t seed = 1;
  bool chart = false;  // keep a chart, and read the carrier for it
  bool tap = false;    // hold the carrier's frames against the rules, without a chart
  Laptop::Options laptop;
  WireOptions wire;
  tun::StackOptions stack;
  Duration connect_after = std::chrono::milliseconds(3);  // a carrier's own dial
  bool reports_progress = true;                           // drivers see the kernel's count of acknowledged bytes
  std::optional<Secret<32>> client_psk, gateway_psk;
  bool known_key = true;          // the gateway knows the client's key
  bool right_gateway_key = true;  // the client knows the gateway's
  link::StreamCarrier::Timing timing;
  std::size_t max_half_open = 4096;
  std::size_t streams_per_client = 16384;
  std::size_t dials_per_client = 1024;
  bool gateway_icmp_echo = true;
  std::vector<engine::ServiceConfig> services;  // reached at listener_of() each
};

// The addresses that every world has.
inline const packet::Address kStub = packet::Address::v4(100, 64, 0, 53);
packet::Endpoint service_at(unsigned number, std::uint16_t port = 80, bool v6 = false);
inline packet::Endpoint listener_of(engine::ServiceId service) { return service_at(200 + service); }

class World {
 public:
  using MachineDns = std::function<std::optional<std::vector<std::uint8_t>>(Bytes question)>;

  explicit World(const WorldOptions& options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Dials; true once the link is up.
  bool come_up();
  void start();
  // Runs until `done`, at most for `limit`. False: the time was up, or something broke a rule.
  bool run_until(const std::function<bool()>& done, Duration limit);
  void run_for(Duration how_long) { run_until({}, how_long); }

  engine::Client& client() { return *client_; }
  // Says that a call to the client or gateway was made from outside, so that it gets its turn.
  void call_client() { client_called_ = true; }
  void call_gateway() { gateway_called_ = true; }
  engine::Gateway* gateway() { return gateway_.get(); }
  engine::ClientStatus::Link link() const { return client_->status().link; }
  bool link_is_up() const { return link() == engine::ClientStatus::Link::kUp; }

  // What happens to the carrier. Each applies to the present one; false where there is none.
  bool break_carrier();  // both ends hear of it
  bool stall(bool up, bool down, Duration how_long);
  bool lose_everything(bool up, bool down);  // nobody hears of it
  bool damage(bool up);
  void kill_gateway();  // its sockets die with it
  void start_gateway();
  std::size_t gateway_deaths() const { return gateway_deaths_; }
  void set_clients(bool known);  // the gateway's list
  // Sends bytes as a carrier of somebody else; what the gateway answers comes to `answer`, and whether it closed.
  struct Stranger {
    std::vector<std::uint8_t> answer;
    bool closed = false;
  };
  Stranger& connect_as_stranger(std::vector<std::uint8_t> bytes);

  // Everything that was sent to the gateway by the first carrier.
  const std::vector<std::uint8_t>& first_carrier_bytes() const { return first_carrier_bytes_; }
  void set_machine_dns(MachineDns dns) { machine_dns_ = std::move(dns); }

  // What the engines said.
  std::vector<engine::ClientEvent> client_events;
  std::vector<engine::GatewayEvent> gateway_events;  // came, went, refused
  bool client_said(engine::ClientEvent::Kind kind) const;

  // A rule that was broken anywhere; empty: none.
  std::string fault() const;
  // Bytes of the client's and gateway's buffers, now and at most.
  std::size_t client_memory() const { return client_pool_.in_use(); }
  std::size_t gateway_memory() const { return gateway_pool_.in_use(); }
  std::size_t peak_client_memory() const { return peak_client_memory_; }
  std::size_t peak_gateway_memory() const { return peak_gateway_memory_; }
  std::uint64_t turns() const { return turns_; }
  const noise::KeyPair& client_keys() const { return client_keys_; }

  Timeline time;
  Chart chart;

 private:
  BufferPool client_pool_, gateway_pool_;

 public:
  Cluster cluster;
  Laptop laptop;
  RelaySockets processes;  // of the laptop, which the client connects to

 private:
  struct Carrier {
    Carrier(Timeline& time, SeededRandom& random, const WireOptions& options)
        : up(time, random, options), down(time, random, options) {}
    Pipe up, down;
    engine::CarrierId id = 0;
    bool client_open = true, gateway_open = true;          // the socket of that end
    bool client_closing = false, gateway_closing = false;  // once its bytes are written
    Instant linger_until{};
    bool first = false;
    std::unique_ptr<Wiretap> tap;
    Stranger* stranger = nullptr;
  };

  void connect();
  Carrier& accept(const packet::Endpoint& source);
  bool turn();
  bool client_turn();
  void client_events_taken();
  bool process_event(const engine::ClientEvent& event);
  void machine_questions_taken();
  bool read_for_client();
  bool write_for_client();
  bool gateway_turn();
  void gateway_events_taken();
  bool read_for_gateway(Carrier& carrier);
  bool write_for_gateway(Carrier& carrier);
  bool serve_stranger(Carrier& carrier);
  void close_client_end(Carrier& carrier);
  Instant next_moment();
  void measure();

  const WorldOptions options_;
  SeededRandom random_;  // of the network
  RememberingRandom client_random_, gateway_random_;
  noise::KeyPair client_keys_, gateway_keys_;
  std::unique_ptr<tun::Stack> stack_;
  std::unique_ptr<engine::Stack> attachment_;
  std::unique_ptr<dns::Stub> stub_;
  std::unique_ptr<engine::Client> client_;
  std::unique_ptr<engine::Gateway> gateway_;
  std::vector<std::unique_ptr<Carrier>> carriers_;
  Carrier* client_carrier_ = nullptr;
  std::vector<std::unique_ptr<Stranger>> strangers_;
  std::vector<std::uint8_t> first_carrier_bytes_;
  bool had_carrier_ = false;
  MachineDns machine_dns_;
  std::vector<packet::Incoming> batch_;
  bool client_called_ = false, gateway_called_ = false;
  bool damaged_ = false;
  std::size_t gateway_deaths_ = 0;
  std::string fault_;
  std::size_t peak_client_memory_ = 0, peak_gateway_memory_ = 0;
  std::uint64_t turns_ = 0;
  std::uint16_t next_source_port_ = 50000;
};

}  // namespace causeway::world

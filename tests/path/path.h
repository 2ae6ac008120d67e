// The whole way of a packet but the kernels: a program's segments, the laptop's engine over the real stack, a carrier in memory,
// the gateway's engine, and services that take, give or repeat bytes. In virtual time.
//
// The rig itself allocates nothing once it has grown and keeps each end's account: time, allocations, copies and memory.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "core/engine/client.h"
#include "core/engine/gateway.h"
#include "tests/path/app.h"
#include "tun/stack.h"

namespace causeway::path {

// What a service does, by its port.
inline constexpr std::uint16_t kSink = 1;
inline constexpr std::uint16_t kSource = 2;
inline constexpr std::uint16_t kEcho = 3;
inline constexpr std::uint16_t kOnce = 4;  // repeats what it got and sends FIN

// Of one end, since the last Path::forget_accounts(); `memory` since it was made.
struct Account {
  std::uint64_t nanoseconds = 0;
  std::uint64_t allocations = 0;
  std::uint64_t copied = 0;
  std::int64_t memory = 0;
};

class Path {
 public:
  // `clock` gives nanoseconds, for the accounts only.
  explicit Path(std::uint64_t (*clock)() = [] { return std::uint64_t(0); });
  ~Path();
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

  // A new connection, open when this returns. The App is good until close().
  App& open(std::uint16_t service);
  // Ends it from the program's side if the service has not, and forgets it.
  void close(App& app);

  void send(App& app, std::size_t size, std::uint8_t flags = packet::kAck | packet::kPsh);
  void send_datagram(std::size_t size);
  // The service at the other end of `app` (kSource) sends `size` more bytes.
  void give(App& app, std::size_t size);
  // Until nothing moves. Time stands still.
  void run();
  // Lets time go by, with all that is due in it.
  void wait(Duration duration);

  void acknowledge(App& app) { send(app, 0, packet::kAck); }

  const Account& client() const { return client_account_; }
  const Account& gateway() const { return gateway_account_; }
  void forget_accounts();
  std::uint64_t taken() const { return taken_; }                  // bytes that the services got
  std::uint64_t carrier_bytes() const { return carrier_bytes_; }  // both ways
  std::uint64_t datagrams() const { return datagrams_; }          // that came back to the program
  std::size_t flows() const { return client_->status().tcp_flows; }
  std::size_t client_in_use() const { return client_pool_.in_use(); }
  std::size_t gateway_in_use() const { return gateway_pool_.in_use(); }
  // How often advance() was called for its own sake in wait().
  std::uint64_t wakeups() const { return wakeups_; }

 private:
  struct Service {
    std::uint16_t port = 0;
    bool tcp = true;
    bool open = false;
    std::size_t to_send = 0;
    bool finish = false;
  };

  template <class F>
  void measure(Account& account, F&& f);
  bool client_turn();
  bool gateway_turn();
  void take_packets();
  void carry_up();
  void carry_down();
  void gateway_events();
  void serve(engine::RelayId relay);
  App& app_at(const packet::Endpoint& local);

  std::uint64_t (*clock_)();
  Instant now_{};
  SeededRandom random_{1};
  BufferPool client_pool_, gateway_pool_;
  Account client_account_, gateway_account_;
  std::unique_ptr<tun::Stack> stack_;
  std::unique_ptr<engine::Stack> attachment_;
  std::unique_ptr<engine::NameService> names_;
  std::unique_ptr<engine::Client> client_;
  std::unique_ptr<engine::Gateway> gateway_;
  engine::CarrierId carrier_ = 0;
  bool client_due_ = false, gateway_due_ = false;

  std::deque<App> apps_;
  std::vector<std::uint32_t> free_apps_;
  std::vector<packet::Incoming> outbox_, batch_;
  std::vector<App*> to_acknowledge_;
  std::vector<engine::ClientEvent> client_events_;
  std::vector<engine::GatewayEvent> events_;
  std::vector<engine::RelayId> writable_;
  std::vector<Service> services_;          // by relay, in a ring of ids
  std::vector<engine::RelayId> relay_of_;  // by app
  std::uint64_t taken_ = 0, carrier_bytes_ = 0, datagrams_ = 0, wakeups_ = 0;
};

}  // namespace causeway::path

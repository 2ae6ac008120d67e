#include "tests/path/path.h"

#include <algorithm>

#include "core/noise/keys.h"
#include "tests/tun/allocations.h"

namespace causeway::path {
namespace {

using namespace std::chrono_literals;

// Programs have ports from here, and as many addresses as they need.
constexpr std::uint16_t kFirstPort = 2000;
constexpr std::uint32_t kPorts = 60000;
// Relays that are alive have ids that differ by less.
constexpr std::size_t kServices = std::size_t(1) << 17;

// Nobody asks it anything.
class NoNames final : public engine::NameService {
 public:
  void datagram(const packet::Endpoint&, const packet::Endpoint&, Bytes, Instant) override {}
  void stream_opened(engine::DnsStreamId, Instant) override {}
  void stream_received(engine::DnsStreamId, Bytes, Instant) override {}
  void stream_finished(engine::DnsStreamId, Instant) override {}
  void asked(engine::DnsRequestId, Bytes, Instant) override {}
  void cluster_answered(engine::DnsRequestId, Bytes, Instant) override {}
  void cluster_failed(engine::DnsRequestId, engine::DnsFailure, Instant) override {}
  void machine_answered(engine::DnsRequestId, Bytes, Instant) override {}
  void machine_failed(engine::DnsRequestId, engine::DnsFailure, Instant) override {}
  void link_changed(bool, Instant) override {}
  void take_actions(std::vector<engine::DnsAction>&) override {}
  Instant deadline() const override { return kNever; }
  void advance(Instant) override {}
};

packet::Endpoint service(std::uint16_t port) { return {packet::Address::v4(10, 96, 0, 1), port}; }

packet::Endpoint local_of(std::uint32_t index) {
  return {packet::Address::v4(10, 1, 0, std::uint8_t(2 + index / kPorts)), std::uint16_t(kFirstPort + index % kPorts)};
}

std::uint32_t index_of(const packet::Endpoint& local) {
  return std::uint32_t(local.address.bytes()[3] - 2) * kPorts + local.port - kFirstPort;
}

}  // namespace

template <class F>
void Path::measure(Account& account, F&& f) {
  const std::uint64_t allocations = tun::allocations_counted(), copied = copied_bytes, start = clock_();
  const std::size_t memory = tun::bytes_allocated();
  {
    tun::Counting counting;
    f();
  }
  account.nanoseconds += clock_() - start;
  account.memory += std::int64_t(tun::bytes_allocated()) - std::int64_t(memory);
  account.allocations += tun::allocations_counted() - allocations;
  account.copied += copied_bytes - copied;
}

Path::Path(std::uint64_t (*clock)()) : clock_(clock), services_(kServices) {
  noise::SodiumRandom initialised;  // else libsodium keeps to its slow ways, which no program does
  now_ += 1s;
  const noise::KeyPair client_keys = noise::generate(random_), gateway_keys = noise::generate(random_);
  tun::StackOptions stack;
  stack.max_connections = 4 * kPorts;
  stack_ = std::make_unique<tun::Stack>(client_pool_, random_, stack);
  attachment_ = stack_->attach();
  names_ = std::make_unique<NoNames>();
  engine::ClientConfig config;
  config.keys = {client_keys.private_key, client_keys.public_key};
  config.gateway_key = gateway_keys.public_key;
  config.routes = {*packet::Cidr::parse("10.96.0.0/12")};
  config.wall_clock_ns = 1'000'000'000;
  config.max_flows = 4 * kPorts;
  client_ = std::make_unique<engine::Client>(config, client_pool_, random_, *attachment_, *names_, now_);
  engine::GatewayConfig gateway;
  gateway.keys = {gateway_keys.private_key, gateway_keys.public_key};
  gateway.streams_per_client = 4 * kPorts;
  gateway_ = std::make_unique<engine::Gateway>(gateway, gateway_pool_, random_, now_);
  std::vector<engine::AuthorisedClient> clients;
  clients.push_back({client_keys.public_key, "laptop", std::nullopt});
  gateway_->set_clients(std::move(clients), now_);

  client_->start(now_);
  client_->advance(now_);
  carrier_ = gateway_->carrier_accepted({packet::Address::v4(192, 0, 2, 1), 40000}, now_);
  client_->carrier_connected(now_);
  client_due_ = gateway_due_ = true;
  run();
  CAUSEWAY_ASSERT(client_->status().link == engine::ClientStatus::Link::kUp);
}

Path::~Path() {
  outbox_.clear();
  batch_.clear();
  client_->stop(now_);
  client_->flush(now_);
  client_->packets().clear();
  client_.reset();
  attachment_.reset();
  gateway_.reset();
}

void Path::forget_accounts() {
  for (Account* account : {&client_account_, &gateway_account_}) *account = {0, 0, 0, account->memory};
}

App& Path::open(std::uint16_t port) {
  if (free_apps_.empty()) {
    free_apps_.push_back(std::uint32_t(apps_.size()));
    apps_.emplace_back();
    relay_of_.push_back(0);
  }
  const std::uint32_t index = free_apps_.back();
  free_apps_.pop_back();
  App& app = apps_[index];
  const std::uint32_t next = app.next + 100000;
  app = App();
  app.next = app.acknowledged = next;
  app.local = local_of(index);
  app.remote = service(port);
  send(app, 0, packet::kSyn);
  run();
  CAUSEWAY_ASSERT(app.connected && !app.reset);
  return app;
}

void Path::close(App& app) {
  send(app, 0, packet::kFin | packet::kAck);
  run();
  CAUSEWAY_ASSERT(app.peer_finished);
  free_apps_.push_back(index_of(app.local));
}

void Path::send(App& app, std::size_t size, std::uint8_t flags) {
  measure(client_account_, [&] { outbox_.push_back(segment(app, client_pool_, flags, size)); });
}

void Path::send_datagram(std::size_t size) {
  measure(client_account_, [&] { outbox_.push_back(datagram(local_of(0), service(kEcho), client_pool_, size)); });
}

void Path::give(App& app, std::size_t size) {
  const engine::RelayId relay = relay_of_[index_of(app.local)];
  services_[relay % kServices].to_send += size;
  serve(relay);
  gateway_due_ = true;
}

void Path::run() {
  for (bool any = true; any;) {
    any = client_turn();
    any = gateway_turn() || any;
  }
}

void Path::wait(Duration duration) {
  const Instant until = now_ + duration;
  run();
  for (;;) {
    const Instant client = client_->deadline(), gateway = gateway_->deadline();
    now_ = std::max(now_, std::min({client, gateway, until}));
    if (now_ >= until) return;
    ++wakeups_;
    if (client <= now_) measure(client_account_, [&] { client_->advance(now_); });
    if (gateway <= now_) measure(gateway_account_, [&] { gateway_->advance(now_); });
    client_due_ |= client <= now_;
    gateway_due_ |= gateway <= now_;
    run();
  }
}

// What the program has sent, the engine's turn, and what it wrote to the device and the carrier.
bool Path::client_turn() {
  if (outbox_.empty() && !client_due_) return false;
  client_due_ = false;
  batch_.swap(outbox_);
  measure(client_account_, [&] {
    if (!batch_.empty()) client_->device_received(batch_, now_);
    batch_.clear();
    client_->flush(now_);
    client_->settle();
  });
  take_packets();
  carry_up();
  client_->take_events(client_events_);
  client_events_.clear();
  return true;
}

void Path::take_packets() {
  packet::PacketBatch& packets = client_->packets();
  std::array<std::uint8_t, 128> start;
  for (const packet::OutgoingPacket& p : packets.packets()) {
    // The headers say all; the payload lies in pieces that a kernel would copy.
    const Bytes header = packets.header(p);
    std::copy(header.begin(), header.end(), start.begin());
    const std::size_t transport = 20;
    if (start[9] == packet::kUdp) {
      ++datagrams_;
      continue;
    }
    packet::Parsed parsed;
    const std::uint8_t* tcp = start.data() + transport;
    parsed.transport = {tcp, header.size() - transport};
    parsed.payload = {tcp, p.size - header.size()};
    parsed.flags = tcp[13];
    parsed.sequence = load32(tcp + 4);
    parsed.acknowledgement = load32(tcp + 8);
    App& app = app_at({packet::Address::from_bytes({start.data() + 16, 4}), load16(tcp + 2)});
    if (app.take(parsed) && !app.noted) {
      app.noted = true;
      to_acknowledge_.push_back(&app);
    }
  }
  packets.clear();
  for (App* app : to_acknowledge_) {
    app->noted = false;
    acknowledge(*app);
  }
  to_acknowledge_.clear();
}

App& Path::app_at(const packet::Endpoint& local) { return apps_[index_of(local)]; }

// Copying from one engine's memory to the other's stands for two kernels.
void Path::carry_up() {
  std::array<Bytes, 2> pieces;
  while (client_->transmit(pieces) > 0) {
    MutableBytes space;
    measure(gateway_account_, [&] { space = gateway_->receive_space(carrier_); });
    const std::size_t n = std::min(space.size(), pieces[0].size());
    std::copy_n(pieces[0].begin(), n, space.begin());
    measure(gateway_account_, [&] { gateway_->received(carrier_, n, now_); });
    measure(client_account_, [&] { client_->transmitted(n, now_); });
    carrier_bytes_ += n;
    gateway_due_ = true;
    client_due_ |= client_->deadline() <= now_;
    if (client_->deadline() <= now_) measure(client_account_, [&] { client_->advance(now_); });
  }
}

void Path::carry_down() {
  std::array<Bytes, 2> pieces;
  while (gateway_->transmit(carrier_, pieces) > 0) {
    MutableBytes space;
    measure(client_account_, [&] { space = client_->receive_space(); });
    const std::size_t n = std::min(space.size(), pieces[0].size());
    std::copy_n(pieces[0].begin(), n, space.begin());
    measure(client_account_, [&] { client_->received(n, now_); });
    measure(gateway_account_, [&] { gateway_->transmitted(carrier_, n, now_); });
    carrier_bytes_ += n;
    client_due_ = true;
    if (gateway_->deadline() > now_) continue;
    gateway_due_ = true;
    measure(gateway_account_, [&] { gateway_->advance(now_); });
  }
}

bool Path::gateway_turn() {
  if (!gateway_due_) return false;
  gateway_due_ = false;
  measure(gateway_account_, [&] { gateway_->flush(now_); });
  writable_.assign(gateway_->writable_relays().begin(), gateway_->writable_relays().end());
  gateway_events();
  for (engine::RelayId relay : writable_) serve(relay);
  measure(gateway_account_, [&] { gateway_->settle(); });
  carry_down();
  return true;
}

void Path::gateway_events() {
  events_.clear();
  measure(gateway_account_, [&] { gateway_->take_events(events_); });
  for (engine::GatewayEvent& event : events_) {
    Service& service = services_[event.relay % kServices];
    switch (event.kind) {
      case engine::GatewayEvent::Kind::kDial:
        service = {event.destination.endpoint.port, event.destination.protocol == flow::Protocol::kTcp, true, 0, false};
        if (service.tcp) relay_of_[index_of(event.source)] = event.relay;
        measure(gateway_account_, [&] { gateway_->dialled(event.relay, now_); });
        gateway_due_ = true;
        serve(event.relay);
        break;
      case engine::GatewayEvent::Kind::kResumeReading: serve(event.relay); break;
      case engine::GatewayEvent::Kind::kFinishRelay:
        measure(gateway_account_, [&] { gateway_->relay_finished(event.relay, now_); });
        gateway_due_ = true;
        break;
      case engine::GatewayEvent::Kind::kCloseRelay: service.open = false; break;
      default: break;
    }
  }
}

// The service takes what has come, and gives what it has to give.
void Path::serve(engine::RelayId relay) {
  Service& service = services_[relay % kServices];
  if (!service.open) return;
  if (!service.tcp) {
    measure(gateway_account_, [&] {
      while (std::optional<Slice> datagram = gateway_->relay_next_datagram(relay)) {
        gateway_->relay_datagram(relay, datagram->bytes(), now_);
      }
    });
    gateway_due_ = true;
    return;
  }
  measure(gateway_account_, [&] {
    std::array<Bytes, 16> pieces;
    while (std::size_t count = gateway_->relay_transmit(relay, pieces)) {
      std::size_t n = 0;
      for (std::size_t i = 0; i < count; ++i) n += pieces[i].size();
      gateway_->relay_transmitted(relay, n, now_);
      taken_ += n;
      if (service.port == kEcho || service.port == kOnce) service.to_send += n;
      service.finish |= service.port == kOnce;
      gateway_due_ = true;
    }
    while (service.to_send > 0) {
      const MutableBytes space = gateway_->relay_space(relay);
      if (space.empty()) return;
      const std::size_t n = std::min(space.size(), service.to_send);
      gateway_->relay_received(relay, n, now_);
      service.to_send -= n;
      gateway_due_ = true;
    }
    if (std::exchange(service.finish, false)) gateway_->relay_finished(relay, now_);
  });
}

}  // namespace causeway::path

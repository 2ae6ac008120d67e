#include "tests/world/world.h"

#include <algorithm>

namespace causeway::world {
namespace {

using engine::ClientEvent;
using engine::GatewayEvent;

// More turns than this without time going on is a driver that burns the processor.
constexpr unsigned kMostTurnsAtOnce = 20000;

// How long a socket is kept open for its last bytes.
constexpr Duration kLinger = std::chrono::seconds(5);

std::unique_ptr<dns::Stub> make_stub(Random& random) {
  dns::RulesConfig rules;
  rules.namespaces = {"shop"};
  rules.short_namespace = "shop";
  rules.routes = {*packet::Cidr::parse("10.96.0.0/12")};
  return std::make_unique<dns::Stub>(*dns::Rules::create(rules), dns::StubConfig(), random);
}

}  // namespace

packet::Endpoint service_at(unsigned number, std::uint16_t port, bool v6) {
  if (!v6) return {packet::Address::v4(10, 96, std::uint8_t(number >> 8), std::uint8_t(number)), port};
  std::uint8_t raw[16]{0xfd, 0x00, 0x00, 0x96};
  store16(&raw[14], std::uint16_t(number));
  return {packet::Address::from_bytes(raw), port};
}

World::World(const WorldOptions& options)
    : chart(time, options.chart),
      cluster(time, chart, options.seed * 7 + 1),
      laptop(time, client_pool_, chart, options.laptop),
      processes(time, chart, Chart::Column::kLaptop, options.seed * 7 + 5),
      options_(options),
      random_(options.seed * 7 + 2),
      client_random_(options.seed * 7 + 3),
      gateway_random_(options.seed * 7 + 4),
      client_keys_(noise::generate(random_)),
      gateway_keys_(noise::generate(random_)) {
  stack_ = std::make_unique<tun::Stack>(client_pool_, client_random_, options.stack);
  attachment_ = stack_->attach();
  stub_ = make_stub(client_random_);
  engine::ClientConfig config;
  config.keys = {client_keys_.private_key, client_keys_.public_key};
  config.gateway_key = gateway_keys_.public_key;
  if (!options.right_gateway_key) config.gateway_key = noise::generate(random_).public_key;
  config.psk = options.client_psk;
  config.routes = {*packet::Cidr::parse("10.96.0.0/12"), *packet::Cidr::parse("fd00:0:96::/48"),
                   *packet::Cidr::parse("fd00:96::/32")};
  config.dns = {kStub};
  config.own = {laptop.address(false), laptop.address(true)};
  config.timing = options.timing;
  config.wall_clock_ns = 1'000'000'000;
  config.max_half_open = options.max_half_open;
  client_ = std::make_unique<engine::Client>(config, client_pool_, client_random_, *attachment_, *stub_, time.now());
  processes.use(client_.get());
  start_gateway();
}

World::~World() {
  kill_gateway();
  processes.use(nullptr);
  client_->stop(time.now());
  client_->flush(time.now());
  laptop.deliver(client_->packets());
  client_.reset();
  attachment_.reset();
  time.clear();  // it holds packets
}

void World::start_gateway() {
  engine::GatewayConfig config;
  config.keys = {gateway_keys_.private_key, gateway_keys_.public_key};
  config.timing = options_.timing;
  config.icmp_echo = options_.gateway_icmp_echo;
  config.streams_per_client = options_.streams_per_client;
  config.dials_per_client = options_.dials_per_client;
  config.services = options_.services;
  gateway_ = std::make_unique<engine::Gateway>(config, gateway_pool_, gateway_random_, time.now());
  for (engine::ServiceId id = 0; id < options_.services.size(); ++id) gateway_->set_endpoints(id, {listener_of(id)});
  cluster.use(gateway_.get());
  set_clients(options_.known_key);
}

void World::set_clients(bool known) {
  std::vector<engine::AuthorisedClient> clients;
  if (known) clients.push_back({client_keys_.public_key, "laptop", options_.gateway_psk});
  gateway_->set_clients(std::move(clients), time.now());
  gateway_called_ = true;
}

void World::kill_gateway() {
  ++gateway_deaths_;
  chart.note(Chart::Column::kGateway, "the gateway dies");
  for (auto& carrier : carriers_) {
    if (!carrier->gateway_open) continue;
    carrier->gateway_open = false;
    carrier->up.lose_everything();
    carrier->down.finish();
  }
  cluster.use(nullptr);
  gateway_.reset();
}

void World::start() {
  client_->start(time.now());
  client_called_ = true;
}

bool World::come_up() {
  start();
  return run_until([this] { return link_is_up(); }, std::chrono::seconds(5));
}

bool World::client_said(ClientEvent::Kind kind) const {
  return std::any_of(client_events.begin(), client_events.end(), [&](const ClientEvent& e) { return e.kind == kind; });
}

std::string World::fault() const {
  if (!fault_.empty()) return fault_;
  if (!laptop.fault().empty()) return laptop.fault();
  for (const auto& carrier : carriers_) {
    if (carrier->tap && !carrier->tap->fault().empty()) return carrier->tap->fault();
  }
  return {};
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant last = time.now() + limit;
  while (fault().empty()) {
    for (unsigned n = 0; turn(); ++n) {
      measure();
      if (n > kMostTurnsAtOnce) {
        fault_ = "an engine asks for one turn after the other while no time passes";
        return false;
      }
    }
    if (done && done()) return true;
    Instant next = next_moment();
    if (next > last) {
      time.advance_to(last);
      return !done;
    }
    time.advance_to(next);
  }
  return false;
}

void World::measure() {
  ++turns_;
  peak_client_memory_ = std::max(peak_client_memory_, client_pool_.in_use());
  peak_gateway_memory_ = std::max(peak_gateway_memory_, gateway_pool_.in_use());
}

Instant World::next_moment() {
  Instant at =
      std::min({time.next(), laptop.deadline(), client_->deadline(), gateway_ ? gateway_->deadline() : kNever});
  for (const auto& carrier : carriers_) {
    if (carrier->client_open && !carrier->client_closing) at = std::min(at, carrier->down.next());
    if (carrier->gateway_open && !carrier->gateway_closing) at = std::min(at, carrier->up.next());
    if (carrier->gateway_closing && carrier->gateway_open)
      at = std::min(at, std::max(carrier->linger_until, time.now()));
  }
  return std::max(at, time.now());
}

bool World::turn() {
  bool any = time.run_due();
  laptop.advance();
  any |= client_turn();
  if (gateway_) any |= gateway_turn();
  return any;
}

// --- the client's driver

bool World::client_turn() {
  bool any = std::exchange(client_called_, false) | processes.take_called();
  laptop.take(batch_);
  if (!batch_.empty()) {
    client_->device_received(batch_, time.now());
    batch_.clear();
    any = true;
  }
  any |= read_for_client();
  if (client_->deadline() <= time.now()) {
    client_->advance(time.now());
    any = true;
  }
  if (any) {
    client_->flush(time.now());
    laptop.deliver(client_->packets());
    client_->packets().clear();
    std::vector<engine::RelayId> writable(client_->writable_relays().begin(), client_->writable_relays().end());
    client_events_taken();
    for (engine::RelayId relay : writable) processes.writable(relay);
    client_->settle();
    machine_questions_taken();
  }
  return write_for_client() || any;
}

bool World::read_for_client() {
  Carrier* carrier = client_carrier_;
  if (!carrier || !carrier->client_open || carrier->client_closing) return false;
  bool any = false;
  for (Bytes bytes; !(bytes = carrier->down.readable()).empty(); any = true) {
    MutableBytes space = client_->receive_space();
    if (space.empty()) return any;
    std::size_t n = std::min(space.size(), bytes.size());
    std::copy_n(bytes.begin(), n, space.begin());
    carrier->down.consume(n);
    client_->received(n, time.now());
    if (options_.reports_progress && carrier->gateway_open) {
      time.after(options_.wire.delay, [this, carrier] {
        if (gateway_ && carrier->gateway_open) gateway_->carrier_progressed(carrier->id, time.now());
      });
    }
  }
  if (!carrier->down.at_end()) return any;
  carrier->client_open = false;
  client_carrier_ = nullptr;
  client_->carrier_closed({ErrorCode::kUnavailable, "the connection was closed", {}}, time.now());
  return true;
}

bool World::write_for_client() {
  Carrier* carrier = client_carrier_;
  if (!carrier) return false;
  bool any = false;
  std::array<Bytes, 2> pieces;
  std::size_t count = 0;
  while ((count = client_->transmit(pieces)) > 0) {
    std::size_t n = carrier->up.write(pieces[0]);
    if (n == 0) break;
    if (carrier->tap) carrier->tap->towards_gateway(pieces[0].first(n));
    if (carrier->first)
      first_carrier_bytes_.insert(first_carrier_bytes_.end(), pieces[0].begin(), pieces[0].begin() + std::ptrdiff_t(n));
    client_->transmitted(n, time.now());
    any = true;
  }
  if (carrier->client_closing && count == 0) close_client_end(*carrier);
  return any;
}

void World::close_client_end(Carrier& carrier) {
  carrier.up.finish();
  carrier.client_open = false;
  client_carrier_ = nullptr;
}

void World::client_events_taken() {
  std::vector<ClientEvent> events;
  client_->take_events(events);
  for (ClientEvent& event : events) {
    switch (event.kind) {
      case ClientEvent::Kind::kDial:
        if (client_carrier_) close_client_end(*client_carrier_);
        time.after(options_.connect_after, [this] { connect(); });
        break;
      case ClientEvent::Kind::kCloseCarrier:
        if (client_carrier_) client_carrier_->client_closing = true;
        break;
      case ClientEvent::Kind::kLinkUp: chart.note(Chart::Column::kCarrier, "-- the link is up"); break;
      case ClientEvent::Kind::kLinkDown:
        chart.note(Chart::Column::kCarrier, "-- the link is down: " + event.error.message);
        if (event.error.code == ErrorCode::kProtocol && !damaged_) fault_ = "the client: " + event.error.message;
        break;
      default:
        if (process_event(event)) continue;
        break;
    }
    client_events.push_back(std::move(event));
  }
}

// True: it was about a socket to a process of the laptop.
bool World::process_event(const ClientEvent& event) {
  switch (event.kind) {
    case ClientEvent::Kind::kDialLocal: processes.dial(event.relay, event.local); return true;
    case ClientEvent::Kind::kCloseRelay: processes.close(event.relay, event.reset); return true;
    case ClientEvent::Kind::kFinishRelay: processes.finish(event.relay); return true;
    case ClientEvent::Kind::kResumeReading: processes.resume(event.relay); return true;
    default: return false;
  }
}

void World::machine_questions_taken() {
  std::vector<engine::DnsAction> actions;
  client_->take_machine_questions(actions);
  for (engine::DnsAction& action : actions) {
    if (action.kind != engine::DnsAction::Kind::kAskMachine) continue;
    time.after(std::chrono::milliseconds(5), [this, request = action.request, message = std::move(action.message)] {
      client_called_ = true;
      auto answer = machine_dns_ ? machine_dns_(message) : std::nullopt;
      if (answer) {
        client_->machine_answered(request, *answer, time.now());
      } else {
        client_->machine_failed(request, engine::DnsFailure::kTimedOut, time.now());
      }
    });
  }
}

World::Carrier& World::accept(const packet::Endpoint& source) {
  carriers_.push_back(std::make_unique<Carrier>(time, random_, options_.wire));
  Carrier& carrier = *carriers_.back();
  gateway_called_ = true;
  carrier.id = gateway_->carrier_accepted(source, time.now());
  if (carrier.id == 0) {
    carrier.gateway_open = false;
    carrier.down.finish();
  }
  return carrier;
}

void World::connect() {
  if (link() != engine::ClientStatus::Link::kDialling) return;
  client_called_ = true;
  if (!gateway_) {
    client_->dial_failed({ErrorCode::kUnavailable, "connection refused", {}}, time.now());
    return;
  }
  Carrier& carrier = accept({packet::Address::v4(192, 0, 2, 1), next_source_port_++});
  carrier.first = !std::exchange(had_carrier_, true);
  if (options_.chart || options_.tap) {
    Wiretap::Keys keys{client_keys_, gateway_keys_, options_.client_psk};
    carrier.tap = std::make_unique<Wiretap>(chart, keys, client_random_);
  }
  client_carrier_ = &carrier;
  client_->carrier_connected(time.now());
}

// --- the gateway's driver

bool World::gateway_turn() {
  bool any = std::exchange(gateway_called_, false);
  any |= cluster.take_called();
  for (std::size_t i = 0; i < carriers_.size(); ++i) any |= read_for_gateway(*carriers_[i]);
  if (gateway_->deadline() <= time.now()) {
    gateway_->advance(time.now());
    any = true;
  }
  if (any) {
    gateway_->flush(time.now());
    std::vector<engine::RelayId> writable(gateway_->writable_relays().begin(), gateway_->writable_relays().end());
    gateway_events_taken();
    for (engine::RelayId relay : writable) cluster.writable(relay);
    gateway_->settle();
  }
  for (auto& carrier : carriers_) any |= write_for_gateway(*carrier);
  for (auto& carrier : carriers_) {
    if (carrier->stranger) any |= serve_stranger(*carrier);
  }
  return any;
}

bool World::read_for_gateway(Carrier& carrier) {
  if (!carrier.gateway_open || carrier.gateway_closing) return false;
  bool any = false;
  for (Bytes bytes; !(bytes = carrier.up.readable()).empty(); any = true) {
    MutableBytes space = gateway_->receive_space(carrier.id);
    if (space.empty()) return any;
    std::size_t n = std::min(space.size(), bytes.size());
    std::copy_n(bytes.begin(), n, space.begin());
    carrier.up.consume(n);
    gateway_->received(carrier.id, n, time.now());
    if (options_.reports_progress && client_carrier_ == &carrier) {
      time.after(options_.wire.delay, [this, &carrier] {
        if (client_carrier_ == &carrier) client_->carrier_progressed(time.now());
      });
    }
  }
  if (!carrier.up.at_end()) return any;
  carrier.gateway_open = false;
  carrier.down.finish();
  gateway_->carrier_closed(carrier.id, time.now());
  return true;
}

bool World::write_for_gateway(Carrier& carrier) {
  if (!carrier.gateway_open) return false;
  bool any = false;
  std::array<Bytes, 2> pieces;
  std::size_t count = 0;
  while ((count = gateway_->transmit(carrier.id, pieces)) > 0) {
    std::size_t n = carrier.down.write(pieces[0]);
    if (n == 0) break;
    if (carrier.tap) carrier.tap->towards_client(pieces[0].first(n));
    gateway_->transmitted(carrier.id, n, time.now());
    any = true;
  }
  if (!carrier.gateway_closing || (count > 0 && time.now() < carrier.linger_until)) return any;
  carrier.down.finish();
  carrier.gateway_open = false;
  gateway_->carrier_closed(carrier.id, time.now());
  return true;
}

void World::gateway_events_taken() {
  std::vector<GatewayEvent> events;
  gateway_->take_events(events);
  for (GatewayEvent& event : events) {
    switch (event.kind) {
      case GatewayEvent::Kind::kCloseCarrier:
        for (auto& carrier : carriers_) {
          if (carrier->id != event.carrier || !carrier->gateway_open) continue;
          carrier->gateway_closing = true;
          carrier->linger_until = time.now() + kLinger;
        }
        break;
      case GatewayEvent::Kind::kCame:
      case GatewayEvent::Kind::kWent:
      case GatewayEvent::Kind::kRefused:
      case GatewayEvent::Kind::kIntercept:
        if (event.text.find("violation") != std::string::npos && !damaged_) fault_ = "the gateway: " + event.text;
        chart.note(Chart::Column::kGateway, event.kind == GatewayEvent::Kind::kCame        ? "came: " + event.client
                                            : event.kind == GatewayEvent::Kind::kIntercept ? event.client + " " + event.text
                                                                                           : "went or refused: " + event.text);
        gateway_events.push_back(std::move(event));
        break;
      default: cluster.event(event); break;
    }
  }
}

// --- what happens to carriers

bool World::break_carrier() {
  if (!client_carrier_ || !client_carrier_->gateway_open) return false;
  chart.note(Chart::Column::kCarrier, "-- the carrier breaks");
  client_carrier_->up.lose_everything();
  client_carrier_->down.lose_everything();
  Carrier& carrier = *std::exchange(client_carrier_, nullptr);
  carrier.client_open = carrier.gateway_open = false;
  client_->carrier_closed({ErrorCode::kUnavailable, "connection reset by peer", {}}, time.now());
  gateway_->carrier_closed(carrier.id, time.now());
  client_called_ = gateway_called_ = true;
  return true;
}

bool World::stall(bool up, bool down, Duration how_long) {
  if (!client_carrier_) return false;
  chart.note(Chart::Column::kCarrier, "-- the carrier stalls");
  if (up) client_carrier_->up.stall(how_long);
  if (down) client_carrier_->down.stall(how_long);
  return true;
}

bool World::lose_everything(bool up, bool down) {
  if (!client_carrier_) return false;
  chart.note(Chart::Column::kCarrier, "-- the carrier loses everything");
  if (up) client_carrier_->up.lose_everything();
  if (down) client_carrier_->down.lose_everything();
  return true;
}

bool World::damage(bool up) {
  if (!client_carrier_) return false;
  damaged_ = true;
  chart.note(Chart::Column::kCarrier, "-- a bit will be flipped");
  (up ? client_carrier_->up : client_carrier_->down).damage_next();
  return true;
}

World::Stranger& World::connect_as_stranger(std::vector<std::uint8_t> bytes) {
  strangers_.push_back(std::make_unique<Stranger>());
  Carrier& carrier = accept({packet::Address::v4(192, 0, 2, 66), next_source_port_++});
  carrier.stranger = strangers_.back().get();
  carrier.up.write(bytes);
  return *strangers_.back();
}

bool World::serve_stranger(Carrier& carrier) {
  bool any = false;
  for (Bytes bytes; !(bytes = carrier.down.readable()).empty(); any = true) {
    carrier.stranger->answer.insert(carrier.stranger->answer.end(), bytes.begin(), bytes.end());
    carrier.down.consume(bytes.size());
  }
  if (carrier.down.at_end() && !carrier.stranger->closed) {
    carrier.stranger->closed = true;
    carrier.client_open = false;
    any = true;
  }
  return any;
}

}  // namespace causeway::world

#include "platform/gateway/gateway_driver.h"

#include <algorithm>

#include "core/config/gateway_config.h"
#include "platform/gateway/datagram_relay.h"
#include "platform/log.h"
#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

constexpr Duration kProgressEvery = std::chrono::seconds(1);

}  // namespace

Result<std::unique_ptr<GatewayDriver>> GatewayDriver::start(Loop& loop, GatewaySettings settings) {
  settings.engine.icmp_echo = DatagramRelay::can_ping();
  settings.engine.services.clear();
  for (const ServiceSettings& service : settings.services) settings.engine.services.push_back(service.engine);
  std::unique_ptr<GatewayDriver> driver(new GatewayDriver(loop, std::move(settings)));
  if (auto listening = driver->listen(); !listening) return tl::make_unexpected(listening.error());
  if (auto listening = driver->listen_for_services(); !listening) return tl::make_unexpected(listening.error());
  driver->know_own_addresses();
  return driver;
}

GatewayDriver::GatewayDriver(Loop& loop, GatewaySettings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      engine_(settings_.engine, pool_, random_, boot_now()),
      scratch_(kScratch),
      dns_servers_(settings_.dns),
      dial_deadlines_(loop, settings_.dial_timeout),
      dns_deadlines_(loop, settings_.dns_try),
      close_deadlines_(loop, settings_.close_timeout),
      timer_(loop,
             [this] {
               armed_ = kNever;
               engine_.advance(boot_now());
               touched();
             }),
      progress_timer_(loop, [this] { look_for_progress(); }) {
  if (!dns_servers_.empty()) return;
  read_resolv_conf();
  resolv_conf_ = std::make_unique<FileWatch>(
      loop, kResolvConf, [this] { read_resolv_conf(); }, std::chrono::seconds(5));
}

GatewayDriver::~GatewayDriver() {
  names_.reset();  // ends the lookups, which speak of relays
}

Result<void> GatewayDriver::listen() {
  std::vector<packet::Endpoint> wanted = settings_.listen;
  bool everywhere = wanted.empty();
  if (everywhere)
    wanted = {{*packet::Address::parse("0.0.0.0"), config::kGatewayPort},
              {*packet::Address::parse("::"), config::kGatewayPort}};
  for (const packet::Endpoint& at : wanted) {
    auto listener = Listener::open(
        loop_, at, [this](Descriptor socket, const packet::Endpoint& source) { accepted(std::move(socket), source); });
    if (listener) {
      listeners_.push_back(std::move(*listener));
    } else if (everywhere && at.address.is_v6() && listener.error().code == ErrorCode::kUnavailable) {
      spdlog::info("no IPv6 here: listening on IPv4 only");
    } else {
      return tl::make_unexpected(listener.error());
    }
  }
  return {};
}

std::vector<packet::Endpoint> GatewayDriver::listening() const {
  std::vector<packet::Endpoint> endpoints;
  for (const auto& listener : listeners_) endpoints.push_back(listener->endpoint());
  return endpoints;
}

void GatewayDriver::accepted(Descriptor socket, const packet::Endpoint& source) {
  engine::CarrierId id = engine_.carrier_accepted(source, boot_now());
  if (id == 0) {
    engine::GatewayEvent refused{};
    refused.source = source;
    refused.text = "too many connections, or too many of them without a handshake";
    return log_refused(refused);
  }
  carriers_.emplace(id, std::make_unique<AcceptedCarrier>(carrier_host(), id, std::move(socket)));
  touched();
}

void GatewayDriver::set_clients(std::vector<engine::AuthorisedClient> clients) {
  engine_.set_clients(std::move(clients), boot_now());
  touched();
}

void GatewayDriver::stop(std::function<void()> stopped) {
  listeners_.clear();
  service_listeners_.clear();
  stopped_ = std::move(stopped);
  engine_.stop(boot_now());
  touched();
  // A carrier closes within its own deadline; this is for what that forgets.
  stop_timer_ = std::make_unique<Timer>(loop_, [this] {
    if (stopped_) std::exchange(stopped_, nullptr)();
  });
  stop_timer_->set(boot_now() + settings_.close_timeout + std::chrono::milliseconds(200));
}

void GatewayDriver::touched() {
  if (flush_due_) return;
  flush_due_ = true;
  loop_.at_turn_end([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) turn_end();
  });
}

void GatewayDriver::turn_end() {
  flush_due_ = false;
  std::vector<engine::CarrierId> ended = std::exchange(ended_, {});
  Instant now = boot_now();
  if (engine_.deadline() <= now) engine_.advance(now);
  engine_.flush(now);
  engine_.take_events(events_);
  for (const engine::GatewayEvent& event : events_) handle(event);
  events_.clear();
  for (engine::RelayId id : engine_.writable_relays()) {
    if (Relay* found = relay(id)) found->writable();
  }
  engine_.settle();
  for (engine::CarrierId id : engine_.writable_carriers()) {
    if (AcceptedCarrier* found = carrier(id)) found->writable();
  }
  // What the engine had to say of these has been handled.
  for (engine::CarrierId id : ended) carriers_.erase(id);
  arm();
  if (stopped_ && carriers_.empty()) std::exchange(stopped_, nullptr)();
}

// A deadline that moves away leaves the timer as it is: it then comes too early once, which costs less than setting it each turn.
void GatewayDriver::arm() {
  Instant at = engine_.deadline();
  if (at >= armed_) return;
  if (at <= boot_now()) {
    touched();  // the next turn has something to do: no timer needs to say so
    return;
  }
  armed_ = at;
  timer_.set(at);
}

void GatewayDriver::handle(const engine::GatewayEvent& event) {
  using Kind = engine::GatewayEvent::Kind;
  switch (event.kind) {
    case Kind::kCame: log_came(event); break;
    case Kind::kWent: log_went(event); break;
    case Kind::kRefused: log_refused(event); break;
    case Kind::kCloseCarrier:
      if (AcceptedCarrier* found = carrier(event.carrier)) found->close();
      break;
    case Kind::kDial: dial(event); break;
    case Kind::kDialProbe: dial_probe(event); break;
    case Kind::kCatalogue: answer_catalogue(event); break;
    case Kind::kIntercept: log_intercept(event); break;
    case Kind::kCloseRelay:
      if (Relay* found = relay(event.relay)) found->close(event.reset);
      relays_.erase(event.relay);
      break;
    case Kind::kFinishRelay:
      if (Relay* found = relay(event.relay)) found->finish();
      break;
    case Kind::kResumeReading:
      if (Relay* found = relay(event.relay)) found->resume_reading();
      break;
  }
}

AcceptedCarrier* GatewayDriver::carrier(engine::CarrierId id) {
  auto it = carriers_.find(id);
  return it == carriers_.end() ? nullptr : it->second.get();
}

Relay* GatewayDriver::relay(engine::RelayId id) {
  auto it = relays_.find(id);
  return it == relays_.end() ? nullptr : it->second.get();
}

void GatewayDriver::dial_failed(engine::RelayId id, link::Reason why) {
  engine_.dial_failed(id, why, boot_now());
  relays_.erase(id);
  touched();
}

void GatewayDriver::failed(engine::RelayId id, link::Reason why) {
  engine_.relay_failed(id, why, boot_now());
  relays_.erase(id);
  touched();
}

void GatewayDriver::sent(engine::CarrierId id) {
  if (outstanding_.empty()) progress_timer_.set(boot_now() + kProgressEvery);
  outstanding_.push_back(id);
}

void GatewayDriver::look_for_progress() {
  Instant now = boot_now();
  std::erase_if(outstanding_, [&](engine::CarrierId id) {
    AcceptedCarrier* found = carrier(id);
    if (!found) return true;
    if (found->progressed()) engine_.carrier_progressed(id, now);
    return !found->outstanding();
  });
  if (!outstanding_.empty()) progress_timer_.set(now + kProgressEvery);
}

void GatewayDriver::carrier_ended(engine::CarrierId id) {
  engine_.carrier_closed(id, boot_now());
  ended_.push_back(id);
  touched();
}

}  // namespace causeway::platform

// The steps of coming up, each of which begins the next:
//
//   begin (names of gateways) > attach (device) > dial (gateway) > link_up (link) > echo > ask_cluster (dns) >
//   take_over_resolver (resolver) > up
//
// The machine's questions come to us only when the path is proven, so a failure never leaves it without names.
#include <algorithm>

#include "platform/client/tunnel_inside.h"
#include "platform/linux/tun_device.h"
#include "platform/log.h"
#include "platform/loop/clock.h"

namespace causeway {
namespace {

using platform::boot_now;

constexpr Duration kLimit = std::chrono::seconds(15);
constexpr Duration kEchoPatience = std::chrono::seconds(5);
constexpr Duration kDnsPatience = std::chrono::seconds(2);
constexpr unsigned kDnsTries = 3;
constexpr Duration kShortHandshake = std::chrono::seconds(5);  // where there is another gateway to try
constexpr int kSlotTries = 3;
constexpr std::uint64_t kEchoToken = 1;

std::string milliseconds(Duration d) {
  return fmt::format("{:.2f} ms", std::chrono::duration<double, std::milli>(d).count());
}

std::string count(std::size_t n, const char* what, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? what : many);
}

}  // namespace

void Tunnel::Inside::up(StepTold step, UpDone done) {
  auto refuse = [&](Error error) {
    if (done) tell([done, failure = to_failure(error, "")] { done(failure); });
  };
  switch (state_) {
    case TunnelState::kUp:
      if (done) tell([done] { done(std::nullopt); });
      return;
    case TunnelState::kReconnecting:
      return refuse(
          {ErrorCode::kUnavailable, "it is up, but the link is down: " + last_error_, "it is dialled again by itself"});
    case TunnelState::kGoingDown: return refuse({ErrorCode::kConflict, "it is going down", "try again in a second"});
    case TunnelState::kComingUp:
      if (step) {
        for (const Step& each : steps_) tell([step, each] { step(each); });
      }
      up_waiters_.push_back({std::move(step), std::move(done)});
      return;
    case TunnelState::kDown: up_waiters_.push_back({std::move(step), std::move(done)}); return begin();
  }
}

void Tunnel::Inside::report(std::string name, std::string detail) {
  Instant now = boot_now();
  Step step{std::move(name), std::chrono::duration_cast<std::chrono::microseconds>(now - step_began_),
            std::move(detail)};
  step_began_ = now;
  for (const Waiter& waiter : up_waiters_) {
    if (waiter.step) tell([told = waiter.step, step] { told(step); });
  }
  steps_.push_back(std::move(step));
}

void Tunnel::Inside::begin() {
  state_ = TunnelState::kComingUp;
  failure_.reset();
  last_error_.clear();
  dialled_ = false;
  dialler_.start_over();
  steps_ = {made_};
  for (const Waiter& waiter : up_waiters_) {
    if (waiter.step) tell([told = waiter.step, step = made_] { told(step); });
  }
  step_ = "device";
  step_began_ = boot_now();
  limit_.set(step_began_ + kLimit);
  if (runtime_.attached.count(profile_.name) != 0) {
    return fail({ErrorCode::kConflict, "a tunnel called " + profile_.name + " is up already", "take it down first"});
  }
  dialler_.resolve(look_at_machine(), [this] {
    resolving_ = boot_now() - step_began_;
    step_began_ = boot_now();
    attach();
  });
}

platform::MachineResolver Tunnel::Inside::look_at_machine() {
  platform::ResolverRequest request;
  request.profile = profile_.name;
  request.servers = addresses_.stub;
  request.take_over = false;
  auto machine = runtime_.host->set_resolver(request);
  if (machine) return std::move(*machine);
  spdlog::warn("{}: the machine's DNS servers are not known: {}", profile_.name, machine.error().message);
  return {};
}

void Tunnel::Inside::attach() {
  const auto& routes = profile_.routes;
  bool v4 = platform::machine_has_v4();
  bool asks_v6 =
      std::any_of(routes.begin(), routes.end(), [](const packet::Cidr& each) { return each.network().is_v6(); });
  bool v6 = (asks_v6 || !v4) && platform::machine_has_v6();
  platform::NetworkRequest request;
  request.profile = profile_.name;
  request.keep = dialler_.addresses();
  request.exclude = profile_.exclude;
  auto conflicts = find_conflicts();
  if (!conflicts) return fail(conflicts.error());
  if (!conflicts->empty() && profile_.conflict == config::ConflictPolicy::kFail)
    return fail(platform::conflict_error(*conflicts));
  auto attached = attach_somewhere(request, *conflicts, v4, v6);
  if (!attached) return fail(attached.error());
  attached_ = true;
  runtime_.attached.insert(profile_.name);
  device_ = attached->device;
  left_out_ = attached->skipped;
  list_routes(left_out_);
  for (const std::string& each : decision_.conflicts) spdlog::warn("{}: {}", profile_.name, each);
  if (routes_.empty()) {
    return fail(
        {ErrorCode::kConflict, fmt::format("none of its routes can be made here: {}", fmt::join(skipped_, ", ")),
         "another tunnel or network of this machine has them, or IPv6 is off: see `tunctl status` and `ip route`"});
  }
  std::string detail = device_ + ", " + count(addresses_.own.size(), "address", "addresses") + ", " +
                       count(routes_.size(), "route", "routes");
  if (!skipped_.empty()) detail += fmt::format(", left out: {}", fmt::join(skipped_, " "));
  if (!decision_.conflicts.empty()) detail += fmt::format("; {}", fmt::join(decision_.conflicts, "; "));
  report("device", std::move(detail));
  step_ = "gateway";
  start_driver(std::make_unique<platform::KernelTun>(runtime_.pool, std::move(attached->tun), request.mtu));
  watch_network();
}

// In the first slot of addresses that nothing on this machine is in the way of.
Result<platform::AttachedNetwork> Tunnel::Inside::attach_somewhere(
    platform::NetworkRequest& request, const std::vector<platform::RouteConflict>& conflicts, bool v4, bool v6) {
  std::optional<Error> first;
  std::optional<unsigned> slot;
  for (int i = 0; i < kSlotTries && (slot = runtime_.slots.take(slot ? *slot + 1 : 0)); ++i) {
    addresses_ = platform::virtual_addresses(*slot, v4, v6);
    request.addresses = addresses_.own;
    map_ = engine::AddressMap(platform::virtual_ranges(*slot, v4, v6));
    ranges_routed_ = false;
    decide(conflicts);
    request.routes = wanted_routes();
    auto attached = runtime_.host->attach(request);
    if (attached) {
      slot_ = *slot;
      return attached;
    }
    runtime_.slots.give_back(*slot);
    if (!first) first = attached.error();
    if (attached.error().code != ErrorCode::kConflict) break;
  }
  if (!first)
    first = Error{ErrorCode::kLimit, "no virtual addresses are left: 198.19.0.0/16 is in use on this machine", {}};
  return tl::make_unexpected(std::move(*first));
}

engine::ClientConfig Tunnel::Inside::client_config() {
  engine::ClientConfig config;
  config.keys = keys_.own;
  config.gateway_key = profile_.gateway_key;
  config.psk = keys_.psk;
  config.routes = profile_.routes;
  config.routes.insert(config.routes.end(), profile_.include.begin(), profile_.include.end());
  config.exclude = profile_.exclude;
  config.addresses = &map_;
  config.dns = addresses_.stub;
  config.own = addresses_.own;
  if (profile_.gateways.size() > 1) config.timing.handshake = kShortHandshake;
  config.hello_floor = hello_.load();
  config.wall_clock_ns = platform::wall_clock_ns();
  return config;
}

dns::StubConfig Tunnel::Inside::names_config() {
  dns::StubConfig config;
  config.resolver.addresses = &map_;
  config.resolver.reachable = profile_.include;
  config.resolver.cluster_timeout = std::chrono::milliseconds(profile_.dns.timeout_ms);
  config.resolver.cache = profile_.dns.cache;
  return config;
}

void Tunnel::Inside::start_driver(std::unique_ptr<tun::Device> device) {
  platform::TunnelDriver::Parts parts{
      runtime_.loop,     runtime_.pool,   runtime_.random, runtime_.stack, runtime_.names,
      std::move(device), client_config(), rules_,          names_config(), {profile_.name, profile_.dns.domain}};
  driver_ = std::make_unique<platform::TunnelDriver>(
      std::move(parts),
      platform::TunnelDriver::Callbacks{[this](const engine::ClientEvent& event) { engine_event(event); },
                                        [this](const Error& error) { device_gone(error); }});
  driver_->start();
}

void Tunnel::Inside::engine_event(const engine::ClientEvent& event) {
  using Kind = engine::ClientEvent::Kind;
  if (failure_ || state_ == TunnelState::kGoingDown) return;
  switch (event.kind) {
    case Kind::kDial: return dial();
    case Kind::kHelloNumber: return hello_.keep(event.number);
    case Kind::kLinkUp: return link_up();
    case Kind::kRefused:
      if (state_ == TunnelState::kComingUp) fail(event.error);
      return;
    case Kind::kLinkDown: return link_lost(event.error);
    case Kind::kEcho:
      if (state_ != TunnelState::kComingUp || event.token != kEchoToken) return;
      report("echo", milliseconds(event.elapsed) + " there and back");
      return ask_cluster();
    case Kind::kClusterAnswer: return cluster_answered(event);
    case Kind::kCatalogue:
    case Kind::kInterceptReady:
    case Kind::kInterceptWaiting:
    case Kind::kInterceptEnded: return intercept_event(event);
    default: return;  // the driver's own
  }
}

void Tunnel::Inside::dial() {
  auto dialled = [this](Result<platform::GatewayDialler::Dialled> result) {
    if (!result) return driver_->dial_failed(result.error());
    if (state_ == TunnelState::kComingUp && step_ == std::string_view("gateway")) {
      step_began_ -= std::exchange(resolving_, {});
      report("gateway", result->text);
      step_ = "link";
    }
    driver_->carrier_connected(std::move(result->socket));
  };
  if (!std::exchange(dialled_, true)) return dialler_.dial(dialled);
  // Since the last time the machine may have moved to another network, with other servers and another answer.
  platform::MachineResolver machine = look_at_machine();
  driver_->set_dns_servers(machine.servers);
  dialler_.resolve(machine, [this, dialled] { dialler_.dial(dialled); });
}

void Tunnel::Inside::link_up() {
  dialler_.start_over();
  if (state_ == TunnelState::kReconnecting) {
    state_ = TunnelState::kUp;
    spdlog::info("{}: the link is up again, through {}", profile_.name, dialler_.last());
    return tell_changed();
  }
  report("link",
         "gateway key " + noise::fingerprint(profile_.gateway_key) + (keys_.psk ? ", with the pre-shared key" : ""));
  step_ = "echo";
  patience_.set(boot_now() + kEchoPatience);
  driver_->echo(kEchoToken);
}

void Tunnel::Inside::link_lost(const Error& error) {
  last_error_ = error.message;
  if (state_ == TunnelState::kComingUp) {
    // The engine dials again by itself. That is of use only where another gateway is to be tried.
    if (step_ != std::string_view("link") || dialler_.skip()) return fail(error);
    step_began_ = boot_now();
    step_ = "gateway";
    return;
  }
  if (state_ != TunnelState::kUp) {
    dialler_.skip();
    return;
  }
  state_ = TunnelState::kReconnecting;
  spdlog::warn("{}: the link is down: {}", profile_.name, platform::printable(error.message));
  tell_changed();
}

void Tunnel::Inside::ask_cluster() {
  step_ = "dns";
  asked_ = 0;
  auto question = dns::prove_cluster_dns(profile_.dns.domain, runtime_.random);
  if (!question) return fail(question.error());
  proof_ = std::move(*question);
  patience_over();
}

void Tunnel::Inside::patience_over() {
  if (step_ == std::string_view("echo")) {
    return fail({ErrorCode::kTimedOut, "the gateway did not answer our echo within 5 s",
                 "the connection to it is slow or broken"});
  }
  if (asked_ == kDnsTries) {
    return fail({ErrorCode::kTimedOut, "the cluster's DNS does not answer",
                 "is a DNS server reachable from the gateway? see dns in its configuration"});
  }
  ++asked_;
  patience_.set(boot_now() + kDnsPatience);
  driver_->ask_cluster(kEchoToken + asked_, proof_->message);
}

void Tunnel::Inside::cluster_answered(const engine::ClientEvent& event) {
  if (state_ != TunnelState::kComingUp || step_ != std::string_view("dns")) return;
  if (event.message.empty()) {
    Error error = event.error;
    error.advice = "is a DNS server reachable from the gateway? see dns in its configuration";
    return fail(error);
  }
  auto proof = dns::check_proof(*proof_, event.message);
  if (!proof) return fail(proof.error());
  std::string detail = proof->rcode_text + " for " + proof_->question.name.text();
  if (!proof->serves_domain) {
    detail +=
        ": a DNS server answers there, but not for " + profile_.dns.domain + "; compare dns.domain in the profile";
  }
  report("dns", std::move(detail));
  take_over_resolver();
}

void Tunnel::Inside::take_over_resolver() {
  step_ = "resolver";
  platform::ResolverRequest request;
  request.profile = profile_.name;
  request.servers = addresses_.stub;
  request.take_over = profile_.dns.take_over;
  auto machine = runtime_.host->set_resolver(request);
  if (!machine) return fail(machine.error());
  driver_->set_dns_servers(machine->servers);
  // Where the machine's resolver is left alone, others' names are as well.
  if (profile_.dns.take_over) driver_->join_names();
  resolver_ = machine->how;
  report("resolver", machine->how);
  limit_.set(kNever);
  patience_.set(kNever);
  state_ = TunnelState::kUp;
  up_since_ = boot_now();
  for (Waiter& waiter : std::exchange(up_waiters_, {})) {
    if (waiter.done) tell([done = std::move(waiter.done)] { done(std::nullopt); });
  }
}

void Tunnel::Inside::fail(const Error& error) {
  if (failure_) return;
  failure_ = to_failure(error, step_);
  limit_.set(kNever);
  patience_.set(kNever);
  dialler_.cancel();
  undo_.ask();
}

// At a turn's end, so that no caller's object goes under its feet.
void Tunnel::Inside::undo() {
  if (driver_) driver_->stop_now();
  gone_down();
  if (!failure_) tell_changed();
}

}  // namespace causeway

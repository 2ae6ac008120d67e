#include <algorithm>

#include "platform/client/profile_key.h"
#include "platform/client/tunnel_inside.h"
#include "platform/log.h"
#include "platform/loop/clock.h"

namespace causeway {
namespace {

Result<Secret<32>> key_of(platform::Host& host, const std::string& folder, const std::optional<std::string>& text,
                          const std::string& path) {
  if (!text) return platform::read_profile_key(host, folder, path);
  auto key = noise::parse_key(*text);
  if (!key) return fail(ErrorCode::kInvalid, path + " holds no key", "make one with `tunctl keygen`");
  return *key;
}

Result<dns::Rules> rules_of(const config::Profile& profile) {
  dns::RulesConfig rules;
  rules.profile = profile.name;
  rules.cluster_domain = profile.dns.domain;
  rules.namespaces = profile.dns.namespaces;
  rules.short_namespace = profile.dns.short_namespace;
  rules.routes = profile.routes;
  rules.include = profile.dns.include;
  rules.exclude = profile.dns.exclude;
  for (const config::DnsMapping& each : profile.dns.mappings) {
    rules.mappings.push_back({each.name, each.alias, each.address});
  }
  return dns::Rules::create(rules);
}

std::string count(std::size_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

}  // namespace

Result<Tunnel::Inside::Keys> Tunnel::Inside::read_keys(Runtime::Inside& runtime, const config::Profile& profile,
                                                       const Profile& given) {
  const std::string& folder = runtime.options.profiles_directory;
  auto own = key_of(*runtime.host, folder, given.key, profile.key_file);
  if (!own) return tl::make_unexpected(std::move(own.error()));
  Keys keys;
  noise::KeyPair pair = noise::from_private(*own);
  keys.own = {pair.private_key, pair.public_key};
  if (given.psk || !profile.psk_file.empty()) {
    auto psk =
        key_of(*runtime.host, folder, given.psk, profile.psk_file.empty() ? "the pre-shared key" : profile.psk_file);
    if (!psk) return tl::make_unexpected(std::move(psk.error()));
    keys.psk = *psk;
  }
  return keys;
}

std::unique_ptr<Tunnel> Tunnel::create(Runtime& runtime, const Profile& given, Failure& failure) {
  Instant began = platform::boot_now();
  auto no = [&](const Error& error) {
    failure = to_failure(error, "profile");
    return nullptr;
  };
  auto profile = config::parse_profile(given.toml, given.source);
  if (!profile) return no(profile.error());
  if (!given.name.empty()) profile->name = given.name;
  auto keys = Inside::read_keys(*runtime.inside_, *profile, given);
  if (!keys) return no(keys.error());
  auto rules = rules_of(*profile);
  if (!rules) return no(rules.error());
  Step made{
      "profile",
      {},
      given.source + ", " + count(profile->gateways.size(), "gateway") + ", " + count(profile->routes.size(), "route")};
  made.took = std::chrono::duration_cast<std::chrono::microseconds>(platform::boot_now() - began);
  return std::unique_ptr<Tunnel>(new Tunnel(std::make_unique<Inside>(
      *runtime.inside_, std::move(*profile), std::move(*keys), std::move(*rules), std::move(made))));
}

Tunnel::Tunnel(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Tunnel::~Tunnel() = default;

void Tunnel::up(std::function<void(const Step&)> step, std::function<void(const std::optional<Failure>&)> done) {
  inside_->up(std::move(step), std::move(done));
}
void Tunnel::down(std::function<void(const std::vector<std::string>&)> done) { inside_->down(std::move(done)); }
TunnelStatus Tunnel::status() const { return inside_->status(); }
void Tunnel::on_change(std::function<void(const TunnelStatus&)> changed) { inside_->changed_ = std::move(changed); }

Tunnel::Inside::Inside(Runtime::Inside& runtime, config::Profile profile, Keys keys, dns::Rules rules, Step made)
    : runtime_(runtime),
      profile_(std::move(profile)),
      keys_(std::move(keys)),
      rules_(std::move(rules)),
      made_(std::move(made)),
      hello_(runtime.options.state_directory, keys_.own.public_key),
      dialler_(runtime.loop, profile_.gateways, profile_.routes),
      undo_(runtime.loop, [this] { undo(); }),
      limit_(runtime.loop,
             [this] {
               fail({ErrorCode::kTimedOut, "it did not come up within 15 s",
                     last_error_.empty() ? "" : "last: " + last_error_});
             }),
      patience_(runtime.loop, [this] { patience_over(); }) {}

Tunnel::Inside::~Inside() {
  if (driver_) driver_->stop_now();
  detach();
}

void Tunnel::Inside::tell(std::function<void()> call) {
  runtime_.loop.post([alive = std::weak_ptr<int>(alive_), call = std::move(call)] {
    if (!alive.expired()) call();
  });
}

void Tunnel::Inside::tell_changed() {
  if (!changed_) return;
  tell([this] {
    auto changed = changed_;  // it may destroy the tunnel
    if (changed) changed(status());
  });
}

void Tunnel::Inside::down(DownDone done) {
  down_waiters_.push_back(std::move(done));
  switch (state_) {
    case TunnelState::kDown: return gone_down();
    case TunnelState::kComingUp: return fail({ErrorCode::kConflict, "it was taken down while it came up", {}});
    case TunnelState::kUp:
    case TunnelState::kReconnecting:
      state_ = TunnelState::kGoingDown;
      dialler_.cancel();
      return driver_->stop([this] { gone_down(); });
    case TunnelState::kGoingDown: return;
  }
}

// Ends everything that attach() began; gives the lines for who asked to go down. The device is removed by the host, and closed
// here only then, so that what is told is what was done.
std::vector<std::string> Tunnel::Inside::detach() {
  dialler_.cancel();
  state_ = TunnelState::kDown;
  std::vector<std::string> lines;
  if (driver_) driver_->end_names();
  if (std::exchange(attached_, false)) {
    auto undone = runtime_.host->detach(profile_.name);
    runtime_.slots.give_back(slot_);
    runtime_.attached.erase(profile_.name);
    if (undone) {
      lines = std::move(*undone);
    } else {
      spdlog::error("{}: not everything could be undone: {}", profile_.name, undone.error().message);
      lines.push_back("not everything could be undone: " + undone.error().message);
    }
  }
  watch_.reset();
  driver_.reset();
  end_intercepts();
  return lines;
}

void Tunnel::Inside::gone_down() {
  std::vector<std::string> lines = detach();
  if (failure_) {
    for (Waiter& waiter : std::exchange(up_waiters_, {})) {
      if (waiter.done) tell([done = std::move(waiter.done), failure = failure_] { done(failure); });
    }
  }
  for (DownDone& done : std::exchange(down_waiters_, {})) {
    if (done) tell([done = std::move(done), lines] { done(lines); });
  }
}

void Tunnel::Inside::device_gone(const Error& error) {
  if (state_ == TunnelState::kComingUp) return fail(error);
  if (state_ == TunnelState::kGoingDown) return;
  last_error_ = error.message;
  state_ = TunnelState::kGoingDown;
  undo_.ask();
}

}  // namespace causeway

#include "tests/tools/fake_tunnel.h"

#include <map>
#include <sstream>

#include "platform/loop/loop.h"

namespace causeway {
namespace {

using namespace std::chrono_literals;

FailureKind kind_of(const std::string& word) {
  static const std::map<std::string, FailureKind> kKinds{
      {"invalid", FailureKind::kInvalid},         {"permission", FailureKind::kPermission},
      {"unavailable", FailureKind::kUnavailable}, {"refused", FailureKind::kRefused},
      {"timed_out", FailureKind::kTimedOut},      {"conflict", FailureKind::kConflict}};
  auto found = kKinds.find(word);
  return found == kKinds.end() ? FailureKind::kSystem : found->second;
}

struct Fake {
  using Done = std::function<void(const std::optional<Failure>&)>;

  Fake(Runtime& made_in, Tunnel::Profile given) : runtime(made_in), profile(std::move(given)) {
    all()[profile.name] = this;
  }
  ~Fake() { all().erase(profile.name); }

  static std::map<std::string, Fake*>& all() {
    static std::map<std::string, Fake*> tunnels;
    return tunnels;
  }

  // Never after the tunnel is gone, as the real one.
  void later(std::function<void()> work) {
    runtime.post([alive = std::weak_ptr<int>(alive), work = std::move(work)] {
      if (!alive.expired()) work();
    });
  }

  void finish(const std::optional<Failure>& failure) {
    state = failure ? TunnelState::kDown : TunnelState::kUp;
    later([done = std::exchange(up_done, nullptr), failure] { done(failure); });
  }

  TunnelStatus status() const {
    TunnelStatus out;
    out.profile = profile.name;
    out.state = state;
    out.last_error = last_error;
    if (state == TunnelState::kDown) return out;
    out.device = "cw-" + profile.name;
    out.gateway = "10.77.0.1:7700";
    out.own_key = profile.key.value_or("");
    out.round_trip = 1500us;
    out.up_for = 61s;
    out.icmp = "available";
    out.cipher = "ChaCha20-Poly1305 by hand";
    out.routes = {"10.96.0.0/16", "fd00:96::/112"};
    out.counters = {{"packets_out", 7}, {"packets_in", 5}};
    return out;
  }

  Runtime& runtime;
  Tunnel::Profile profile;
  TunnelState state = TunnelState::kDown;
  std::string last_error;
  Done up_done;
  std::function<void(const TunnelStatus&)> changed;
  std::shared_ptr<int> alive = std::make_shared<int>();
};

void change(const std::string& profile, TunnelState state, const std::string& why) {
  Fake& fake = *Fake::all().at(profile);
  fake.state = state;
  fake.last_error = why;
  fake.later([&fake] { fake.changed(fake.status()); });
}

}  // namespace

struct Runtime::Inside {
  platform::Loop loop;
};

std::unique_ptr<Runtime> Runtime::create(const Options&, Failure&) {
  return std::unique_ptr<Runtime>(new Runtime(std::make_unique<Inside>()));
}
Runtime::Runtime(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Runtime::~Runtime() = default;
void Runtime::run() { inside_->loop.run(); }
void Runtime::stop() { inside_->loop.stop(); }
void Runtime::post(std::function<void()> work) { inside_->loop.post(std::move(work)); }
platform::Loop& Runtime::loop() { return inside_->loop; }

struct Tunnel::Inside : Fake {
  using Fake::Fake;
};

std::unique_ptr<Tunnel> Tunnel::create(Runtime& runtime, const Profile& profile, Failure& failure) {
  if (profile.toml.rfind("invalid ", 0) == 0) {
    failure = {FailureKind::kInvalid, "profile", profile.source + ":1:1: " + profile.toml.substr(8), ""};
    return nullptr;
  }
  return std::unique_ptr<Tunnel>(new Tunnel(std::make_unique<Inside>(runtime, profile)));
}

Tunnel::Tunnel(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Tunnel::~Tunnel() = default;

void Tunnel::up(std::function<void(const Step&)> step, std::function<void(const std::optional<Failure>&)> done) {
  inside_->state = TunnelState::kComingUp;
  inside_->up_done = std::move(done);
  inside_->later([step] { step({"profile", 100us, "read"}); });
  inside_->later([step, name = inside_->profile.name] { step({"device", 4100us, "cw-" + name}); });
  std::string toml = inside_->profile.toml;
  if (toml == "hang") return;
  inside_->later([this, toml] {
    if (!inside_->up_done) return;
    if (toml.rfind("ok", 0) == 0) return inside_->finish(std::nullopt);
    std::istringstream words(toml);
    std::string at, kind, text;
    std::getline(words >> at >> kind >> std::ws, text);
    inside_->finish(Failure{kind_of(kind), at, text, "do something about it"});
  });
}

void Tunnel::down(std::function<void(const std::vector<std::string>&)> done) {
  if (inside_->up_done)
    inside_->finish(Failure{FailureKind::kConflict, "gateway", "it was taken down while it came up", ""});
  inside_->state = TunnelState::kGoingDown;
  inside_->later([this, done] {
    inside_->state = TunnelState::kDown;
    done({"cw-" + inside_->profile.name + " removed"});
  });
}

TunnelStatus Tunnel::status() const { return inside_->status(); }
void Tunnel::on_change(std::function<void(const TunnelStatus&)> changed) { inside_->changed = std::move(changed); }

const char* version() { return "9.8.7"; }

namespace fake {

void lose_link(const std::string& profile, const std::string& why) { change(profile, TunnelState::kReconnecting, why); }
void find_link(const std::string& profile) { change(profile, TunnelState::kUp, ""); }
void die(const std::string& profile, const std::string& why) { change(profile, TunnelState::kDown, why); }
int living() { return int(Fake::all().size()); }

}  // namespace fake

}  // namespace causeway

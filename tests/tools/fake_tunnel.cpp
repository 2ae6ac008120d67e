#include "tests/tools/fake_tunnel.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "core/control/catalogue.h"
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

  // "ok orders:http cache:tcp"
  control::Catalogue catalogue(const std::string& only) const {
    control::Catalogue out;
    std::istringstream words(profile.toml);
    for (std::string word; words >> word;) {
      std::size_t colon = word.find(':');
      if (colon == std::string::npos || (!only.empty() && word.substr(0, colon) != only)) continue;
      control::CatalogueService service;
      service.name = word.substr(0, colon);
      service.http = word.substr(colon + 1) == "http";
      service.listen = {"10.96.0.10:" + std::to_string(port)};
      service.original = service.name + "-v1:80";
      service.intercepts.push_back({"bob", false, {{"x-user", "bob"}}, "", "active", 60s, 3, 0, "", 1s, {}});
      for (const auto& [id, own] : own_intercepts) {
        if (own.status.spec.service != service.name) continue;
        service.intercepts.push_back(
            {"anna", true, own.status.spec.headers, own.status.spec.path_prefix, "active", 5s, 12, 1, "", {}, {}});
      }
      if (!only.empty())
        service.environment =
            environment::Variables{{"DB_HOST", "db.shop"}, {"CERT", "two\nlines"}, {"LD_PRELOAD", "/x.so"}};
      out.services.push_back(std::move(service));
    }
    return out;
  }

  struct Own {
    InterceptStatus status;
    Tunnel::InterceptTold told;
  };
  Own& of_service(const std::string& service) {
    auto found = std::find_if(own_intercepts.begin(), own_intercepts.end(),
                              [&](const auto& each) { return each.second.status.spec.service == service; });
    return found->second;
  }
  void tell_intercept(std::uint64_t id, InterceptState now, const std::string& error) {
    auto found = own_intercepts.find(id);
    if (found == own_intercepts.end()) return;
    found->second.status.state = now;
    found->second.status.last_error = error;
    if (now == InterceptState::kReady) found->second.status.round_trip = 1200us;
    later([told = found->second.told.changed, status = found->second.status] { told(status); });
  }
  void end_intercept(std::uint64_t id, Failure why) {
    auto node = own_intercepts.extract(id);
    if (!node.empty()) later([told = node.mapped().told.ended, why] { told(why); });
  }

  static inline int port = 80;  // of every service
  Runtime& runtime;
  Tunnel::Profile profile;
  std::map<std::uint64_t, Own> own_intercepts;
  std::uint64_t last_intercept = 0;
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
    while (!inside_->own_intercepts.empty())
      inside_->end_intercept(inside_->own_intercepts.begin()->first,
                             {FailureKind::kUnavailable, "intercept", "it went down", ""});
    done({"cw-" + inside_->profile.name + " removed"});
  });
}

std::uint64_t Tunnel::intercept(const InterceptSpec& spec, InterceptTold told, Failure&) {
  std::uint64_t id = ++inside_->last_intercept;
  InterceptStatus status;
  status.id = id;
  status.spec = spec;
  inside_->own_intercepts[id] = {status, std::move(told)};
  if (spec.service == "taken") {
    inside_->end_intercept(id, {FailureKind::kConflict, "intercept", "taken is intercepted by bob", ""});
  } else if (spec.service != "hang") {
    inside_->tell_intercept(id, InterceptState::kReady, "");
  }
  return id;
}

void Tunnel::leave(std::uint64_t intercept) { inside_->own_intercepts.erase(intercept); }

std::vector<InterceptStatus> Tunnel::intercepts() const {
  std::vector<InterceptStatus> out;
  for (const auto& [id, own] : inside_->own_intercepts) out.push_back(own.status);
  return out;
}

void Tunnel::ask_catalogue(const std::string& service, CatalogueTold done) {
  if (inside_->state != TunnelState::kUp) {
    Failure down{FailureKind::kUnavailable, "intercept", "the link is down", ""};
    return inside_->later([done, down] { done({}, down); });
  }
  inside_->later([done, document = control::encode(inside_->catalogue(service))] { done(document, std::nullopt); });
}

TunnelStatus Tunnel::status() const { return inside_->status(); }
void Tunnel::on_change(std::function<void(const TunnelStatus&)> changed) { inside_->changed = std::move(changed); }

const char* version() { return "9.8.7"; }

namespace fake {

void lose_link(const std::string& profile, const std::string& why) { change(profile, TunnelState::kReconnecting, why); }
void find_link(const std::string& profile) { change(profile, TunnelState::kUp, ""); }
void die(const std::string& profile, const std::string& why) { change(profile, TunnelState::kDown, why); }
void lose_intercept(const std::string& profile, const std::string& service) {
  Fake& fake = *Fake::all().at(profile);
  fake.tell_intercept(fake.of_service(service).status.id, InterceptState::kWaiting, "the link is down");
}
void find_intercept(const std::string& profile, const std::string& service) {
  Fake& fake = *Fake::all().at(profile);
  fake.tell_intercept(fake.of_service(service).status.id, InterceptState::kReady, "");
}
void free_intercept(const std::string& profile, const std::string& service, const std::string& why) {
  Fake& fake = *Fake::all().at(profile);
  fake.end_intercept(fake.of_service(service).status.id, {FailureKind::kRefused, "intercept", why, ""});
}
int intercepts(const std::string& profile) { return int(Fake::all().at(profile)->own_intercepts.size()); }
void services_listen_on(int port) { Fake::port = port; }

int living() { return int(Fake::all().size()); }

}  // namespace fake

}  // namespace causeway

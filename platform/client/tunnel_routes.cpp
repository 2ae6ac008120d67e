// The routes of a tunnel, before it is up and while it is: what is in their way, and what follows from it.
#include <algorithm>

#include "platform/client/tunnel_inside.h"
#include "platform/log.h"
#include "platform/loop/clock.h"

namespace causeway {
namespace {

using packet::Cidr;

// What another program takes away is put back so often; then it is left, as a war helps nobody.
constexpr std::size_t kRepairs = 3;
constexpr Duration kRepairsWithin = std::chrono::minutes(1);

bool has(const std::vector<Cidr>& list, const Cidr& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

}  // namespace

Result<std::vector<platform::RouteConflict>> Tunnel::Inside::find_conflicts() const {
  return runtime_.host->conflicts({profile_.name, profile_.routes, profile_.include, profile_.exclude});
}

void Tunnel::Inside::decide(const std::vector<platform::RouteConflict>& conflicts) {
  std::vector<Cidr> possible;
  for (const auto* list : {&profile_.routes, &profile_.include}) {
    for (const Cidr& each : *list) {
      bool family = std::any_of(addresses_.own.begin(), addresses_.own.end(), [&](const packet::Address& own) {
        return own.is_v4() == each.network().is_v4();
      });
      if (family) possible.push_back(each);
    }
  }
  decision_ = platform::decide_routes(profile_.conflict, possible, conflicts, map_.ranges());
  std::vector<Cidr> except = profile_.exclude;
  except.insert(except.end(), profile_.include.begin(), profile_.include.end());
  map_.set_prefixes(decision_.hidden, std::move(except));
  // Once routed they stay so: what was handed out is good until the end.
  ranges_routed_ |= !decision_.hidden.empty();
}

std::vector<Cidr> Tunnel::Inside::wanted_routes() const {
  std::vector<Cidr> routes = decision_.routed;
  if (ranges_routed_) routes.insert(routes.end(), map_.ranges().begin(), map_.ranges().end());
  for (const packet::Address& stub : addresses_.stub) routes.emplace_back(stub, stub.bits());
  return routes;
}

void Tunnel::Inside::list_routes(const std::vector<Cidr>& left_out) {
  routes_.clear();
  skipped_.clear();
  for (const auto* list : {&profile_.routes, &profile_.include}) {
    for (const Cidr& each : *list) {
      bool there = has(decision_.routed, each) && !has(left_out, each);
      if (there) routes_.push_back(each.text());
      if (!there && !has(decision_.hidden, each)) skipped_.push_back(each.text());
    }
  }
  if (!ranges_routed_) return;
  for (const Cidr& each : map_.ranges()) routes_.push_back(each.text());
}

void Tunnel::Inside::watch_network() {
  auto watch = platform::RouteWatch::create(runtime_.loop, [this] { network_changed(); });
  if (!watch) return spdlog::warn("{}: {}", profile_.name, watch.error().message);
  watch_ = std::move(*watch);
}

void Tunnel::Inside::network_changed() {
  if (!attached_ || !driver_ || failure_ || state_ == TunnelState::kGoingDown) return;
  auto conflicts = find_conflicts();
  if (!conflicts) return spdlog::warn("{}: {}", profile_.name, conflicts.error().message);
  const platform::RouteDecision before = decision_;
  decide(*conflicts);
  auto tell = [this](const std::vector<std::string>& those, const std::vector<std::string>& but, const char* what) {
    for (const std::string& each : those) {
      bool known = std::find(but.begin(), but.end(), each) != but.end();
      if (!known) spdlog::warn("{}: {}{}", profile_.name, what, each);
    }
  };
  tell(decision_.conflicts, before.conflicts, "");
  tell(before.conflicts, decision_.conflicts, "no longer: ");
  // Before the routes go: afterwards the machine may not take resets that come from there.
  if (decision_.hidden != before.hidden) driver_->end_hidden_flows();
  change_routes();
  driver_->network_changed();
}

void Tunnel::Inside::change_routes() {
  Instant now = platform::boot_now();
  std::erase_if(repairs_, [&](Instant each) { return now - each >= kRepairsWithin; });
  bool repair = repairs_.size() < kRepairs;
  auto changed = runtime_.host->change_routes(
      {profile_.name, wanted_routes(), profile_.exclude, dialler_.addresses(), repair});
  if (!changed) {
    spdlog::warn("{}: its routes are not as they should be: {}", profile_.name, changed.error().message);
    return;
  }
  list_routes(left_out_);
  if (changed->lost.empty()) return;
  std::string lost = fmt::format("{}", fmt::join(changed->lost, ", "));
  if (repair) {
    repairs_.push_back(now);
    spdlog::warn("{}: another program took away: {}; put back", profile_.name, lost);
  } else {
    spdlog::error("{}: another program keeps taking away: {}; left so for a minute", profile_.name, lost);
  }
}

}  // namespace causeway

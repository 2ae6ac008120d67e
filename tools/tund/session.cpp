#include "tools/tund/session.h"

#include <algorithm>
#include <utility>

#include "platform/control/user_name.h"
#include "platform/log.h"
#include "platform/loop/clock.h"
#include "tools/tund/answers.h"

namespace causeway::tund {
namespace {

// How long a repeated `up` waits for a link that is being dialled again.
constexpr Duration kLinkPatience = std::chrono::seconds(10);

}  // namespace

Session::Session(Runtime& runtime, std::unique_ptr<Tunnel> tunnel, const Tunnel::Profile& profile, control::Owner owner,
                 Send send, std::function<void(std::string)> gone)
    : runtime_(runtime),
      tunnel_(std::move(tunnel)),
      name_(profile.name),
      toml_(profile.toml),
      owner_(owner),
      send_(std::move(send)),
      gone_(std::move(gone)),
      intercepts_(runtime, *tunnel_, name_, send_),
      patience_(runtime.loop(), [this] {
        control::ErrorAnswer error{ErrorCode::kUnavailable, "gateway",
                                   name_ + " is up, but its link is down: " + status().last_error,
                                   "it is dialled again by itself; `tunctl down " + name_ + "` gives it up"};
        for (const Waiter& waiter : std::exchange(link_waiters_, {})) send_(waiter.caller, error);
      }) {
  tunnel_->on_change([this](const TunnelStatus& status) { changed(status); });
}

void Session::up(platform::CallerId caller, const control::Asker& asker, const std::string& toml) {
  switch (phase_) {
    case Phase::kNew: up_waiters_.push_back({caller, asker.user, control::UpOutcome::kUp}); return begin();
    case Phase::kComingUp:
      for (const Step& step : steps_) send_(caller, to_answer(step));
      up_waiters_.push_back({caller, asker.user, control::UpOutcome::kJoined});
      return;
    case Phase::kUp:
      if (status().state == TunnelState::kReconnecting) {
        if (link_waiters_.empty()) patience_.set(platform::boot_now() + kLinkPatience);
        link_waiters_.push_back({caller, asker.user, control::UpOutcome::kAlreadyUp});
        return;
      }
      return send_(caller,
                   control::UpAnswer{name_, control::UpOutcome::kAlreadyUp, {}, note(toml), owner_but(asker.user)});
    case Phase::kGoingDown:
      return send_(caller,
                   control::ErrorAnswer{ErrorCode::kConflict, "", name_ + " is going down", "try again in a second"});
  }
}

void Session::begin() {
  phase_ = Phase::kComingUp;
  began_ = platform::boot_now();
  tunnel_->up([this](const Step& step) { stepped(step); },
              [this](const std::optional<Failure>& failure) { failure ? failed(*failure) : came_up(); });
}

void Session::stepped(const Step& step) {
  steps_.push_back(step);
  spdlog::debug("{}: {} in {} us: {}", name_, step.name, step.took.count(), platform::printable(step.detail));
  for (const Waiter& waiter : up_waiters_) send_(waiter.caller, to_answer(step));
}

void Session::came_up() {
  if (phase_ != Phase::kComingUp) return;  // taken down at the last moment
  phase_ = Phase::kUp;
  auto took = std::chrono::duration_cast<std::chrono::microseconds>(platform::boot_now() - began_);
  spdlog::info("{}: up in {} ms, through {}", name_, took.count() / 1000, platform::printable(status().gateway));
  steps_.clear();
  for (const Waiter& waiter : std::exchange(up_waiters_, {})) {
    send_(waiter.caller, control::UpAnswer{name_, waiter.outcome, took, "", owner_but(waiter.user)});
  }
}

void Session::failed(const Failure& failure) {
  spdlog::warn("{}: not up: {}: {}", name_, failure.step, platform::printable(failure.message));
  answer_waiters(to_answer(failure));
  // Taken down while it came up: went_down() follows.
  if (phase_ == Phase::kComingUp) end(failure.message);
}

void Session::changed(const TunnelStatus& status) {
  switch (status.state) {
    case TunnelState::kUp:
      for (const Waiter& waiter : std::exchange(link_waiters_, {})) {
        send_(waiter.caller,
              control::UpAnswer{
                  name_, waiter.outcome, {}, "its link was down, and has just come up again", owner_but(waiter.user)});
      }
      return patience_.set(kNever);
    case TunnelState::kDown:
      // It ended by itself: its device is gone, or the gateway wants us no more.
      if (phase_ != Phase::kUp) return;
      spdlog::error("{}: ended: {}", name_, platform::printable(status.last_error));
      return end(status.last_error);
    default: return;
  }
}

void Session::down(platform::CallerId caller) {
  down_waiters_.push_back(caller);
  take_down();
}

void Session::down() { take_down(); }

void Session::take_down() {
  if (phase_ == Phase::kGoingDown) return;
  phase_ = Phase::kGoingDown;
  tunnel_->down([this](const std::vector<std::string>& lines) { went_down(lines); });
}

void Session::went_down(const std::vector<std::string>& lines) {
  spdlog::info("{}: down", name_);
  for (const std::string& line : lines) spdlog::debug("{}: {}", name_, platform::printable(line));
  for (platform::CallerId caller : std::exchange(down_waiters_, {}))
    send_(caller, control::DownAnswer{name_, true, lines});
  end("");
}

void Session::forget(platform::CallerId caller) {
  std::erase(down_waiters_, caller);
  std::erase_if(link_waiters_, [&](const Waiter& waiter) { return waiter.caller == caller; });
  intercepts_.forget(caller);
  auto removed = std::erase_if(up_waiters_, [&](const Waiter& waiter) { return waiter.caller == caller; });
  if (removed == 0 || phase_ != Phase::kComingUp) return;
  if (!up_waiters_.empty()) {
    bool left = std::none_of(up_waiters_.begin(), up_waiters_.end(),
                             [&](const Waiter& waiter) { return owner_ == waiter.user; });
    if (owner_ && left) owner_ = up_waiters_.front().user;
    return;
  }
  spdlog::info("{}: nobody waits for it any more: given up", name_);
  take_down();
}

void Session::answer_waiters(const control::Answer& answer) {
  for (const Waiter& waiter : std::exchange(up_waiters_, {})) send_(waiter.caller, answer);
}

void Session::end(std::string last_error) {
  phase_ = Phase::kGoingDown;
  control::ErrorAnswer ended{ErrorCode::kUnavailable, "gateway",
                             name_ + " has gone down" + (last_error.empty() ? "" : ": " + last_error),
                             "`tunctl up " + name_ + "` brings it up again"};
  answer_waiters(ended);
  intercepts_.end(last_error);
  for (const Waiter& waiter : std::exchange(link_waiters_, {})) send_(waiter.caller, ended);
  for (platform::CallerId caller : std::exchange(down_waiters_, {}))
    send_(caller, control::DownAnswer{name_, true, {}});
  // The tunnel may be calling: it goes in a later turn.
  runtime_.post([this, alive = std::weak_ptr<int>(alive_), last_error = std::move(last_error)] {
    if (!alive.expired()) gone_(last_error);
  });
}

std::string Session::owner_name() const { return owner_ ? platform::user_name(*owner_) : ""; }

std::string Session::owner_but(std::uint32_t user) const { return owner_ == user ? "" : owner_name(); }

std::string Session::note(const std::string& toml) const {
  if (toml == toml_) return {};
  return "it is up with an older version of the profile; `tunctl down " + name_ +
         "` and `tunctl up` again apply the new one";
}

}  // namespace causeway::tund

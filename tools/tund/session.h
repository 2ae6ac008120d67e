// One profile that tund was asked to bring up, and those who wait for it.
//
//   coming up --done--> up --link lost, found again--> up
//       |               |
//       +---- down() ---+--> going down --> gone
//
// Whoever asks for `up` meanwhile joins: it gets the steps so far and the same end. A session that is gone is destroyed by its owner.
#pragma once

#include <causeway/tunnel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/control/rights.h"
#include "platform/control/server.h"
#include "platform/loop/loop.h"
#include "tools/tund/intercepts.h"

namespace causeway::tund {

class Session {
 public:
  using Send = std::function<void(platform::CallerId, const control::Answer&)>;
  // `gone(last_error)` comes once, when nothing of the tunnel is left: never inside a call of this class.
  Session(Runtime& runtime, std::unique_ptr<Tunnel> tunnel, const Tunnel::Profile& profile, control::Owner owner,
          Send send, std::function<void(std::string last_error)> gone);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Answers now or later. `toml`: the profile as the caller means it.
  void up(platform::CallerId caller, const control::Asker& asker, const std::string& toml);
  void down(platform::CallerId caller);
  // For the daemon's own end.
  void down();
  // The caller waits no more. An `up` that nobody waits for is given up.
  void forget(platform::CallerId caller);

  Intercepts& intercepts() { return intercepts_; }
  const Intercepts& intercepts() const { return intercepts_; }

  // Who brought it up. When he gives up before it is, it becomes the next one's who waits for it.
  const control::Owner& owner() const { return owner_; }
  // Empty where it is nobody's.
  std::string owner_name() const;

  bool going_down() const { return phase_ == Phase::kGoingDown; }
  TunnelStatus status() const { return tunnel_->status(); }

 private:
  enum class Phase { kNew, kComingUp, kUp, kGoingDown };
  struct Waiter {
    platform::CallerId caller;
    std::uint32_t user;
    control::UpOutcome outcome;
  };

  void begin();
  void stepped(const Step& step);
  void came_up();
  void failed(const Failure& failure);
  void changed(const TunnelStatus& status);
  void take_down();
  void went_down(const std::vector<std::string>& lines);
  void answer_waiters(const control::Answer& answer);
  void end(std::string last_error);
  std::string note(const std::string& toml) const;
  // Empty where it is the user's own.
  std::string owner_but(std::uint32_t user) const;

  Runtime& runtime_;
  std::unique_ptr<Tunnel> tunnel_;
  std::string name_, toml_;
  control::Owner owner_;
  Send send_;
  std::function<void(std::string)> gone_;
  Intercepts intercepts_;
  Phase phase_ = Phase::kNew;
  Instant began_{};
  std::vector<Step> steps_;
  std::vector<Waiter> up_waiters_;    // while coming up
  std::vector<Waiter> link_waiters_;  // while the link is dialled again
  std::vector<platform::CallerId> down_waiters_;
  platform::Timer patience_;  // of link_waiters_
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace causeway::tund

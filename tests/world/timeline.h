// Virtual time: what is to happen when, in a fixed order where it is the same moment.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "core/base/time.h"

namespace causeway::world {

class Timeline {
 public:
  Instant now() const { return now_; }

  void at(Instant when, std::function<void()> what) { todo_.emplace(std::max(when, now_), std::move(what)); }
  void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  Instant next() const { return todo_.empty() ? kNever : todo_.begin()->first; }
  void advance_to(Instant when) { now_ = std::max(now_, when); }

  void clear() { todo_.clear(); }

  // Carries out what is due. True if anything was.
  bool run_due() {
    bool any = false;
    while (!todo_.empty() && todo_.begin()->first <= now_) {
      auto what = std::move(todo_.begin()->second);
      todo_.erase(todo_.begin());
      what();
      any = true;
    }
    return any;
  }

 private:
  Instant now_{std::chrono::hours(1)};
  std::multimap<Instant, std::function<void()>> todo_;
};

}  // namespace causeway::world

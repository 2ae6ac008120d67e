// Deadlines that are all of the same length, so that they fall due in the order in which they were set: one timer for however
// many there are.
#pragma once

#include <functional>
#include <list>

#include "platform/loop/clock.h"
#include "platform/loop/loop.h"

namespace causeway::platform {

class DeadlineList {
 public:
  class Deadline;

 private:
  struct Entry {
    Instant when;
    Deadline* owner;
    std::function<void()> due;
  };

 public:
  DeadlineList(Loop& loop, Duration length) : length_(length), timer_(loop, [this] { run(); }) {}

  // Stops when it is destroyed; its list must live longer.
  class Deadline {
   public:
    Deadline() = default;
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;
    ~Deadline() { stop(); }

    // `due` may destroy this deadline.
    void start(DeadlineList& list, std::function<void()> due) {
      stop();
      list_ = &list;
      at_ = list.entries_.insert(list.entries_.end(), Entry{boot_now() + list.length_, this, std::move(due)});
      if (list.entries_.size() == 1) list.timer_.set(at_->when);
    }
    void stop() {
      if (!list_) return;
      list_->entries_.erase(at_);
      list_ = nullptr;
    }

   private:
    friend class DeadlineList;
    DeadlineList* list_ = nullptr;
    std::list<Entry>::iterator at_;
  };

 private:
  void run() {
    Instant now = boot_now();
    while (!entries_.empty() && entries_.front().when <= now) {
      Entry entry = std::move(entries_.front());
      entries_.pop_front();
      entry.owner->list_ = nullptr;
      entry.due();
    }
    timer_.set(entries_.empty() ? kNever : entries_.front().when);
  }

  Duration length_;
  std::list<Entry> entries_;
  Timer timer_;
};

}  // namespace causeway::platform

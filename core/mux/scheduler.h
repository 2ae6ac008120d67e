// Whose turn it is to send: streams that have had little to send first, then deficit round robin.
//
// The two lists are those of FQ-CoDel (RFC 8290, section 4): a stream that becomes busy joins the new list with one quantum; once
// that is used up, or the stream has emptied, it moves behind the old ones, so many short exchanges cannot starve a long one.
#pragma once

#include <cstdint>

#include "core/base/ring.h"

namespace causeway::mux {

class Scheduler {
 public:
  static constexpr std::int32_t kQuantum = 16 * 1024;

  // What a stream keeps for the scheduler.
  struct Entry {
    bool queued = false;
    std::int32_t deficit = 0;
  };

  bool empty() const { return new_.empty() && old_.empty(); }

  // The stream has something to send. Nothing happens if it waits already.
  void add(std::uint64_t id, Entry& entry) {
    if (entry.queued) return;
    entry.queued = true;
    entry.deficit = kQuantum;
    new_.push_back(id);
  }

  struct Turn {
    std::uint64_t id = 0;
    bool from_new = false;
  };
  // The stream at the head. It stays there until done(), rotate() or forget().
  Turn head() const { return new_.empty() ? Turn{old_.front(), false} : Turn{new_.front(), true}; }

  // The head has used up its deficit: it waits behind the old ones.
  void rotate(Entry& entry) {
    Turn turn = pop();
    entry.deficit += kQuantum;
    old_.push_back(turn.id);
  }
  // The head has nothing more to send, or may not. A new one goes round once more among the old ones, to be forgotten there.
  void done(Entry& entry) {
    Turn turn = pop();
    if (turn.from_new) {
      old_.push_back(turn.id);
    } else {
      entry.queued = false;
    }
  }
  // The head is gone for good.
  void forget() { pop(); }

 private:
  Turn pop() {
    Turn turn = head();
    (turn.from_new ? new_ : old_).pop_front();
    return turn;
  }

  Ring<std::uint64_t> new_;
  Ring<std::uint64_t> old_;
};

}  // namespace causeway::mux

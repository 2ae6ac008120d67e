// Whose turn it is to send: streams that have had little to send first, then deficit round robin.
//
// The two lists are those of FQ-CoDel (RFC 8290, section 4): a stream that becomes busy joins the new list with a small quantum,
// and moves to the old ones when that is used up. One that has emptied before leaves a mark among the old ones: until their
// round has come to it, what is left of the quantum is all that it may still send as a new one, however often it empties, so many
// short exchanges cannot starve a long one. The old ones' quantum is what the other side hands on in one piece: a segment to an
// app, a write to a service.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/ring.h"

namespace causeway::mux {

class Scheduler {
 public:
  static constexpr std::int32_t kFirstQuantum = 16 * 1024;
  static constexpr std::int32_t kQuantum = 64 * 1024;

  // What a stream keeps for the scheduler.
  struct Entry {
    bool queued = false;
    bool marked = false;
    std::int32_t deficit = 0;
  };

  bool empty() const { return new_.empty() && old_.empty(); }

  // The stream has something to send. Nothing happens if it waits already.
  void add(std::uint64_t id, Entry& entry) {
    if (entry.queued) return;
    entry.queued = true;
    if (!entry.marked) entry.deficit = kFirstQuantum;
    if (entry.deficit > 0) {
      new_.push_back(id);
    } else {
      entry.deficit += kQuantum;
      old_.push_back({id, false});
    }
  }

  struct Turn {
    std::uint64_t id = 0;
    bool mark = false;  // nothing is sent: pass() follows
  };
  // The stream at the head. It stays there until done(), rotate(), pass() or forget().
  Turn head() const { return new_.empty() ? old_.front() : Turn{new_.front(), false}; }

  // The head has used up its deficit: it waits behind the old ones.
  void rotate(Entry& entry) {
    const Turn turn = pop();
    entry.deficit += kQuantum;
    old_.push_back(turn);
  }
  // The head has nothing more to send, or may not.
  void done(Entry& entry) {
    const bool was_new = !new_.empty();
    const Turn turn = pop();
    entry.queued = false;
    if (!was_new || entry.marked) return;
    entry.marked = true;
    old_.push_back({turn.id, true});
  }
  // The head is a mark: the stream's next exchange has a whole quantum again.
  void pass(Entry& entry) {
    pop();
    entry.marked = false;
    entry.deficit = std::max(entry.deficit, kFirstQuantum);
  }
  // The head is gone for good.
  void forget() { pop(); }

 private:
  Turn pop() {
    const Turn turn = head();
    if (new_.empty()) {
      old_.pop_front();
    } else {
      new_.pop_front();
    }
    return turn;
  }

  Ring<std::uint64_t> new_;
  Ring<Turn> old_;
};

}  // namespace causeway::mux

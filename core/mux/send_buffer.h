// A stream's bytes from the moment they are written until the peer has acknowledged them, in plain: another carrier would seal
// them with another key.
//
//   released      next            end
//   |  on the way  |  never sent   |          and lost ranges on the way, which go first
//
// Payload stays in the blocks it came in; small pieces are gathered into blocks of the buffer's own.
#pragma once

#include "core/base/buffer.h"
#include "core/base/ring.h"
#include "core/mux/range_set.h"

namespace causeway::mux {

class SendBuffer {
 public:
  void append(Slice slice, BufferPool& pool);

  // The first `n` bytes travel by another way; before anything is appended.
  void skip(std::uint64_t n) {
    CAUSEWAY_ASSERT(end_ == 0);
    released_ = acknowledged_to_ = next_ = end_ = cursor_begin_ = n;
  }

  std::uint64_t end() const { return end_; }
  std::uint64_t next() const { return next_; }
  std::uint64_t unsent() const { return end_ - next_; }
  std::uint64_t unacknowledged() const { return next_ - released_; }
  bool has_lost() const { return !lost_.empty(); }

  // The next bytes to send, at most `max`: lost ones first, then new ones (at most `max_new` of them).
  Range chunk(std::uint64_t max, std::uint64_t max_new) const;
  // Copies a chunk out and notes that it is on the way.
  void send(const Range& chunk, MutableBytes out);

  void acknowledged(const Range& range);
  void lost(const Range& range);
  // Forgets the bytes, not how many were sent: the stream was reset.
  void clear();

 private:
  Slice* find(std::uint64_t offset, std::uint64_t& begin);
  void acknowledged_to(const Range& range);

  Ring<Slice> slices_;
  std::uint64_t released_ = 0;  // where the first slice begins
  std::uint64_t acknowledged_to_ = 0;  // all before is acknowledged; within the first slice, as it goes when all of it is
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
  std::size_t cursor_ = 0;              // the slice that holds cursor_begin_ .. : where the last copy ended
  std::uint64_t cursor_begin_ = 0;
  bool own_tail_ = false;               // the last slice's block is ours alone and may be filled up
  RangeSet lost_;
  RangeSet acknowledged_;               // beyond acknowledged_to_, where something before is still on the way
};

}  // namespace causeway::mux

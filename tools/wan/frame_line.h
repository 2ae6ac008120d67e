// Frames on their way, first in, first out, in one ring of bytes: nothing is allocated for a frame.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/bytes.h"
#include "core/base/time.h"

namespace causeway::wan {

class FrameLine {
 public:
  // Memory is touched only as far as it gets used.
  explicit FrameLine(std::size_t capacity);

  // Copies the frame. False when there is no room for it. `due` is not before that of the frame ahead.
  bool push(Instant due, Bytes frame);
  // When the first frame is due; kNever when there is none.
  [[nodiscard]] Instant due() const;
  // The first frames that are due at `now`, as many as `out` takes; gives their count. Valid until pop() or clear().
  std::size_t ready(Instant now, std::span<Bytes> out) const;
  void pop(std::size_t count);
  // Gives how many frames there were.
  std::size_t clear();
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  struct Head {
    Instant due;
    std::uint32_t size;
    std::uint32_t wrapped;  // not 0: nothing follows; the next frame is at the start of the ring
  };
  static std::size_t space_for(std::size_t size);
  [[nodiscard]] Head head_at(std::size_t at) const;
  void write_head(std::size_t at, const Head& head);
  // Where the frame is that is expected at `at`: there, or at the start.
  [[nodiscard]] std::size_t settled(std::size_t at) const;

  std::size_t capacity_;
  std::unique_ptr<std::uint8_t[]> ring_;
  std::size_t first_ = 0;  // where the first frame is
  std::size_t next_ = 0;   // where the next one goes
  std::size_t count_ = 0;
};

}  // namespace causeway::wan

// The network below a carrier: one TCP connection, each direction of which delays, splits, stalls, loses its way or damages
// bytes as it is told. Bytes that arrive are in order, as TCP's are.
#pragma once

#include <deque>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/random.h"
#include "tests/world/timeline.h"

namespace causeway::world {

struct WireOptions {
  Duration delay = std::chrono::milliseconds(2);  // one way
  Duration jitter{};                              // up to this much more, order kept
  std::uint64_t bytes_per_second = 0;             // 0: no bound
  std::size_t buffer = 256 * 1024;                // what may be under way: the sender's kernel takes no more
  bool split = true;                              // into pieces of any size
};

class Pipe {
 public:
  Pipe(Timeline& time, SeededRandom& random, const WireOptions& options)
      : time_(time), random_(random), options_(options) {}

  // None from when it was full until a third is free, as the kernel's socket: else the pieces get ever smaller.
  std::size_t room() const { return full_ ? 0 : options_.buffer - under_way_; }
  // Takes as much as there is room for, and gives how much.
  std::size_t write(Bytes bytes);
  void finish();

  // What can be read now, from the front; then how much was.
  Bytes readable() const;
  void consume(std::size_t n);
  bool at_end() const { return finished_ && pieces_.empty() && now_is(end_at_); }
  // When something can be read, or the end.
  Instant next() const;

  // Nothing arrives before then.
  void stall(Duration how_long) { stalled_until_ = std::max(stalled_until_, time_.now() + how_long); }
  // Nothing arrives any more, and nobody is told.
  void lose_everything();
  // A bit of the next bytes written is flipped.
  void damage_next() { damage_ = true; }
  std::uint64_t delivered() const { return delivered_; }

 private:
  struct Piece {
    Instant arrives;
    std::vector<std::uint8_t> bytes;
    std::size_t read = 0;
  };
  bool now_is(Instant when) const { return std::max(when, stalled_until_) <= time_.now(); }
  Instant arrival(std::size_t size);

  Timeline& time_;
  SeededRandom& random_;
  const WireOptions options_;
  std::deque<Piece> pieces_;
  std::size_t under_way_ = 0;
  bool full_ = false;
  Instant line_free_{}, last_arrival_{}, stalled_until_{}, end_at_{};
  bool finished_ = false, lost_ = false, damage_ = false;
  std::uint64_t delivered_ = 0;
};

}  // namespace causeway::world

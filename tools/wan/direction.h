// One direction of the path, running: frames of one device come out of another when the Shaper says so.
#pragma once

#include <cstdint>

#include "platform/loop/loop.h"
#include "tools/wan/frame_line.h"
#include "tools/wan/port.h"
#include "tools/wan/shaper.h"

namespace causeway::wan {

class Direction {
 public:
  // Frames, as they are on a wire.
  struct Counts {
    std::uint64_t frames = 0;  // delivered
    std::uint64_t bytes = 0;   // of those, on the wire
    std::uint64_t lost = 0;    // by chance, as asked for
    std::uint64_t queue = 0;   // found the queue full
    std::uint64_t cut = 0;     // came, or were on their way, while the path was cut
    std::uint64_t missed =
        0;  // the relay's own failures: not read in time, no room, uncut segments where each frame matters
  };

  // Both ports live longer.
  Direction(platform::Loop& loop, Port& from, Port& to, const Settings& settings, std::uint64_t seed);

  void set(const Settings& settings) { shaper_.set(settings); }
  [[nodiscard]] const Settings& settings() const { return shaper_.settings(); }
  // While it is cut nothing passes, and what is on its way is lost.
  void set_cut(bool cut);
  [[nodiscard]] bool is_cut() const { return cut_; }
  Counts counts();

 private:
  void readable();
  void take(Instant now, Bytes frame);
  void deliver();

  Port& from_;
  Port& to_;
  Shaper shaper_;
  FrameLine line_;
  Counts counts_;
  bool cut_ = false;
  platform::Timer timer_;
  platform::Poll poll_;
};

}  // namespace causeway::wan

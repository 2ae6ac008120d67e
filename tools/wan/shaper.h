// What becomes of each frame on one direction of a wide-area path: a drop-tail queue before a link of a given rate, then a way of a
// given length on which frames get lost. Decides only; the frames are held by FrameLine.
#pragma once

#include <cstdint>

#include "core/base/random.h"
#include "core/base/time.h"
#include "tools/wan/settings.h"

namespace causeway::wan {

class Shaper {
 public:
  enum class Fate { kPass, kLost, kQueueFull };
  struct Verdict {
    Fate fate;
    Instant due;  // when it leaves at the far end, if it passes; never before one that came earlier
  };

  // The same seed and frames give the same verdicts. Whether a frame is lost does not depend on the jitter.
  Shaper(const Settings& settings, std::uint64_t seed);

  // A frame that takes `wire_bytes` of the link has come. `now` never runs backwards.
  Verdict admit(Instant now, std::uint64_t wire_bytes);

  // From now on. Frames that have been let in keep their times.
  void set(const Settings& settings) { settings_ = settings; }
  [[nodiscard]] const Settings& settings() const { return settings_; }

 private:
  bool take_link(Instant now, std::uint64_t wire_bytes);
  Duration length_of_way();

  Settings settings_;
  SeededRandom losses_;
  SeededRandom jitters_;
  Instant link_free_{};  // when the last bit of what waits for the link has been sent
  Instant last_due_{};
};

}  // namespace causeway::wan

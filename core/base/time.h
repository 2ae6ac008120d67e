// Time as it is passed in: core never reads a clock. Platform fills Instants from CLOCK_BOOTTIME, so that sleep is seen;
// tests from a counter.
#pragma once

#include <chrono>

namespace causeway {

using Duration = std::chrono::nanoseconds;

// Names the time line; it has no now() on purpose.
struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};

using Instant = BootClock::time_point;

// A deadline that never comes.
inline constexpr Instant kNever = Instant::max();

}  // namespace causeway

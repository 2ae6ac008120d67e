// The only clocks of the project.
#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace causeway::platform {

// CLOCK_BOOTTIME: goes on while the machine sleeps, so that deadlines see it.
Instant boot_now();

// Nanoseconds since 1970, for hello numbers and logs only.
std::uint64_t wall_clock_ns();

}  // namespace causeway::platform

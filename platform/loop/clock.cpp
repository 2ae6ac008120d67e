#include "platform/loop/clock.h"

#include <time.h>

#include "core/base/assert.h"

namespace causeway::platform {
namespace {

std::int64_t read(clockid_t clock) {
  timespec t{};
  CAUSEWAY_ASSERT(clock_gettime(clock, &t) == 0);
  return std::int64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

Instant boot_now() { return Instant(Duration(read(CLOCK_BOOTTIME))); }

std::uint64_t wall_clock_ns() { return std::uint64_t(read(CLOCK_REALTIME)); }

}  // namespace causeway::platform

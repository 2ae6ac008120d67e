// How much the peer may still send: an absolute limit that follows what was consumed, with a window that grows with the path.
//
// The window doubles when half of it was consumed within two round trips (as QUIC implementations do), so it follows the
// bandwidth-delay product, and a reader that is slow never makes it grow. What is granted is also capped by the caller: a
// stream gets at most a fraction of the memory that is left, so that many stalled readers cannot drain it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"

namespace causeway::mux {

class Credit {
 public:
  Credit(std::uint64_t window, std::uint64_t max_window) : window_(window), max_window_(max_window), limit_(window) {}

  std::uint64_t limit() const { return limit_; }

  // `consumed` bytes in all have been. True when a new limit is worth telling the peer: it gains half a window, or as much as it
  // has `left`. (What stalled readers hold of a shared limit never comes back, and may be more than half of it.)
  bool consumed(std::uint64_t consumed, std::uint64_t cap, std::uint64_t left, Duration round_trip, Instant now) {
    std::uint64_t window = std::min(window_, cap);
    if (consumed + window <= limit_) return false;
    std::uint64_t gain = consumed + window - limit_;
    if (gain < std::min(window / 2, left)) return false;
    if (gain >= window / 2 && round_trip > Duration::zero() && now - granted_ < 2 * round_trip) window_ = std::min(window_ * 2, max_window_);
    granted_ = now;
    limit_ = consumed + std::min(window_, cap);
    return true;
  }

 private:
  std::uint64_t window_;
  std::uint64_t max_window_;
  std::uint64_t limit_;
  Instant granted_{};
};

}  // namespace causeway::mux

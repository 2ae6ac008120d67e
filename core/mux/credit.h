// How much the peer may still send: an absolute limit that follows what was consumed, with a window that grows with the path.
//
// The window doubles when half of it was consumed within two round trips (as QUIC implementations do), so it follows the
// bandwidth-delay product, and a reader that is slow never makes it grow. It grows no further than the caller's cap, and never
// shrinks: what was granted once stays the measure, so that every byte consumed is a byte more to send.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"

namespace causeway::mux {

class Credit {
 public:
  Credit(std::uint64_t window, std::uint64_t max_window)
      : window_(window), max_window_(std::max(window, max_window)), limit_(window), granted_(window) {}

  std::uint64_t limit() const { return limit_; }

  // `consumed` bytes in all have been. True when a new limit is worth telling the peer: it gains half a window, or `worthwhile`.
  bool consumed(std::uint64_t consumed, std::uint64_t cap, std::uint64_t worthwhile, Duration round_trip, Instant now) {
    if (consumed - marked_ >= window_ / 2) {
      if (round_trip > Duration::zero() && now - marked_at_ < 2 * round_trip) window_ = std::min(window_ * 2, max_window_);
      marked_ = consumed;
      marked_at_ = now;
    }
    std::uint64_t window = std::min(window_, std::max(cap, granted_));
    std::uint64_t gain = consumed + window - limit_;
    if (gain == 0 || gain < std::min(window / 2, worthwhile)) return false;
    granted_ = window;
    limit_ += gain;
    return true;
  }

 private:
  std::uint64_t window_;
  std::uint64_t max_window_;
  std::uint64_t limit_;
  std::uint64_t granted_;     // the window that limit_ gave
  std::uint64_t marked_ = 0;  // how much was consumed when the window was last measured
  Instant marked_at_{};
};

}  // namespace causeway::mux

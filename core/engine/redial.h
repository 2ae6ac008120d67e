// When to dial again after a carrier died or could not be had: at once, then each second for two minutes, then with growing
// pauses up to 30 s, each shortened by up to a quarter at random so that many clients do not come back together.
#pragma once

#include <algorithm>

#include "core/base/random.h"
#include "core/base/time.h"

namespace causeway::engine {

class Redial {
 public:
  void succeeded() { attempts_ = 0; }

  Duration next(Random& random) {
    unsigned attempt = attempts_++;
    if (attempt == 0) return Duration::zero();
    if (attempt <= 120) return std::chrono::seconds(1);
    Duration pause = std::min<Duration>(std::chrono::seconds(1) * (1 << std::min(attempt - 120, 5u)), std::chrono::seconds(30));
    return pause - pause / 4 * (random.number() % 1024) / 1024;
  }

 private:
  unsigned attempts_ = 0;
};

}  // namespace causeway::engine

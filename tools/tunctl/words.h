// How tunctl puts times.
#pragma once

#include <chrono>
#include <string>

namespace causeway::tunctl {

// "840 us", "4.1 ms", "2.30 s"
std::string time_text(std::chrono::microseconds time);
// "12 s", "3 min 5 s", "2 h 10 min", "4 d 1 h"
std::string span_text(std::chrono::seconds span);

}  // namespace causeway::tunctl

// Counts heap allocations, as the test program replaces operator new.
#pragma once

#include <cstddef>

namespace causeway::tun {

// Those made while a Counting lives are counted.
struct Counting {
  Counting();
  ~Counting();
};

std::size_t allocations_counted();

}  // namespace causeway::tun

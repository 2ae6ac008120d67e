// Counts heap allocations, as the program that has this file replaces operator new.
#pragma once

#include <cstddef>

namespace causeway::tun {

// Those made while a Counting lives are counted.
struct Counting {
  Counting();
  ~Counting();
};

std::size_t allocations_counted();

// Bytes of all memory that operator new has given and nobody has given back, with what malloc adds to each block.
std::size_t bytes_allocated();

}  // namespace causeway::tun

#include "tests/tun/allocations.h"

#include <cstdlib>
#include <new>

namespace causeway::tun {
namespace {
bool counting = false;
std::size_t counted = 0;
}  // namespace

Counting::Counting() { counting = true; }
Counting::~Counting() { counting = false; }
std::size_t allocations_counted() { return counted; }

}  // namespace causeway::tun

void* operator new(std::size_t size) {
  if (causeway::tun::counting) ++causeway::tun::counted;
  void* memory = std::malloc(size);
  if (!memory) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

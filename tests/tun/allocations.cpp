#include "tests/tun/allocations.h"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace causeway::tun {
namespace {
bool counting = false;
std::size_t counted = 0;
std::size_t allocated = 0;

// malloc's header of a block.
constexpr std::size_t kBlockHeader = 8;

void give_back(void* memory) noexcept {
  if (memory) allocated -= malloc_usable_size(memory) + kBlockHeader;
  std::free(memory);
}
}  // namespace

Counting::Counting() { counting = true; }
Counting::~Counting() { counting = false; }
std::size_t allocations_counted() { return counted; }
std::size_t bytes_allocated() { return allocated; }

}  // namespace causeway::tun

void* operator new(std::size_t size) {
  if (causeway::tun::counting) ++causeway::tun::counted;
  void* memory = std::malloc(size);
  if (!memory) throw std::bad_alloc();
  causeway::tun::allocated += malloc_usable_size(memory) + causeway::tun::kBlockHeader;
  return memory;
}
void operator delete(void* memory) noexcept { causeway::tun::give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { causeway::tun::give_back(memory); }

#include "tun/small_blocks.h"

#include <algorithm>
#include <new>
#include <utility>

namespace causeway::tun {

SmallBlocks& SmallBlocks::instance() {
  static SmallBlocks blocks;
  return blocks;
}

void* SmallBlocks::take(std::size_t size) {
  const std::size_t whole = size + sizeof(Header);
  const std::size_t size_class = std::min((whole - 1) / kStep, kClasses);
  if (size_class < kClasses && free_[size_class]) {
    Header* header = free_[size_class];
    free_[size_class] = header->next_free;
    free_bytes_[size_class] -= (size_class + 1) * kStep;
    return header + 1;
  }
  auto* header = new (::operator new(size_class < kClasses ? (size_class + 1) * kStep : whole)) Header;
  header->size_class = size_class;
  return header + 1;
}

void SmallBlocks::give_back(void* memory) {
  if (!memory) return;
  Header* header = static_cast<Header*>(memory) - 1;
  const std::size_t size_class = header->size_class;
  const std::size_t bytes = (size_class + 1) * kStep;
  if (size_class == kClasses || free_bytes_[size_class] + bytes > kKeptBytes) {
    ::operator delete(header);
    return;
  }
  header->next_free = free_[size_class];
  free_[size_class] = header;
  free_bytes_[size_class] += bytes;
}

void SmallBlocks::trim() {
  for (Header*& first : free_) {
    while (first) ::operator delete(std::exchange(first, first->next_free));
  }
  free_bytes_ = {};
}

}  // namespace causeway::tun

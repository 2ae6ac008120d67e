#include "core/base/buffer.h"

#include <new>

namespace causeway {

BufferPool::~BufferPool() {
  CAUSEWAY_ASSERT(in_use_ == 0);
  for (detail::Block* block : free_) {
    while (block) ::operator delete(std::exchange(block, block->next_free));
  }
}

Buffer BufferPool::take(std::size_t size) {
  std::uint32_t index = 0;
  while (index < kClasses.size() && kClasses[index] < size) ++index;
  CAUSEWAY_ASSERT(index < kClasses.size());
  detail::Block* block = free_[index];
  if (block) {
    free_[index] = block->next_free;
    free_bytes_[index] -= block->capacity;
  } else {
    block = new (::operator new(sizeof(detail::Block) + kClasses[index])) detail::Block;
    block->pool = this;
    block->size_class = index;
    block->capacity = kClasses[index];
  }
  block->references = 1;
  block->next_free = nullptr;
  in_use_ += block->capacity;
  return Buffer(block);
}

Slice BufferPool::compact(Slice slice) {
  if (!slice.owner || slice.owner.capacity() <= kClasses.front() || slice.size * 4 > slice.owner.capacity()) return slice;
  return copy(slice.bytes());
}

Slice BufferPool::copy(Bytes bytes) {
  Slice slice{take(bytes.size()), nullptr, bytes.size()};
  copy_bytes(slice.owner.bytes(), bytes);
  slice.data = slice.owner.data();
  return slice;
}

void BufferPool::give_back(detail::Block* block) {
  in_use_ -= block->capacity;
  if (free_bytes_[block->size_class] + block->capacity > kKeptBytes) {
    ::operator delete(block);
    return;
  }
  block->next_free = free_[block->size_class];
  free_[block->size_class] = block;
  free_bytes_[block->size_class] += block->capacity;
}

}  // namespace causeway

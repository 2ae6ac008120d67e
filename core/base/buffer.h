// Reference-counted blocks of memory from a pool, and slices of them: how payload is handed on without a copy.
//
// A Buffer is a handle; the block goes back to its pool with the last handle. A Slice is some bytes of a block together
// with a handle to it, so the bytes live as long as the slice. Blocks come in a few size classes and are kept for reuse
// up to a bound, so that nothing is allocated per packet after warm-up. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/bytes.h"

namespace causeway {

class BufferPool;

namespace detail {
struct Block {
  BufferPool* pool;
  Block* next_free;
  std::uint32_t references;
  std::uint32_t size_class;
  std::uint32_t capacity;
  std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(this + 1); }
};
}  // namespace detail

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer& other) : block_(other.block_) {
    if (block_) ++block_->references;
  }
  Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Buffer() { release(); }

  explicit operator bool() const { return block_ != nullptr; }
  std::uint8_t* data() const { return block_->data(); }
  std::size_t capacity() const { return block_->capacity; }
  MutableBytes bytes() const { return {data(), capacity()}; }
  // Only one handle is left: the owner may write into it again.
  bool unique() const { return block_->references == 1; }

 private:
  friend class BufferPool;
  explicit Buffer(detail::Block* block) : block_(block) {}
  void release();

  detail::Block* block_ = nullptr;
};

// Bytes of a block, kept alive by a handle to it.
struct Slice {
  Buffer owner;
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;

  Bytes bytes() const { return {data, size}; }
  // What holding this slice costs: the whole block, not only the part in use.
  std::size_t cost() const { return owner ? owner.capacity() : 0; }
  void remove_prefix(std::size_t n) {
    CAUSEWAY_ASSERT(n <= size);
    data += n;
    size -= n;
  }
};

class BufferPool {
 public:
  // A packet buffer holds the largest super-packet with room for a virtio header before it.
  static constexpr std::size_t kPacket = 66 * 1024;
  static constexpr std::size_t kLargest = 256 * 1024;

  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  // All buffers must be back.
  ~BufferPool();

  // A block of at least `size` bytes (at most kLargest). Never null: out of memory ends the process.
  Buffer take(std::size_t size);

  // The same bytes in a block that fits them: `slice` itself unless it holds a much larger block than it uses.
  Slice compact(Slice slice);

  // A copy of `bytes` in a block of its own.
  Slice copy(Bytes bytes);

  // Bytes in blocks that somebody holds, the measure for budgets.
  std::size_t in_use() const { return in_use_; }

 private:
  friend class Buffer;
  static constexpr std::array<std::uint32_t, 6> kClasses{256, 2048, 8192, 17 * 1024, kPacket, kLargest};
  // How many bytes of free blocks each class keeps.
  static constexpr std::size_t kKeptBytes = 4 * 1024 * 1024;

  void give_back(detail::Block* block);

  std::array<detail::Block*, kClasses.size()> free_{};
  std::array<std::size_t, kClasses.size()> free_bytes_{};
  std::size_t in_use_ = 0;
};

inline void Buffer::release() {
  if (block_ && --block_->references == 0) block_->pool->give_back(block_);
}

}  // namespace causeway

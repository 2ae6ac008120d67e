// The bytes of a carrier as they were read, in blocks that opened records point into: a record is opened where it lies, and its
// block lives as long as somebody holds a slice of it.
#pragma once

#include "core/base/buffer.h"

namespace causeway::link {

class ReceiveBlocks {
 public:
  // Blocks that hold messages of at most `longest` bytes with room to spare, until widen(): whoever has not shown who he is
  // costs little.
  ReceiveBlocks(BufferPool& pool, std::size_t longest) : pool_(pool), longest_(longest), block_size_(2 * longest) {}
  explicit ReceiveBlocks(BufferPool& pool) : pool_(pool) { widen(); }

  void widen() {
    longest_ = kLongest;
    block_size_ = kBlock;
  }

  // Where to read into; never empty.
  MutableBytes space() {
    if (!block_) {
      block_ = pool_.take(block_size_);
      begin_ = end_ = 0;
    }
    // A message that has begun must fit into one block.
    if (block_.capacity() - begin_ < longest_ || end_ == block_.capacity()) move_to_fresh();
    return block_.bytes().subspan(end_);
  }
  void filled(std::size_t n) {
    CAUSEWAY_ASSERT(end_ + n <= block_.capacity());
    end_ += n;
  }

  MutableBytes waiting() const { return block_ ? block_.bytes().subspan(begin_, end_ - begin_) : MutableBytes(); }
  const Buffer& block() const { return block_; }

  void consume(std::size_t n) {
    begin_ += n;
    CAUSEWAY_ASSERT(begin_ <= end_);
  }
  // Between reads nothing is held where nothing waits.
  void release_if_empty() {
    if (begin_ == end_) block_ = Buffer();
  }

 private:
  void move_to_fresh() {
    Bytes rest = waiting();
    if (block_.unique() && block_.capacity() >= block_size_) {
      std::memmove(block_.data(), rest.data(), rest.size());
    } else {
      Buffer fresh = pool_.take(block_size_);
      copy_bytes(fresh.bytes(), rest);
      block_ = std::move(fresh);
    }
    begin_ = 0;
    end_ = rest.size();
  }

  static constexpr std::size_t kBlock = 128 * 1024;
  // No message on the wire is longer: a length and a sealed record.
  static constexpr std::size_t kLongest = 2 + 65535;

  BufferPool& pool_;
  std::size_t longest_ = 0, block_size_ = 0;
  Buffer block_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace causeway::link

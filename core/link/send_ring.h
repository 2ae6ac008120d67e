// The sealed bytes of a carrier on their way to its socket: a ring in which a record never wraps, so that at most two pieces are
// to be written. The block is taken while something waits, and given back when all has left.
#pragma once

#include <array>

#include "core/base/buffer.h"

namespace causeway::link {

class SendRing {
 public:
  explicit SendRing(BufferPool& pool) : pool_(pool) {}

  // Whether space(n) would give some.
  bool fits(std::size_t n) const {
    std::size_t capacity = block_ ? block_.capacity() : BufferPool::kLargest;
    return wrapped_ ? tail_ + n <= head_ : tail_ + n <= capacity || n <= head_;
  }

  // `n` contiguous bytes behind what waits, or none; then add() says how many of them were used.
  MutableBytes space(std::size_t n) {
    if (!fits(n)) return {};
    if (!block_) block_ = pool_.take(BufferPool::kLargest);
    bool here = wrapped_ || tail_ + n <= block_.capacity();
    return {block_.data() + (here ? tail_ : 0), n};
  }

  void add(const std::uint8_t* at, std::size_t n) {
    if (at == block_.data() && tail_ != 0 && !wrapped_) {
      end_ = tail_;
      tail_ = 0;
      wrapped_ = true;
    }
    tail_ += n;
    size_ += n;
  }

  std::size_t pieces(std::array<Bytes, 2>& out) const {
    if (size_ == 0) return 0;
    if (!wrapped_) {
      out[0] = {block_.data() + head_, tail_ - head_};
      return 1;
    }
    out[0] = {block_.data() + head_, end_ - head_};
    out[1] = {block_.data(), tail_};
    return tail_ > 0 ? 2 : 1;
  }

  void remove(std::size_t n) {
    CAUSEWAY_ASSERT(n <= size_);
    size_ -= n;
    head_ += n;
    if (wrapped_ && head_ >= end_) {
      head_ -= end_;
      wrapped_ = false;
    }
    release_if_empty();
  }

  void release_if_empty() {
    if (size_ > 0) return;
    head_ = tail_ = 0;
    wrapped_ = false;
    block_ = Buffer();
  }

  std::size_t size() const { return size_; }

 private:
  BufferPool& pool_;
  Buffer block_;
  std::size_t head_ = 0, tail_ = 0;
  std::size_t end_ = 0;  // where the part before the wrap ends
  bool wrapped_ = false;
  std::size_t size_ = 0;
};

}  // namespace causeway::link

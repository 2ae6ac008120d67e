// Bytes that wait for a socket to take them: slices as they came, small ones gathered so that single bytes cost no block each.
#pragma once

#include <algorithm>
#include <span>

#include "core/base/buffer.h"
#include "core/base/ring.h"

namespace causeway::engine {

class OutQueue {
 public:
  bool empty() const { return slices_.empty(); }
  std::size_t size() const { return bytes_; }

  void append(Slice slice, BufferPool& pool) {
    if (slice.size == 0) return;
    bytes_ += slice.size;
    if (slice.size > kGather) {
      own_tail_ = false;
      slices_.push_back(std::move(slice));
      return;
    }
    if (own_tail_ && !slices_.empty()) {
      Slice& tail = slices_.back();
      std::uint8_t* free = const_cast<std::uint8_t*>(tail.data) + tail.size;
      const std::size_t n = std::min(std::size_t(tail.owner.data() + tail.owner.capacity() - free), slice.size);
      copy_bytes({free, n}, slice.bytes().first(n));
      tail.size += n;
      slice.remove_prefix(n);
      if (slice.size == 0) return;
    }
    Slice block{pool.take(slices_.empty() ? slice.size : kBlock), nullptr, slice.size};
    copy_bytes(block.owner.bytes(), slice.bytes());
    block.data = block.owner.data();
    slices_.push_back(std::move(block));
    own_tail_ = true;
  }

  std::size_t pieces(std::span<Bytes> out) const {
    const std::size_t n = std::min(out.size(), slices_.size());
    for (std::size_t i = 0; i < n; ++i) out[i] = slices_[i].bytes();
    return n;
  }

  void remove(std::size_t n) {
    bytes_ -= n;
    while (n > 0) {
      Slice& front = slices_.front();
      if (n < front.size) {
        front.remove_prefix(n);
        return;
      }
      n -= front.size;
      slices_.pop_front();
    }
  }

  // What waits longer than a turn must not hold blocks much larger than itself.
  void settle(BufferPool& pool) {
    for (std::size_t i = 0; i < slices_.size(); ++i) slices_[i] = pool.compact(std::move(slices_[i]));
  }

  const Slice& front() const { return slices_.front(); }
  Slice pop_front() {
    bytes_ -= slices_.front().size;
    return slices_.pop_front();
  }

 private:
  static constexpr std::size_t kGather = 512;
  static constexpr std::size_t kBlock = 2048;

  Ring<Slice> slices_;
  std::size_t bytes_ = 0;
  bool own_tail_ = false;  // the last slice's block is ours alone and may be filled up
};

}  // namespace causeway::engine

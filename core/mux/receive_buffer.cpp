#include "core/mux/receive_buffer.h"

#include <algorithm>

namespace causeway::mux {

bool ReceiveBuffer::insert(std::uint64_t offset, Slice slice) {
  std::uint64_t end = offset + slice.size;
  if (final_size_ && end > *final_size_) return false;
  highest_ = std::max(highest_, end);
  if (offset > received_) return keep_waiting(offset, std::move(slice));
  if (end > received_) {
    slice.remove_prefix(std::size_t(received_ - offset));
    received_ = end;
    ready_.push_back(std::move(slice));
  }
  std::size_t used = 0;
  for (; used < waiting_.size() && waiting_[used].offset <= received_; ++used) {
    Waiting& w = waiting_[used];
    std::uint64_t w_end = w.offset + w.slice.size;
    if (w_end <= received_) continue;
    w.slice.remove_prefix(std::size_t(received_ - w.offset));
    received_ = w_end;
    ready_.push_back(std::move(w.slice));
  }
  if (used > 0) waiting_.erase(waiting_.begin(), waiting_.begin() + std::ptrdiff_t(used));
  return true;
}

// Keeps only what no other piece holds, so that repeats cost no memory.
bool ReceiveBuffer::keep_waiting(std::uint64_t offset, Slice slice) {
  auto at = std::lower_bound(waiting_.begin(), waiting_.end(), offset,
                             [](const Waiting& w, std::uint64_t o) { return w.offset < o; });
  if (at != waiting_.begin()) {
    std::uint64_t before = std::prev(at)->offset + std::prev(at)->slice.size;
    if (before >= offset + slice.size) return true;
    if (before > offset) {
      slice.remove_prefix(std::size_t(before - offset));
      offset = before;
    }
  }
  std::uint64_t end = offset + slice.size;
  auto covered = at;
  while (covered != waiting_.end() && covered->offset + covered->slice.size <= end) ++covered;
  if (covered != waiting_.end() && covered->offset < end) slice.size = std::size_t(covered->offset - offset);
  at = waiting_.erase(at, covered);
  if (slice.size == 0) return true;
  if (waiting_.size() >= kMaxWaiting) return false;
  waiting_.insert(at, {offset, std::move(slice)});
  return true;
}

bool ReceiveBuffer::finish(std::uint64_t size) {
  if (final_size_ ? *final_size_ != size : size < highest_) return false;
  final_size_ = size;
  note_highest(size);
  return true;
}

void ReceiveBuffer::consume(std::size_t n) {
  consumed_ += n;
  while (n > 0) {
    Slice& front = ready_.front();
    if (n < front.size) {
      front.remove_prefix(n);
      return;
    }
    n -= front.size;
    ready_.pop_front();
    if (compacted_ > 0) --compacted_;
  }
}

// Adds a small piece to the block of the one before it, if that has room.
bool ReceiveBuffer::gather(Slice& tail, const Slice& piece) {
  std::uint8_t* free = tail.owner.data() + (tail.data - tail.owner.data()) + tail.size;
  std::size_t room = std::size_t(tail.owner.data() + tail.owner.capacity() - free);
  if (room < piece.size) return false;
  copy_bytes({free, room}, piece.bytes());
  tail.size += piece.size;
  return true;
}

void ReceiveBuffer::compact(BufferPool& pool) {
  if (compacted_ == 0) gathering_ = false;
  for (std::size_t i = compacted_; i < ready_.size(); ++i) {
    Slice slice = std::move(ready_[i]);
    if (slice.size <= kGather && gathering_ && gather(ready_[compacted_ - 1], slice)) continue;
    gathering_ = slice.size <= kGather;
    if (gathering_) {
      Slice block{pool.take(compacted_ == 0 ? slice.size : kGatherBlock), nullptr, slice.size};
      copy_bytes(block.owner.bytes(), slice.bytes());
      block.data = block.owner.data();
      ready_[compacted_++] = std::move(block);
    } else {
      ready_[compacted_++] = pool.compact(std::move(slice));
    }
  }
  while (ready_.size() > compacted_) ready_.pop_back();
  for (Waiting& w : waiting_) w.slice = pool.compact(std::move(w.slice));
}

void ReceiveBuffer::clear() {
  ready_.clear();
  waiting_.clear();
  compacted_ = 0;
  received_ = consumed_ = highest_;
}

}  // namespace causeway::mux

#include "core/mux/receive_buffer.h"

#include <algorithm>

namespace causeway::mux {

bool ReceiveBuffer::insert(std::uint64_t offset, Slice slice) {
  std::uint64_t end = offset + slice.size;
  if (final_size_ && end > *final_size_) return false;
  highest_ = std::max(highest_, end);
  if (offset > received_) {
    if (waiting_.size() >= kMaxWaiting) return false;
    auto at = std::lower_bound(waiting_.begin(), waiting_.end(), offset,
                               [](const Waiting& w, std::uint64_t o) { return w.offset < o; });
    waiting_.insert(at, {offset, std::move(slice)});
    return true;
  }
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

void ReceiveBuffer::compact(BufferPool& pool) {
  for (; compacted_ < ready_.size(); ++compacted_) ready_[compacted_] = pool.compact(std::move(ready_[compacted_]));
  for (Waiting& w : waiting_) w.slice = pool.compact(std::move(w.slice));
}

void ReceiveBuffer::clear() {
  ready_.clear();
  waiting_.clear();
  compacted_ = 0;
  received_ = consumed_ = highest_;
}

}  // namespace causeway::mux

#include "core/mux/send_buffer.h"

#include <algorithm>

namespace causeway::mux {
namespace {

// Pieces up to this are gathered: handing on their blocks would cost more memory than copying costs time.
constexpr std::size_t kGather = 512;
constexpr std::size_t kFirstBlock = 256;
constexpr std::size_t kNextBlock = 2048;

}  // namespace

void SendBuffer::append(Slice slice, BufferPool& pool) {
  if (slice.size == 0) return;
  end_ += slice.size;
  if (slice.size > kGather) {
    slices_.push_back(pool.compact(std::move(slice)));
    own_tail_ = false;
    return;
  }
  if (own_tail_ && !slices_.empty()) {
    Slice& tail = slices_.back();
    std::uint8_t* free = const_cast<std::uint8_t*>(tail.data) + tail.size;
    std::size_t room = std::size_t(tail.owner.data() + tail.owner.capacity() - free);
    std::size_t n = std::min(room, slice.size);
    copy_bytes({free, n}, {slice.data, n});
    tail.size += n;
    slice.remove_prefix(n);
    if (slice.size == 0) return;
  }
  Slice block{pool.take(std::max(slices_.empty() ? kFirstBlock : kNextBlock, slice.size)), nullptr, slice.size};
  copy_bytes(block.owner.bytes(), slice.bytes());
  block.data = block.owner.data();
  slices_.push_back(std::move(block));
  own_tail_ = true;
}

Range SendBuffer::chunk(std::uint64_t max, std::uint64_t max_new) const {
  if (!lost_.empty()) return {lost_.first().begin, std::min(lost_.first().end, lost_.first().begin + max)};
  return {next_, next_ + std::min({max, max_new, unsent()})};
}

Slice* SendBuffer::find(std::uint64_t offset, std::uint64_t& begin) {
  if (offset < cursor_begin_ || cursor_ >= slices_.size()) {
    cursor_ = 0;
    cursor_begin_ = released_;
  }
  while (cursor_begin_ + slices_[cursor_].size <= offset) cursor_begin_ += slices_[cursor_++].size;
  begin = cursor_begin_;
  return &slices_[cursor_];
}

void SendBuffer::send(const Range& chunk, MutableBytes out) {
  CAUSEWAY_ASSERT(chunk.begin >= released_ && chunk.end <= end_ && out.size() == chunk.size());
  for (std::uint64_t at = chunk.begin; at < chunk.end;) {
    std::uint64_t begin = 0;
    const Slice* slice = find(at, begin);
    std::size_t skip = std::size_t(at - begin);
    std::size_t n = std::size_t(std::min<std::uint64_t>(slice->size - skip, chunk.end - at));
    copy_bytes(out, {slice->data + skip, n});
    out = out.subspan(n);
    at += n;
  }
  if (!lost_.empty()) lost_.remove(chunk);
  next_ = std::max(next_, chunk.end);
}

void SendBuffer::acknowledged(const Range& range) {
  if (!lost_.empty()) lost_.remove(range);
  acknowledged_to(range);
  while (!slices_.empty() && released_ + slices_.front().size <= acknowledged_to_) {
    const std::uint64_t slice_end = released_ + slices_.front().size;
    slices_.pop_front();
    if (cursor_ > 0) {
      --cursor_;
    } else {
      cursor_begin_ = slice_end;
    }
    released_ = slice_end;
  }
}

// In order there is one number to move; a carrier that died leaves holes.
void SendBuffer::acknowledged_to(const Range& range) {
  if (range.begin > acknowledged_to_) {
    acknowledged_.add(range);
    return;
  }
  acknowledged_to_ = std::max(acknowledged_to_, range.end);
  if (acknowledged_.empty()) return;
  acknowledged_.remove({0, acknowledged_to_});
  if (acknowledged_.empty() || acknowledged_.first().begin > acknowledged_to_) return;
  acknowledged_to_ = acknowledged_.first().end;
  acknowledged_.remove({0, acknowledged_to_});
}

void SendBuffer::lost(const Range& range) {
  Range live{std::max(range.begin, released_), range.end};
  if (live.begin < live.end) lost_.add(live);
}

void SendBuffer::clear() {
  slices_.clear();
  released_ = acknowledged_to_ = cursor_begin_ = end_ = next_;
  cursor_ = 0;
  own_tail_ = false;
  lost_ = RangeSet();
  acknowledged_ = RangeSet();
}

}  // namespace causeway::mux

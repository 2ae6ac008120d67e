#include "tools/wan/frame_line.h"

#include "core/base/assert.h"

namespace causeway::wan {
namespace {

constexpr std::size_t kAlign = 16;

}  // namespace

FrameLine::FrameLine(std::size_t capacity) : capacity_(capacity / kAlign * kAlign), ring_(new std::uint8_t[capacity_]) {
  static_assert(sizeof(Head) == kAlign);
  CAUSEWAY_ASSERT(capacity_ >= 4 * kAlign);
}

std::size_t FrameLine::space_for(std::size_t size) { return sizeof(Head) + (size + kAlign - 1) / kAlign * kAlign; }

FrameLine::Head FrameLine::head_at(std::size_t at) const {
  Head head;
  std::memcpy(&head, ring_.get() + at, sizeof head);
  return head;
}

void FrameLine::write_head(std::size_t at, const Head& head) { std::memcpy(ring_.get() + at, &head, sizeof head); }

std::size_t FrameLine::settled(std::size_t at) const { return at == capacity_ || head_at(at).wrapped != 0 ? 0 : at; }

bool FrameLine::push(Instant due, Bytes frame) {
  const std::size_t space = space_for(frame.size());
  // An empty ring begins anew, so that a short line stays within the processor's cache.
  if (count_ == 0) first_ = next_ = 0;
  const bool in_two = count_ != 0 && next_ <= first_;
  if (in_two) {
    if (next_ + space > first_) return false;
  } else if (next_ + space > capacity_) {
    // From the start again; that the two ends meet means full, as next_ <= first_ says above.
    if (count_ == 0 || space > first_) return false;
    if (next_ < capacity_) write_head(next_, {{}, 0, 1});
    next_ = 0;
  }
  write_head(next_, {due, std::uint32_t(frame.size()), 0});
  copy_bytes({ring_.get() + next_ + sizeof(Head), frame.size()}, frame);
  next_ += space;
  ++count_;
  return true;
}

Instant FrameLine::due() const { return count_ == 0 ? kNever : head_at(settled(first_)).due; }

std::size_t FrameLine::ready(Instant now, std::span<Bytes> out) const {
  std::size_t found = 0;
  for (std::size_t at = first_; found < count_ && found < out.size();) {
    at = settled(at);
    const Head head = head_at(at);
    if (head.due > now) break;
    out[found++] = {ring_.get() + at + sizeof(Head), head.size};
    at += space_for(head.size);
  }
  return found;
}

void FrameLine::pop(std::size_t count) {
  CAUSEWAY_ASSERT(count <= count_);
  for (; count > 0; --count, --count_) {
    first_ = settled(first_);
    first_ += space_for(head_at(first_).size);
  }
  // The end and the start of the ring are one place; push() compares places.
  if (count_ > 0) first_ = settled(first_);
}

std::size_t FrameLine::clear() {
  const std::size_t were = count_;
  first_ = next_ = count_ = 0;
  return were;
}

}  // namespace causeway::wan

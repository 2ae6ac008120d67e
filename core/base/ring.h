// A first-in first-out queue in one block of memory that doubles when full: nothing is allocated once it has grown. Streams have
// several that are empty or hold little, so it is small itself and begins with two places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/base/assert.h"

namespace causeway {

template <class T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  T& operator[](std::size_t i) { return items_[(head_ + i) & (capacity_ - 1)]; }
  const T& operator[](std::size_t i) const { return items_[(head_ + i) & (capacity_ - 1)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }

  void push_back(T item) {
    if (size_ == capacity_) grow();
    ++size_;
    back() = std::move(item);
  }

  T pop_front() {
    CAUSEWAY_ASSERT(size_ > 0);
    T item = std::exchange(front(), T());
    head_ = (head_ + 1) & (capacity_ - 1);
    --size_;
    return item;
  }

  void pop_back() {
    CAUSEWAY_ASSERT(size_ > 0);
    back() = T();
    --size_;
  }

  void clear() {
    while (!empty()) pop_front();
  }

 private:
  void grow() {
    const std::uint32_t capacity = capacity_ == 0 ? 2 : capacity_ * 2;
    CAUSEWAY_ASSERT(capacity > capacity_);
    auto larger = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    items_ = std::move(larger);
    capacity_ = capacity;
    head_ = 0;
  }

  std::unique_ptr<T[]> items_;
  std::uint32_t capacity_ = 0;  // 0 or a power of two
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace causeway

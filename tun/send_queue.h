// Keeps lent blocks alive as long as lwIP may still send their bytes again.
//
// lwIP points into the blocks and frees whole segments, oldest first. So a block is let go when every segment with its
// bytes is gone, which is when the oldest segment left begins behind the block's last byte: not when the bytes were
// acknowledged, as a segment acknowledged in part stays whole.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "core/base/buffer.h"
#include "tun/small_blocks.h"

namespace causeway::tun {

class SendQueue {
 public:
  SendQueue() = default;
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;
  ~SendQueue() { release_all([](Buffer&&) {}); }

  bool empty() const { return head_ == nullptr; }

  // `owner` is held until everything before the sequence number `end` is gone.
  void hold(const Buffer& owner, std::uint32_t end) {
    if (tail_ && tail_->owner.data() == owner.data()) {
      tail_->end = end;
      return;
    }
    auto* node = new (SmallBlocks::instance().take(sizeof(Node))) Node{owner, end, nullptr};
    (tail_ ? tail_->next : head_) = node;
    tail_ = node;
  }

  // Hands the blocks whose bytes all lie before `oldest` to `release`.
  template <class Release>
  void release_before(std::uint32_t oldest, Release&& release) {
    while (head_ && std::int32_t(head_->end - oldest) <= 0) pop(release);
  }

  template <class Release>
  void release_all(Release&& release) {
    while (head_) pop(release);
  }

 private:
  struct Node {
    Buffer owner;
    std::uint32_t end;
    Node* next;
  };

  template <class Release>
  void pop(Release&& release) {
    Node* node = std::exchange(head_, head_->next);
    if (!head_) tail_ = nullptr;
    release(std::move(node->owner));
    std::destroy_at(node);
    SmallBlocks::instance().give_back(node);
  }

  Node* head_ = nullptr;
  Node* tail_ = nullptr;
};

}  // namespace causeway::tun

// Memory for what lwIP allocates and for our own list nodes: freed blocks are kept for reuse, so that a segment costs no
// allocation after warm-up.
//
// One instance, as lwIP's allocator is global; one thread. Running out of memory ends the process.
#pragma once

#include <array>
#include <cstddef>

namespace causeway::tun {

class SmallBlocks {
 public:
  static SmallBlocks& instance();

  // At least `size` bytes, aligned for anything. Any size; those above kLargest are not kept.
  void* take(std::size_t size);
  void give_back(void* memory);
  // Lets go of the blocks that nobody uses.
  void trim();

 private:
  static constexpr std::size_t kStep = 32;
  static constexpr std::size_t kClasses = 12;  // the largest holds a TCP control block
  static constexpr std::size_t kKeptBytes = 512 * 1024;  // a class

  // Stands before each block.
  struct alignas(std::max_align_t) Header {
    Header* next_free;
    std::size_t size_class;  // kClasses: too large to be kept
  };

  std::array<Header*, kClasses> free_{};
  std::array<std::size_t, kClasses> free_bytes_{};
};

}  // namespace causeway::tun

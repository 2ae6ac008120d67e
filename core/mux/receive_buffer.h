// A stream's bytes from the records they came in until they are consumed: put in order by their offsets, each once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/ring.h"

namespace causeway::mux {

class ReceiveBuffer {
 public:
  // Takes bytes at `offset`, which may have come before. False: more pieces out of order than are kept.
  bool insert(std::uint64_t offset, Slice slice);
  // The peer's final size. False: it contradicts what came before.
  bool finish(std::uint64_t size);

  bool has_ready() const { return !ready_.empty(); }
  const Slice& front() const { return ready_.front(); }
  // Up to pieces.size() slices from the front; how many.
  std::size_t ready_pieces(std::span<Bytes> pieces) const {
    std::size_t n = std::min(pieces.size(), ready_.size());
    for (std::size_t i = 0; i < n; ++i) pieces[i] = ready_[i].bytes();
    return n;
  }
  void consume(std::size_t n);

  std::uint64_t highest() const { return highest_; }    // the end of what has come, for credit
  void note_highest(std::uint64_t end) { highest_ = end > highest_ ? end : highest_; }  // bytes that are not kept
  std::uint64_t consumed() const { return consumed_; }
  std::uint64_t ready() const { return received_ - consumed_; }
  bool done() const { return final_size_ && consumed_ == *final_size_; }
  bool final_known() const { return final_size_.has_value(); }

  // What waits longer than a turn must not hold blocks much larger than itself.
  void compact(BufferPool& pool);
  // Forgets the bytes as if they had been consumed.
  void clear();

 private:
  static constexpr std::size_t kMaxWaiting = 1024;
  // Pieces up to this share blocks while they wait: a peer that sends single bytes must not cost a block for each.
  static constexpr std::size_t kGather = 512;
  static constexpr std::size_t kGatherBlock = 2048;
  struct Waiting {
    std::uint64_t offset;
    Slice slice;
  };

  bool keep_waiting(std::uint64_t offset, Slice slice);
  static bool gather(Slice& tail, const Slice& piece);

  Ring<Slice> ready_;
  std::size_t compacted_ = 0;     // how many of ready_ were compacted
  bool gathering_ = false;        // the last of them is in a block of our own that may be filled up
  std::vector<Waiting> waiting_;  // sorted by offset; may overlap
  std::uint64_t received_ = 0;    // all before has come
  std::uint64_t consumed_ = 0;
  std::uint64_t highest_ = 0;
  std::optional<std::uint64_t> final_size_;
};

}  // namespace causeway::mux

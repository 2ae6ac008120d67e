// A byte stream of a mux joined to a socket of the driver: what both roles do for one, whatever else they know of it.
#pragma once

#include "core/engine/relays.h"
#include "core/mux/mux.h"

namespace causeway::engine {

struct StreamRelay {
  // A relay's bytes that wait for the carrier: beyond it the socket is not read.
  static constexpr std::uint64_t kUnsent = 256 * 1024;
  static constexpr std::size_t kReadBlock = BufferPool::kPacket;

  RelayId id = 0;
  link::StreamId stream = 0;
  bool dialling = true;
  bool paused = false;        // the driver was told to stop reading
  bool finish_given = false;  // the driver was told to shut down the sending side
  bool socket_finished = false;
  bool ending = false;  // reset by the peer; only what came before is still to be written
  bool writable_noted = false;

  bool reads(const mux::Mux& mux) {
    if (dialling || socket_finished || ending) return false;
    paused = mux.unsent(stream) >= kUnsent;
    return !paused;
  }
  // After kSent: true where the driver is to be told that it may read again.
  bool resumes(const mux::Mux& mux) {
    if (!paused || mux.unsent(stream) >= kUnsent / 2) return false;
    paused = false;
    return true;
  }
  // True once: all that the peer sent is written, and it has finished.
  bool drained(const mux::Mux& mux) {
    if (finish_given || dialling || !mux.read_done(stream)) return false;
    return finish_given = true;
  }
  void finished(mux::Mux& mux) {
    if (socket_finished || ending) return;
    socket_finished = true;
    mux.finish(stream);
  }
};

// The block that sockets are read into: a new one only where a stream has kept the last.
class ReadBlock {
 public:
  explicit ReadBlock(BufferPool& pool) : pool_(pool) {}
  MutableBytes space() {
    if (!block_ || !block_.unique()) block_ = pool_.take(StreamRelay::kReadBlock);
    return block_.bytes();
  }
  // The first `n` bytes of what space() gave last.
  Slice taken(std::size_t n) const { return {block_, block_.data(), n}; }

 private:
  BufferPool& pool_;
  Buffer block_;
};

}  // namespace causeway::engine

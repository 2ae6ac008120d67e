// What travels over a link: it fills records with frames, takes the frames of the peer's records, and hears which of its frames
// have arrived. mux::Mux is the one in programs; tests have their own.
#pragma once

#include <span>

#include "core/base/buffer.h"
#include "core/base/time.h"
#include "core/link/frame.h"

namespace causeway::link {

// Something in a record that matters until it is acknowledged: enough to forget it then, or to send it again on another carrier.
struct SentItem {
  FrameType type{};
  std::uint64_t id = 0;      // stream or listen
  std::uint64_t offset = 0;  // DATA
  std::uint32_t size = 0;    // DATA
};

// Where the writer of frames notes its items, one record after the other.
class SentItems {
 public:
  virtual void note(const SentItem& item) = 0;

 protected:
  ~SentItems() = default;
};

class Traffic {
 public:
  virtual ~Traffic() = default;

  virtual bool has_frames() const = 0;
  // Adds frames as long as they fit, of which at most `bulk` bytes are payload and its headers. 0 while too much is
  // unacknowledged: then only what frees memory is sent.
  virtual void write_frames(WireWriter& writer, SentItems& sent, std::size_t bulk, Instant now) = 0;
  // False: the frame breaks a rule; violation() says which.
  virtual bool frame_received(const Frame& frame, const Slice& record, Instant now) = 0;
  virtual const char* violation() const = 0;
  virtual void acknowledged(const SentItem& item) = 0;
  virtual void lost(const SentItem& item) = 0;
  // Something is open, so that a dead carrier should be noticed soon.
  virtual bool active() const = 0;
};

}  // namespace causeway::link

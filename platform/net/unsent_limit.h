// Sends on a TCP socket so that its kernel holds little unsent: what comes later waits behind it. How much that is goes by what the
// path carries in a moment, from a few KB on a slow one to as much as the kernel works best with on a fast one.
//
// TCP_NOTSENT_LOWAT alone does not do it: the kernel goes on filling the segment that it has begun, up to 64 KB. It is what says when
// half of the limit has been sent and there is room again.
#pragma once

#include <cstddef>
#include <span>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class UnsentLimit {
 public:
  static constexpr std::size_t kMost = 128 * 1024;  // the measured best where a path is fast
  static constexpr std::size_t kLeast = 4 * 1024;

  // What a connection begins with: kMost.
  static void set_on(int socket);

  // As send_pieces(). What is not taken whole is to be tried again when the socket is writable.
  Sent send(int socket, std::span<const Bytes> pieces, Instant now);
  // What is worth making ready to be sent. 0: nothing before the socket is writable.
  std::size_t room(int socket) const;

 private:
  bool limits() const { return bytes_ < kMost; }
  // What is sent as the last of several may end within a segment, and leaves as it is: so no write ends there while more follows.
  std::size_t whole_segments() const { return 2 * segment_ > bytes_ ? bytes_ : bytes_ / segment_ * segment_; }
  void look_at_path(int socket, Instant now);

  std::size_t bytes_ = kMost;
  std::size_t segment_ = 1;
  Instant look_at_{};
};

}  // namespace causeway::platform

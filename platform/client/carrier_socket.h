// A connected TCP socket as the engine's carrier: reads, writes, and says when the peer's host has acknowledged something.
#pragma once

#include <span>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "platform/loop/loop.h"
#include "platform/net/socket.h"
#include "platform/net/unsent_limit.h"

namespace causeway::platform {

// What every carrier's socket is set to before it connects (or when it was accepted): no delay, a short unsent queue, and
// bounds on how long the kernel waits for a peer that is gone.
void set_carrier_options(int socket);

class CarrierSocket {
 public:
  struct Callbacks {
    std::function<void()> readable;    // may destroy the carrier; the others may not
    std::function<void()> writable;    // after a write that was not taken whole, or no room
    std::function<void()> progressed;  // the kernel's count of acknowledged bytes has moved; at most once a second
  };
  CarrierSocket(Loop& loop, Descriptor socket, Callbacks callbacks);

  // 0: nothing is there now. An error ends the carrier; "closed" too.
  Result<std::size_t> read(MutableBytes space);
  // Gives how much was taken. Less than all: writable() will be called.
  Result<std::size_t> write(std::span<const Bytes> pieces);
  // The last write was not taken whole, or there is no room.
  bool blocked() const { return blocked_; }
  // How much is worth making ready for the next write. 0: writable() will be called.
  std::size_t room();
  // Of this end; none where the socket is not one of IP.
  std::optional<packet::Address> local_address() const;
  // FIN, behind everything written.
  void finish();

 private:
  void ready(int events);
  void check_progress();
  void wait_until_writable();

  Descriptor socket_;
  Callbacks callbacks_;
  bool blocked_ = false;
  UnsentLimit unsent_limit_;
  std::uint64_t acknowledged_ = 0;
  bool checking_ = false;
  Timer progress_;
  Poll poll_;  // before socket_ is closed
};

}  // namespace causeway::platform

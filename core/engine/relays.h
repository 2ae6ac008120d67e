// Sockets of the driver that an engine's byte streams are joined to, named by ids: what both roles offer for them.
//
// The engine asks for one with an event that says where to; dialled() or dial_failed() answer it. It lives until the event that closes
// it, or until the driver calls dial_failed() or relay_failed(). Calls that name an id which is gone do nothing. Nothing calls back.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/link/reason.h"

namespace causeway::engine {

using RelayId = std::uint32_t;

class Relays {
 public:
  virtual void dialled(RelayId relay, Instant now) = 0;
  virtual void dial_failed(RelayId relay, link::Reason why, Instant now) = 0;
  // Where to read the socket into (empty: stop reading until kResumeReading), then how much was read.
  virtual MutableBytes relay_space(RelayId relay) = 0;
  virtual void relay_received(RelayId relay, std::size_t n, Instant now) = 0;
  virtual void relay_finished(RelayId relay, Instant now) = 0;  // the other end of the socket sent FIN
  virtual void relay_failed(RelayId relay, link::Reason why,
                            Instant now) = 0;  // the socket died; the driver has closed it
  // What is to be written to the socket, in order, at most pieces.size() of it; then how much was.
  virtual std::size_t relay_transmit(RelayId relay, std::span<Bytes> pieces) = 0;
  virtual void relay_transmitted(RelayId relay, std::size_t n, Instant now) = 0;

 protected:
  ~Relays() = default;
};

}  // namespace causeway::engine

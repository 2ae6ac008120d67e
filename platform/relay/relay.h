// A relay's socket, joined to a stream or datagram flow of an engine by its id.
#pragma once

#include "core/engine/relays.h"
#include "platform/loop/deadline_list.h"
#include "platform/loop/loop.h"

namespace causeway::platform {

// What relays need of the driver. A relay that calls dial_failed() or failed() is destroyed within the call.
class RelayHost {
 public:
  virtual Loop& loop() = 0;
  virtual engine::Relays& relays() = 0;
  // The engine was told something: it is flushed at the end of this turn.
  virtual void touched() = 0;
  virtual void dial_failed(engine::RelayId relay, link::Reason why) = 0;
  virtual void failed(engine::RelayId relay, link::Reason why) = 0;
  virtual DeadlineList& dial_deadlines() = 0;

 protected:
  ~RelayHost() = default;
};

class Relay {
 public:
  virtual ~Relay() = default;

  // Once, when the driver knows the relay.
  virtual void start() = 0;
  // The engine has something to be written.
  virtual void writable() = 0;
  virtual void resume_reading() {}
  // Everything was written: shut the sending side down.
  virtual void finish() {}
  // The engine wants the socket closed, with RST or without; the relay is destroyed next.
  virtual void close(bool /*reset*/) {}
};

// What a failed dial or a socket's error is to the peer.
link::Reason reason_of(int error);

}  // namespace causeway::platform

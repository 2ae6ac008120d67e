// What the client engine needs of a userspace TCP/IP stack; tun::Stack implements it over lwIP.
//
// The engine demultiplexes: it knows every flow by its five-tuple and hands the stack only segments of connections that the
// stack has, so the stack never searches. A SYN is not handed in until the gateway's dial has been answered: accept() then
// completes the local handshake. The engine itself answers refusals (RST, ICMP).
//
// One thread. No call calls back: what happened is appended to events(), what is to be sent to the batch given to flush().
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/time.h"
#include "core/packet/batch.h"
#include "core/packet/parse.h"

namespace causeway::engine {

// Names a connection inside the stack; 0 is none. An id may be used again with the second call of take_events()
// behind its kClosed: until then calls that name it do nothing.
using ConnectionId = std::uint32_t;

struct StackSegment {
  ConnectionId connection = 0;
  packet::Parsed packet;  // its spans lie in `owner`
  Buffer owner;           // the stack keeps a handle while it needs the payload: no copy
};

struct StackEvent {
  enum class Kind : std::uint8_t {
    kEstablished,   // the app's ACK completed the handshake
    kReceived,      // `data`: bytes from the app, in order
    kWritable,      // write() may take more than before; `acknowledged` bytes were acknowledged by the app
    kFinished,      // the app has sent FIN; nothing more will be received
    kReset,         // the app reset the connection; kClosed follows
    kClosed,        // the connection is gone, its id free. Comes exactly once for each accepted connection
  };
  Kind kind;
  ConnectionId connection = 0;
  std::uint64_t cookie = 0;  // as given to accept()
  Slice data;
  std::size_t acknowledged = 0;
};

class Stack {
 public:
  virtual ~Stack() = default;

  // Answers the held SYN with a SYN-ACK. `syn` is a valid TCP SYN; any destination address and port will do. Gives 0 where the
  // stack cannot (its bound on connections was reached). Segments of this five-tuple then go to input() under the id.
  virtual ConnectionId accept(const packet::Parsed& syn, std::uint64_t cookie, Instant now) = 0;

  // Segments of accepted connections, in the order they arrived.
  virtual void input(std::span<const StackSegment> batch, Instant now) = 0;

  // Queues bytes towards the app and gives how many were taken, from the front of `data`; the rest waits for kWritable. The
  // stack keeps a handle to the block until the app has acknowledged the bytes: no copy of large slices.
  virtual std::size_t write(ConnectionId connection, const Slice& data) = 0;
  // FIN towards the app, behind everything written.
  virtual void finish(ConnectionId connection) = 0;
  // RST towards the app with the next flush(), behind what was written and fits its window; what else was queued is forgotten.
  // kClosed follows at the end of that flush().
  virtual void abort(ConnectionId connection) = 0;
  // `bytes` that kReceived handed over have been consumed: the app may send as many more. Until then they use up the
  // connection's receive window, so a stream without credit stops the app.
  virtual void consumed(ConnectionId connection, std::size_t bytes) = 0;

  // What happened since the last call; swapped into `out`, which must be empty.
  virtual void take_events(std::vector<StackEvent>& out) = 0;
  // Ends a turn: delayed acknowledgements are decided, packets appended to `out`. Their payload is lent until the next call.
  virtual void flush(packet::PacketBatch& out, Instant now) = 0;

  virtual Instant deadline() const = 0;  // kNever while every connection is idle
  virtual void advance(Instant now) = 0;
  virtual std::size_t connections() const = 0;
};

}  // namespace causeway::engine

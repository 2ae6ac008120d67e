// One stream as both ends keep it: what is on its way out, what came in, and how far its life is.
#pragma once

#include <memory>
#include <vector>

#include "core/link/frame.h"
#include "core/mux/credit.h"
#include "core/mux/receive_buffer.h"
#include "core/mux/scheduler.h"
#include "core/mux/send_buffer.h"

namespace causeway::mux {

using link::ListenId;
using link::Reason;
using link::StreamId;

struct QueuedDatagram {
  Slice bytes;
  Instant since{};
  std::uint64_t number = 0;
  std::uint32_t sent = 0;  // bytes of it
  std::size_t cost() const { return bytes.cost() + sizeof(QueuedDatagram); }
};

// What only OPEN says.
struct Opening {
  flow::Destination destination;
  packet::Endpoint source;
  ListenId listen = 0;
  std::uint8_t flags = 0;
  Slice first;  // OPEN's first bytes
};

// What a datagram flow has on its way out, and the datagram of the peer that is being put together.
struct Datagrams {
  Ring<QueuedDatagram> queue;
  std::size_t bytes = 0;   // what they cost
  std::uint64_t next = 0;  // the number of the next
  Slice assembly;
  std::uint64_t assembly_number = 0;
};

// There may be many that are idle: what most do not need for long stands apart.
struct Stream {
  // An end that was opened by the peer waits for accept() or refuse(); one opened here for OPENED or REFUSED.
  enum class State : std::uint8_t { kOpening, kOpen, kRefused, kReset };

  Stream(StreamId stream, flow::Protocol what, std::uint64_t send_credit, const Credit& receive_credit)
      : id(stream), send_limit(send_credit), credit(receive_credit), protocol(what) {
    if (carries_datagrams()) datagrams = std::make_unique<Datagrams>();
  }

  bool carries_datagrams() const { return !flow::is_stream(protocol); }
  bool has_data() const { return send.has_lost() || send.unsent() > 0; }
  bool fin_due() const { return finishing && !fin_sent && send.unsent() == 0 && !send.has_lost(); }

  const StreamId id;
  std::unique_ptr<Opening> opening;      // of a stream that was opened here, until its OPEN is acknowledged
  std::unique_ptr<Datagrams> datagrams;  // of datagram flows

  SendBuffer send;
  std::uint64_t send_limit;
  std::uint64_t raised_at = 0;  // what had been sent when the limit was last raised
  std::uint64_t sent_unreported = 0;

  ReceiveBuffer receive;
  Credit credit;
  Scheduler::Entry turn;

  const flow::Protocol protocol;
  State state = State::kOpening;
  Reason reason = Reason::kNone;  // after a refusal or reset
  bool local = false;             // opened here
  bool finishing = false, fin_sent = false, fin_acknowledged = false;
  bool peer_fin = false;

  // After a reset: that it has been acknowledged, and whether the peer told its final size.
  bool end_acknowledged = false;
  bool peer_ended = false;
  bool unforgotten = false;  // reset by the peer, and what came before may still be read

  // Pending work of this turn.
  bool readable_noted = false, sent_noted = false;
  bool unread_noted = false;  // is in the mux's list for settle()
  bool credit_queued = false;
  bool link_blocked = false;
};

}  // namespace causeway::mux

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

struct Stream {
  // An end that was opened by the peer waits for accept() or refuse(); one opened here for OPENED or REFUSED.
  enum class State : std::uint8_t { kOpening, kOpen, kRefused, kReset };

  Stream(StreamId stream, const flow::Destination& to, std::uint64_t send_credit, const Credit& receive_credit)
      : id(stream), destination(to), send_limit(send_credit), credit(receive_credit) {}

  bool carries_datagrams() const { return destination.protocol != flow::Protocol::kTcp; }
  bool has_data() const { return send.has_lost() || send.unsent() > 0; }
  bool fin_due() const { return finishing && !fin_sent && send.unsent() == 0 && !send.has_lost(); }

  StreamId id;
  ListenId listen = 0;
  bool local = false;  // opened here
  State state = State::kOpening;
  flow::Destination destination;
  packet::Endpoint source;
  Slice first;  // OPEN's first bytes, until it is acknowledged

  SendBuffer send;
  std::uint64_t send_limit;
  std::uint64_t raised_at = 0;  // what had been sent when the limit was last raised
  bool finishing = false, fin_sent = false, fin_acknowledged = false;
  std::uint64_t sent_unreported = 0;

  ReceiveBuffer receive;
  Credit credit;
  bool peer_fin = false;

  // After a reset: the reason, and that it has been acknowledged; and whether the peer told its final size.
  Reason reason = Reason::kNone;
  bool end_acknowledged = false;
  bool peer_ended = false;
  bool unforgotten = false;  // reset by the peer, and what came before may still be read

  Ring<QueuedDatagram> datagrams;
  std::size_t datagram_bytes = 0;   // what they cost
  std::uint64_t next_datagram = 0;
  Slice assembly;                   // the datagram that is being put together
  std::uint64_t assembly_number = 0;

  Scheduler::Entry turn;
  // Pending work of this turn.
  bool readable_noted = false, sent_noted = false;
  bool credit_queued = false;
  bool link_blocked = false;
};

}  // namespace causeway::mux

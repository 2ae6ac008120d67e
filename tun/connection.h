// One TCP connection: lwIP's control block and what we keep beside it.
#pragma once

#include "core/engine/stack.h"
#include "tun/send_queue.h"

struct tcp_pcb;

namespace causeway::tun {

class Attachment;

struct Connection {
  static constexpr std::uint32_t kNotBusy = UINT32_MAX;

  engine::ConnectionId id = 0;
  Attachment* owner = nullptr;  // null: the slot is free
  tcp_pcb* pcb = nullptr;       // null once lwIP is done with the connection
  std::uint64_t cookie = 0;

  SendQueue sent;           // holds what lwIP may still send again
  Buffer tail;              // where small writes are copied together
  std::uint32_t tail_used = 0;

  std::uint32_t unconsumed = 0;      // received bytes that consumed() has not given back
  std::uint32_t window = 0;          // how many of them there may be; grows as they are consumed
  std::uint32_t consumed = 0;        // of them, since the window last grew
  std::uint32_t last_busy = 0;       // the machine's period in which something was last received
  std::uint32_t acknowledged = 0;    // bytes acknowledged by the segment being taken in
  std::uint32_t last_ack_sent = 0;   // the acknowledgement number of the last packet sent
  std::uint16_t peer_mss = 0;
  std::uint32_t busy_index = kNotBusy;  // place in the attachment's list of connections with a timer

  bool established = false;
  bool finish_asked = false;
  bool finish_done = false;  // lwIP has the FIN
  bool abort_asked = false;  // the next flush() resets it
  bool aborting = false;     // our own abort(): no kReset
  bool reset = false;        // the app's reset, or it stopped answering
  bool touched = false;      // on the attachment's list of connections to look at when the turn ends
  bool ack_waits = false;    // on the attachment's list of delayed acknowledgements
};

}  // namespace causeway::tun

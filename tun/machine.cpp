#include "tun/machine.h"

#include <algorithm>
#include <array>

#include "lwip/ip.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "tun/attachment.h"
#include "tun/ip_output.h"
#include "tun/small_blocks.h"

namespace causeway::tun {
namespace {

Machine* the_machine = nullptr;

// What tcp_slowtmr() counts its calls with; a block that bears the present number is passed over.
std::uint8_t timer_calls = 0;

// The payload of a segment to the app, before the device cuts it: a packet of 65,535 bytes with an IPv6 header.
constexpr std::uint32_t kLargestSegment = 65535 - 40 - 20;
// The smallest that a peer may make us cut to; Linux keeps to the same.
constexpr std::uint16_t kSmallestMss = 88;
// A TUN device loses nothing to congestion. A loss makes lwIP come down from here, as it should.
constexpr std::uint32_t kCongestionWindow = 64 * 1024 * 1024;
// An app that has been told of as much is not waiting for a wider window.
constexpr std::uint32_t kWindowToSpare = 32 * 1024;
constexpr std::int16_t kFirstTimeout = 1000 / TCP_SLOW_INTERVAL;  // RFC 6298, section 2: a second

constexpr std::uint32_t kSmallestWindow = 0x10000;
// Over which connections are counted that share the windows' budget: long enough for each to have its turn.
constexpr Duration kBusyPeriod = std::chrono::milliseconds(200);

using EventKind = engine::StackEvent::Kind;

// RFC 9293, 3.10.7.4, and RFC 5961, section 5, in Linux's reading: lwIP takes windows and acknowledgements from segments that
// lie anywhere. A probe of a full window lies one byte before what is expected.
bool acceptable(const tcp_pcb& pcb, const packet::Parsed& segment) {
  const std::uint32_t end = segment.sequence + std::uint32_t(segment.payload.size());
  if (TCP_SEQ_LT(end, pcb.rcv_nxt - 1) || TCP_SEQ_GT(segment.sequence, pcb.rcv_nxt + pcb.rcv_wnd)) return false;
  return pcb.state == SYN_RCVD || !(segment.flags & packet::kAck) || TCP_SEQ_LEQ(segment.acknowledgement, pcb.snd_nxt);
}

}  // namespace

// What lwIP calls. It calls only from within begin() and end(), for the connection they are for.
struct Machine::Callbacks {
  static err_t established(void* argument, tcp_pcb*, err_t) {
    auto& connection = *static_cast<Connection*>(argument);
    connection.established = true;
    connection.owner->add_event(EventKind::kEstablished, connection);
    return ERR_OK;
  }

  static err_t received(void* argument, tcp_pcb*, pbuf* p, err_t) {
    auto& connection = *static_cast<Connection*>(argument);
    if (!p) {
      connection.owner->add_event(EventKind::kFinished, connection);
      return ERR_OK;
    }
    // One block, as segments come whole and none is kept out of order.
    CAUSEWAY_ASSERT(!p->next && p->len == p->tot_len);
    connection.owner->add_received(connection,
                                   {the_machine->incoming_, static_cast<const std::uint8_t*>(p->payload), p->len});
    pbuf_free(p);
    return ERR_OK;
  }

  static err_t acknowledged(void* argument, tcp_pcb*, u16_t length) {
    static_cast<Connection*>(argument)->acknowledged += length;
    return ERR_OK;
  }

  // lwIP has freed the control block, or is about to.
  static void ended(void* argument, err_t why) {
    auto& connection = *static_cast<Connection*>(argument);
    connection.pcb = nullptr;
    if (why == ERR_CLSD || connection.aborting) return;
    connection.reset = true;
    if (why != ERR_RST) ++the_machine->counters_.timed_out;
  }

  static void input_freed(pbuf*) {}
};

Machine::Machine(BufferPool& pool, Random& random, const StackOptions& options)
    : pool_(pool),
      options_{options.max_connections, std::clamp<std::uint32_t>(options.receive_window, kSmallestWindow, TCP_WND),
               options.receive_budget, std::min<std::uint32_t>(options.send_buffer, TCP_SND_BUF), options.ack_delay},
      sequence_hash_(random) {
  CAUSEWAY_ASSERT(!the_machine);
  the_machine = this;
  tcp_init();
  tcp_pcb* pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
  CAUSEWAY_ASSERT(tcp_bind(pcb, IP_ANY_TYPE, 1) == ERR_OK);
  listener_ = reinterpret_cast<tcp_pcb_listen*>(tcp_listen(pcb));
  tcp_accept(reinterpret_cast<tcp_pcb*>(listener_), Callbacks::established);
  tcp_listen_pcbs.listen_pcbs = nullptr;
}

Machine::~Machine() {
  CAUSEWAY_ASSERT(attachments == 0 && live_ == 0);
  tcp_listen_pcbs.listen_pcbs = listener_;
  listener_->next = nullptr;
  tcp_close(reinterpret_cast<tcp_pcb*>(listener_));
  the_machine = nullptr;
  SmallBlocks::instance().trim();
}

Machine& Machine::instance() {
  CAUSEWAY_ASSERT(the_machine);
  return *the_machine;
}

void Machine::set_now(Instant now) {
  now_ = std::max(now_, now);
  const auto period = std::uint32_t(now_.time_since_epoch() / kBusyPeriod) + 1;
  if (period == period_) return;
  busy_before_ = period == period_ + 1 ? busy_ : 0;
  busy_ = 0;
  period_ = period;
}

Duration Machine::tick_length() { return std::chrono::milliseconds(TCP_SLOW_INTERVAL); }

Connection* Machine::take_slot(Attachment& owner) {
  if (live_ >= options_.max_connections) {
    ++counters_.over_limit;
    return nullptr;
  }
  if (free_.empty()) {
    const std::size_t base = chunks_.size() * kSlotsPerChunk;
    chunks_.push_back(std::make_unique<Connection[]>(kSlotsPerChunk));
    for (std::size_t i = kSlotsPerChunk; i-- > 0;) {
      chunks_.back()[i].id = engine::ConnectionId(base + i + 1);
      free_.push_back(chunks_.back()[i].id);
    }
  }
  Connection& connection = *find(free_.back());
  free_.pop_back();
  ++live_;
  connection.owner = &owner;
  return &connection;
}

void Machine::give_back(Connection& connection) {
  CAUSEWAY_ASSERT(connection.owner && !connection.pcb && connection.sent.empty());
  release(connection, connection.unconsumed);
  const engine::ConnectionId id = connection.id;
  std::destroy_at(&connection);
  std::construct_at(&connection);
  connection.id = id;
  free_.push_back(id);
  --live_;
}

Connection* Machine::find(engine::ConnectionId id) {
  const std::size_t index = std::size_t(id) - 1;
  if (id == 0 || index / kSlotsPerChunk >= chunks_.size()) return nullptr;
  return &chunks_[index / kSlotsPerChunk][index % kSlotsPerChunk];
}

void Machine::drop_all(Attachment& owner) {
  for (const auto& chunk : chunks_) {
    for (std::size_t i = 0; i < kSlotsPerChunk; ++i) {
      Connection& connection = chunk[i];
      if (connection.owner != &owner) continue;
      connection.aborting = true;
      if (connection.pcb) enter(connection, [](tcp_pcb* pcb) { tcp_abandon(pcb, 0); });
      give_back(connection);
    }
  }
}

// Shows lwIP this connection and no other.
void Machine::begin(Connection& connection) {
  CAUSEWAY_ASSERT(!current_ && connection.pcb);
  current_ = &connection;
  connection.pcb->next = nullptr;
  tcp_active_pcbs = connection.pcb;
  tcp_ticks = std::uint32_t(now_.time_since_epoch() / tick_length());
}

void Machine::end(Connection& connection) {
  if (tcp_tw_pcbs) {
    // TIME-WAIT is there for segments that a network delayed; on this machine none are. Silent in this state.
    CAUSEWAY_ASSERT(tcp_tw_pcbs == connection.pcb);
    tcp_abort(connection.pcb);
    connection.pcb = nullptr;
  }
  tcp_active_pcbs = nullptr;
  current_ = nullptr;
  const std::uint32_t acknowledged = std::exchange(connection.acknowledged, 0);
  if (!connection.pcb) {
    connection.owner->closed(connection);
    return;
  }
  if (acknowledged == 0) return;
  release_sent(connection);
  connection.owner->add_acknowledged(connection, acknowledged);
}

void Machine::release_sent(Connection& connection) {
  const tcp_pcb* pcb = connection.pcb;
  std::uint32_t oldest = pcb->snd_lbb;
  // After a retransmission either list may begin earlier.
  for (const tcp_seg* first : {pcb->unsent, pcb->unacked}) {
    if (!first) continue;
    const std::uint32_t sequence = lwip_ntohl(first->tcphdr->seqno);
    if (TCP_SEQ_LT(sequence, oldest)) oldest = sequence;
  }
  connection.sent.release_before(oldest, [&](Buffer&& owner) { connection.owner->retire(std::move(owner)); });
  // An idle connection holds no memory.
  if (connection.sent.empty()) connection.tail = {};
}

bool Machine::open(Connection& connection, const packet::Parsed& syn) {
  CAUSEWAY_ASSERT(!current_ && (syn.flags & (packet::kSyn | packet::kAck | packet::kRst)) == packet::kSyn);
  // lwIP turns the header around in place, and the packet is not ours. What data a SYN has comes again.
  std::array<std::uint8_t, 60> header;
  const std::size_t size = std::size_t(syn.transport[12] >> 4) * 4;
  CAUSEWAY_ASSERT(size >= TCP_HLEN && size <= header.size() && size <= syn.transport.size());
  std::copy_n(syn.transport.begin(), size, header.begin());
  pbuf_custom packet{};
  packet.custom_free_function = Callbacks::input_freed;
  pbuf* p = pbuf_alloced_custom(PBUF_RAW, u16_t(size), PBUF_REF, &packet, header.data(), u16_t(size));

  current_ = &connection;
  tcp_ticks = std::uint32_t(now_.time_since_epoch() / tick_length());
  set_input_addresses(syn.tuple.source.address, syn.tuple.destination.address);
  listener_->next = nullptr;
  listener_->callback_arg = &connection;
  listener_->local_port = syn.tuple.destination.port;
  tcp_listen_pcbs.listen_pcbs = listener_;
  tcp_input(p, ip_data.current_input_netif);
  tcp_listen_pcbs.listen_pcbs = nullptr;
  tcp_pcb* pcb = std::exchange(tcp_active_pcbs, nullptr);
  current_ = nullptr;
  if (!pcb) return false;

  connection.pcb = pcb;
  connection.window = kSmallestWindow;
  connection.last_ack_sent = pcb->rcv_nxt;
  connection.peer_mss = std::max(pcb->mss, kSmallestMss);
  tcp_recv(pcb, Callbacks::received);
  tcp_sent(pcb, Callbacks::acknowledged);
  tcp_err(pcb, Callbacks::ended);
  tcp_nagle_disable(pcb);
  pcb->rto = pcb->sv = kFirstTimeout;
  pcb->snd_buf = options_.send_buffer;
  if (pcb->flags & TF_WND_SCALE) {
    pcb->rcv_wnd = pcb->rcv_ann_wnd = kSmallestWindow;
    // The window of a SYN-ACK is not scaled, so this is all the app has been told; lwIP believes it told everything.
    pcb->rcv_ann_right_edge = pcb->rcv_nxt + 0xffff;
  }
  ++counters_.accepted;
  return true;
}

void Machine::input(Connection& connection, const packet::Parsed& segment, const Buffer& owner) {
  if ((segment.flags & packet::kSyn) && !connection.established) {
    // The SYN again: so is its answer. lwIP would read its options anew, though they cannot be changed any more.
    const bool again = !(segment.flags & (packet::kAck | packet::kRst | packet::kFin)) &&
                       segment.sequence == connection.pcb->rcv_nxt - 1;
    if (!again) {
      ++counters_.segments_dropped;
      return;
    }
    enter(connection, [](tcp_pcb* pcb) {
      if (pcb->unacked && tcp_rexmit(pcb) == ERR_OK) tcp_output(pcb);
    });
    return;
  }
  CAUSEWAY_ASSERT(segment.tuple.source.port == connection.pcb->remote_port &&
                  segment.tuple.destination.port == connection.pcb->local_port);
  if (!acceptable(*connection.pcb, segment)) {
    ++counters_.segments_dropped;
    if (segment.flags & packet::kRst) return;
    enter(connection, [](tcp_pcb* pcb) {
      tcp_set_flags(pcb, TF_ACK_NOW);
      tcp_output(pcb);
    });
    return;
  }
  const bool was_established = connection.established;
  incoming_ = owner;
  pbuf_custom packet{};
  packet.custom_free_function = Callbacks::input_freed;
  // The header is turned around in place: the segment is ours, and nobody looks at it again.
  auto* bytes = const_cast<std::uint8_t*>(segment.transport.data());
  const auto size = u16_t(segment.transport.size());
  pbuf* p = pbuf_alloced_custom(PBUF_RAW, size, PBUF_REF, &packet, bytes, size);
  set_input_addresses(segment.tuple.source.address, segment.tuple.destination.address);
  enter(connection, [&](tcp_pcb* pcb) {
    // What acknowledges something new tells of the window as well, though it may be a segment that is sent again. lwIP would
    // move the window on at its old size, beyond what the app has room for.
    if (TCP_SEQ_BETWEEN(segment.acknowledgement, pcb->lastack + 1, pcb->snd_nxt)) pcb->snd_wl1 = segment.sequence - 1;
    tcp_input(p, ip_data.current_input_netif);
    if (connection.pcb && connection.established && !was_established) pcb->cwnd = kCongestionWindow;
  });
  incoming_ = {};
}

void Machine::tick(Connection& connection) {
  enter(connection, [](tcp_pcb* pcb) {
    --tcp_ticks;  // tcp_slowtmr() counts it up again
    pcb->last_timer = timer_calls++;
    tcp_slowtmr();
  });
}

bool Machine::queue(Connection& connection, const Buffer& owner, Bytes bytes) {
  tcp_pcb* pcb = connection.pcb;
  // A whole number of the peer's segments, and no more than half its window, so that a large one always fits some day.
  const std::uint32_t most = std::min(kLargestSegment, std::uint32_t(pcb->snd_wnd_max / 2));
  const std::uint32_t mss = std::max<std::uint32_t>(most - most % connection.peer_mss, connection.peer_mss);
  pcb->mss = std::max(pcb->mss, u16_t(mss));
  if (tcp_write(pcb, bytes.data(), u16_t(bytes.size()), 0) != ERR_OK) return false;
  connection.sent.hold(owner, pcb->snd_lbb);
  return true;
}

std::size_t Machine::window_left(const Connection& connection) {
  const tcp_pcb* pcb = connection.pcb;
  const std::uint32_t queued = pcb->snd_lbb - pcb->lastack;
  return pcb->snd_wnd > queued ? pcb->snd_wnd - queued : 0;
}

std::size_t Machine::send_space(const Connection& connection) {
  return connection.pcb->snd_queuelen < TCP_SND_QUEUELEN ? connection.pcb->snd_buf : 0;
}

void Machine::hold(Connection& connection, std::size_t bytes) {
  if (bytes > 0 && connection.unconsumed == 0) ++holding_;
  connection.unconsumed += std::uint32_t(bytes);
  if (connection.last_busy != period_) {
    connection.last_busy = period_;
    ++busy_;
  }
}

void Machine::release(Connection& connection, std::size_t bytes) {
  CAUSEWAY_ASSERT(bytes <= connection.unconsumed);
  connection.unconsumed -= std::uint32_t(bytes);
  connection.consumed += std::uint32_t(bytes);
  if (bytes > 0 && connection.unconsumed == 0) --holding_;
}

// Connections that send, or have something waiting, share the windows' budget, so that many uploads at once wait in their apps and
// not in the device's queue, where each would wait for all others' windows.
std::uint32_t Machine::window_of_each() const {
  const std::size_t sharing = std::max({holding_, busy_, busy_before_, std::size_t(1)});
  return std::uint32_t(std::clamp<std::size_t>(options_.receive_budget / sharing, kSmallestWindow, options_.receive_window));
}

// The next packet carries the wider window. One is sent for its sake only where an eighth more can be told of and the app is
// near the end of what it was told: until then its own segments bring about acknowledgements.
bool Machine::widen_window(Connection& connection) {
  tcp_pcb* pcb = connection.pcb;
  // It doubles with each half of it that was consumed, so a slow reader keeps a small one.
  if (connection.consumed >= connection.window / 2) {
    connection.window *= 2;
    connection.consumed = 0;
  }
  connection.window = std::min(connection.window, window_of_each());
  const std::uint32_t window = (pcb->flags & TF_WND_SCALE) ? connection.window : 0xffff;
  // What the app was told of is never taken back: a window shrinks as it is used up.
  const std::uint32_t room = window - std::min(window, connection.unconsumed);
  pcb->rcv_wnd = std::max(pcb->rcv_wnd, tcpwnd_size_t(room));
  if (pcb->state != ESTABLISHED && pcb->state != FIN_WAIT_1 && pcb->state != FIN_WAIT_2) return false;
  tcp_update_rcv_ann_wnd(pcb);
  const std::uint32_t left = pcb->rcv_ann_right_edge - pcb->rcv_nxt;
  const std::uint32_t unannounced = pcb->rcv_wnd - left;
  if (left >= kWindowToSpare || unannounced < window / 8) return false;
  pcb->rcv_ann_wnd = pcb->rcv_wnd;
  tcp_set_flags(pcb, TF_ACK_NOW);
  return true;
}

bool Machine::may_finish(const Connection& connection) {
  const tcp_pcb* pcb = connection.pcb;
  return !pcb->unsent || pcb->snd_lbb - pcb->lastack <= std::min(pcb->snd_wnd, pcb->cwnd);
}

bool Machine::has_timer(const Connection& connection) {
  const tcp_pcb* pcb = connection.pcb;
  return pcb && (pcb->unsent || pcb->unacked || pcb->state == SYN_RCVD);
}

bool Machine::owes_ack(const Connection& connection) {
  return connection.pcb && (connection.pcb->flags & TF_ACK_DELAY);
}

}  // namespace causeway::tun

#include "tun/attachment.h"

#include <algorithm>

#include "lwip/tcp.h"

namespace causeway::tun {
namespace {

// Slices at least as large are lent to lwIP, smaller ones copied together.
constexpr std::size_t kInPlace = 2048;
constexpr std::size_t kTailSize = 2048;

}  // namespace

Attachment::Attachment(Machine& machine) : machine_(machine) { ++machine_.attachments; }

Attachment::~Attachment() {
  machine_.drop_all(*this);
  --machine_.attachments;
}

Connection& Attachment::own(engine::ConnectionId id) {
  Connection* connection = machine_.find(id);
  CAUSEWAY_ASSERT(connection && connection->owner == this);
  return *connection;
}

// What was lent by the last flush() is free to go.
void Attachment::begin_call() {
  if (!lent_) return;
  lent_ = false;
  if (pending_.empty()) retired_.clear();
}

engine::ConnectionId Attachment::accept(const packet::Parsed& syn, std::uint64_t cookie, Instant now) {
  begin_call();
  machine_.set_now(now);
  Connection* connection = machine_.take_slot(*this);
  if (!connection) return 0;
  connection->cookie = cookie;
  if (!machine_.open(*connection, syn)) {
    machine_.give_back(*connection);
    return 0;
  }
  ++open_;
  touch(*connection);
  return connection->id;
}

void Attachment::input(std::span<const engine::StackSegment> batch, Instant now) {
  begin_call();
  machine_.set_now(now);
  for (const engine::StackSegment& segment : batch) {
    Connection& connection = own(segment.connection);
    ++machine_.counters().segments_in;
    if (!connection.pcb) {
      ++machine_.counters().segments_dropped;
      continue;
    }
    machine_.input(connection, segment.packet, segment.owner);
    if (connection.pcb) touch(connection);
  }
}

std::size_t Attachment::write(engine::ConnectionId id, const Slice& data) {
  begin_call();
  Connection& connection = own(id);
  CAUSEWAY_ASSERT(!connection.finish_asked);
  if (!connection.pcb || data.size == 0) return 0;
  const bool in_place = data.owner && data.size >= kInPlace;
  const std::size_t taken = in_place ? write_in_place(connection, data) : write_copied(connection, data.bytes());
  if (taken) touch(connection);
  return taken;
}

// What the app's window has no room for may wait for long, and must not hold blocks much larger than itself: many slices of
// other connections may lie in the same one.
std::size_t Attachment::write_in_place(Connection& connection, const Slice& data) {
  const std::size_t sendable = std::min(data.size, Machine::window_left(connection));
  std::size_t taken = queue_pieces(connection, data.owner, data.bytes().first(sendable));
  if (taken < sendable || taken == data.size) return taken;
  Slice rest = data;
  rest.remove_prefix(taken);
  rest.size = std::min(rest.size, Machine::send_space(connection));
  if (rest.size == 0) return taken;
  rest = machine_.pool().compact(std::move(rest));
  return taken + queue_pieces(connection, rest.owner, rest.bytes());
}

std::size_t Attachment::queue_pieces(Connection& connection, const Buffer& owner, Bytes data) {
  std::size_t taken = 0;
  while (taken < data.size()) {
    const std::size_t n = std::min({data.size() - taken, Machine::send_space(connection), std::size_t(0xffff)});
    if (n == 0 || !machine_.queue(connection, owner, data.subspan(taken, n))) break;
    taken += n;
  }
  return taken;
}

// The copies lie one behind the other, so that lwIP sees them as one piece.
std::size_t Attachment::write_copied(Connection& connection, Bytes data) {
  std::size_t taken = 0;
  while (taken < data.size()) {
    if (!connection.tail || connection.tail_used == kTailSize) {
      connection.tail = machine_.pool().take(kTailSize);
      connection.tail_used = 0;
    }
    const std::size_t n =
        std::min({data.size() - taken, Machine::send_space(connection), kTailSize - connection.tail_used});
    if (n == 0) break;
    const MutableBytes place = connection.tail.bytes().subspan(connection.tail_used, n);
    copy_bytes(place, data.subspan(taken, n));
    if (!machine_.queue(connection, connection.tail, place)) break;
    connection.tail_used += std::uint32_t(n);
    taken += n;
  }
  return taken;
}

void Attachment::finish(engine::ConnectionId id) {
  begin_call();
  Connection& connection = own(id);
  if (!connection.pcb || connection.finish_asked) return;
  connection.finish_asked = true;
  touch(connection);
}

void Attachment::abort(engine::ConnectionId id) {
  begin_call();
  Connection& connection = own(id);
  if (!connection.pcb) return;
  connection.abort_asked = true;
  touch(connection);
}

void Attachment::consumed(engine::ConnectionId id, std::size_t bytes) {
  begin_call();
  Connection& connection = own(id);
  machine_.release(connection, bytes);
  if (connection.pcb && machine_.widen_window(connection)) touch(connection);
}

void Attachment::take_events(std::vector<engine::StackEvent>& out) {
  CAUSEWAY_ASSERT(out.empty());
  out.swap(events_);
  // Who works through the events may still name a connection whose kClosed stands further back: its id is free with the next call.
  for (const engine::ConnectionId id : closed_taken_) machine_.give_back(own(id));
  closed_taken_.clear();
  closed_taken_.swap(closed_);
}

void Attachment::flush(packet::PacketBatch& out, Instant now) {
  begin_call();
  machine_.set_now(now);
  for (Connection* connection : touched_) {
    // The slot may have gone to another since.
    if (connection->owner != this) continue;
    connection->touched = false;
    if (connection->pcb) settle(*connection);
  }
  touched_.clear();
  prune_delayed_acks();

  if (out.empty()) {
    std::swap(out, pending_);
  } else {
    for (const packet::OutgoingPacket& p : pending_.packets()) {
      const Bytes header = pending_.header(p);
      const MutableBytes place = out.begin(header.size(), p.offload);
      std::copy(header.begin(), header.end(), place.begin());
      for (const Bytes piece : pending_.pieces(p)) out.add_piece(piece);
    }
  }
  pending_.clear();
  lent_ = true;
}

void Attachment::touch(Connection& connection) {
  if (connection.touched) return;
  connection.touched = true;
  touched_.push_back(&connection);
}

// Sends what the turn has left to send: data and FIN, then an acknowledgement where none of them carried it, or a reset.
void Attachment::settle(Connection& connection) {
  if (connection.established) {
    if (connection.finish_asked && !connection.finish_done && Machine::may_finish(connection)) {
      connection.finish_done = true;
      machine_.enter(connection, [](tcp_pcb* pcb) { CAUSEWAY_ASSERT(tcp_shutdown(pcb, 0, 1) == ERR_OK); });
    }
    machine_.enter(connection, [&](tcp_pcb* pcb) {
      // RFC 9293, 3.8.6.3: at the latest every second segment is acknowledged.
      const std::uint32_t owed = pcb->rcv_nxt - connection.last_ack_sent;
      if ((pcb->flags & TF_ACK_DELAY) && owed > 2u * connection.peer_mss) tcp_set_flags(pcb, TF_ACK_NOW);
      if (pcb->unsent || (pcb->flags & TF_ACK_NOW)) tcp_output(pcb);
    });
    if (Machine::owes_ack(connection) && !connection.ack_waits) {
      connection.ack_waits = true;
      delayed_acks_.push_back({&connection, machine_.now() + machine_.options().ack_delay});
    }
  }
  if (connection.abort_asked) {
    connection.aborting = true;
    machine_.enter(connection, [](tcp_pcb* pcb) {
      // A probe of a closed window was not taken, and RFC 5961 has the app believe a RST with the exact number only.
      const std::uint32_t edge = pcb->lastack + pcb->snd_wnd;
      if (std::int32_t(pcb->snd_nxt - edge) > 0) pcb->snd_nxt = edge;
      tcp_abort(pcb);
    });
    return;
  }
  update_timer(connection);
}

void Attachment::update_timer(Connection& connection) {
  const bool busy = connection.busy_index != Connection::kNotBusy;
  if (Machine::has_timer(connection) == busy) return;
  if (busy) {
    busy_[connection.busy_index] = busy_.back();
    busy_[connection.busy_index]->busy_index = connection.busy_index;
    busy_.pop_back();
    connection.busy_index = Connection::kNotBusy;
    if (busy_.empty()) next_tick_ = kNever;
  } else {
    if (busy_.empty()) next_tick_ = machine_.now() + Machine::tick_length();
    connection.busy_index = std::uint32_t(busy_.size());
    busy_.push_back(&connection);
  }
}

// Replies have carried some of the acknowledgements: nobody needs to wake up for those.
void Attachment::prune_delayed_acks() {
  while (!delayed_acks_.empty()) {
    Connection& first = *delayed_acks_.front().connection;
    const bool ours = first.owner == this;
    if (ours && Machine::owes_ack(first)) return;
    if (ours) first.ack_waits = false;
    delayed_acks_.pop_front();
  }
}

Instant Attachment::deadline() const {
  Instant deadline = next_tick_;
  if (!delayed_acks_.empty()) deadline = std::min(deadline, delayed_acks_.front().deadline);
  return deadline;
}

void Attachment::advance(Instant now) {
  begin_call();
  machine_.set_now(now);
  if (now >= next_tick_) {
    next_tick_ = now + Machine::tick_length();
    // Backwards, as one that leaves the list gives its place to the last.
    for (std::size_t i = busy_.size(); i-- > 0;) {
      Connection& connection = *busy_[i];
      machine_.tick(connection);
      if (connection.pcb) update_timer(connection);
    }
  }
  while (!delayed_acks_.empty() && delayed_acks_.front().deadline <= now) {
    Connection& connection = *delayed_acks_.pop_front().connection;
    if (connection.owner != this) continue;
    connection.ack_waits = false;
    if (!Machine::owes_ack(connection)) continue;
    machine_.enter(connection, [](tcp_pcb* pcb) {
      tcp_set_flags(pcb, TF_ACK_NOW);
      tcp_output(pcb);
    });
  }
}

void Attachment::add_event(engine::StackEvent::Kind kind, Connection& connection) {
  engine::StackEvent& event = events_.emplace_back();
  event.kind = kind;
  event.connection = connection.id;
  event.cookie = connection.cookie;
}

void Attachment::add_received(Connection& connection, Slice data) {
  machine_.hold(connection, data.size);
  add_event(engine::StackEvent::Kind::kReceived, connection);
  events_.back().data = std::move(data);
}

void Attachment::add_acknowledged(Connection& connection, std::size_t bytes) {
  if (events_.empty() || events_.back().connection != connection.id ||
      events_.back().kind != engine::StackEvent::Kind::kWritable) {
    add_event(engine::StackEvent::Kind::kWritable, connection);
  }
  events_.back().acknowledged += bytes;
}

void Attachment::closed(Connection& connection) {
  update_timer(connection);
  connection.sent.release_all([this](Buffer&& owner) { retire(std::move(owner)); });
  connection.tail = {};
  --open_;
  if (connection.reset) add_event(engine::StackEvent::Kind::kReset, connection);
  add_event(engine::StackEvent::Kind::kClosed, connection);
  closed_.push_back(connection.id);
}

void Attachment::retire(Buffer&& owner) {
  if (lent_ || !pending_.empty()) retired_.push_back(std::move(owner));
}

}  // namespace causeway::tun

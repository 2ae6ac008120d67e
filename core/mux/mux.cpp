#include "core/mux/mux.h"

#include <algorithm>

namespace causeway::mux {
Mux::Mux(Role role, BufferPool& pool, const Settings& settings)
    : role_(role),
      pool_(pool),
      settings_(settings),
      next_local_(role == Role::kClient ? 1 : 2),
      share_(settings),
      link_send_limit_(settings.peer.link_credit),
      link_credit_(settings.own.link_credit, settings.max_link_window) {}

Mux::~Mux() = default;

Mux::Share::Share(const Settings& s) {
  std::uint64_t streams = std::max<std::uint64_t>(s.own.max_streams + s.peer.max_streams, 1);
  send_reserve = s.peer.link_credit / 4;
  receive_reserve = s.own.link_credit / 4;
  send_least = std::max(send_reserve / streams, kLeast);
  receive_least = std::max(receive_reserve / streams, kLeast);
}

Stream* Mux::find(StreamId stream) {
  auto it = streams_.find(stream);
  return it == streams_.end() ? nullptr : &it->second;
}

const Stream* Mux::find(StreamId stream) const {
  auto it = streams_.find(stream);
  return it == streams_.end() ? nullptr : &it->second;
}

Stream& Mux::get(StreamId stream) {
  Stream* found = find(stream);
  CAUSEWAY_ASSERT(found);
  return *found;
}

bool Mux::violates(const char* rule) {
  violation_ = rule;
  return false;
}

void Mux::emit(MuxEvent::Kind kind, StreamId stream, Reason reason) {
  MuxEvent event{};
  event.kind = kind;
  event.stream = stream;
  event.reason = reason;
  events_.push_back(std::move(event));
}

StreamId Mux::open(const flow::Destination& destination, const packet::Endpoint& source, ListenId listen,
                   const Slice& first, std::uint8_t flags) {
  CAUSEWAY_ASSERT(first.size <= link::kMaxFirstBytes);
  if (local_open_ >= settings_.peer.max_streams) return 0;
  StreamId id = next_local_;
  next_local_ += 2;
  ++local_open_;
  Credit credit(settings_.own.stream_credit, settings_.max_stream_window);
  Stream& stream =
      streams_.try_emplace(id, id, destination.protocol, settings_.peer.stream_credit, credit).first->second;
  stream.local = true;
  stream.opening = std::make_unique<Opening>(Opening{destination, source, listen, flags, pool_.compact(first)});
  if (!stream.carries_datagrams() && first.size > 0) {
    CAUSEWAY_ASSERT(first.size <= new_bytes_allowed(stream));
    stream.send.skip(first.size);
    link_sent_ += first.size;
  }
  queue_control(FrameType::kOpen, id);
  return id;
}

void Mux::accept(StreamId id) {
  Stream* stream = find(id);
  if (!stream || stream->state != Stream::State::kOpening) return;
  CAUSEWAY_ASSERT(!stream->local);
  stream->state = Stream::State::kOpen;
  queue_control(FrameType::kOpened, id);
}

void Mux::refuse(StreamId id, Reason reason) {
  Stream* stream = find(id);
  if (!stream || stream->state != Stream::State::kOpening) return;
  CAUSEWAY_ASSERT(!stream->local);
  discard(*stream);
  stream->state = Stream::State::kRefused;
  stream->reason = reason;
  queue_control(FrameType::kRefused, id);
}

bool Mux::writable(StreamId id) const {
  const Stream* stream = find(id);
  return stream && stream->state == Stream::State::kOpen && !stream->finishing;
}

void Mux::write(StreamId id, Slice bytes) {
  Stream& stream = get(id);
  CAUSEWAY_ASSERT(stream.state == Stream::State::kOpen && !stream.finishing);
  stream.send.append(std::move(bytes), pool_);
  schedule(stream);
}

std::uint64_t Mux::unsent(StreamId id) const {
  const Stream* stream = find(id);
  return stream ? stream->send.unsent() : 0;
}

std::uint64_t Mux::take_sent(StreamId id) {
  Stream* stream = find(id);
  if (!stream) return 0;
  stream->sent_noted = false;
  return std::exchange(stream->sent_unreported, 0);
}

void Mux::finish(StreamId id) {
  Stream& stream = get(id);
  CAUSEWAY_ASSERT(stream.state == Stream::State::kOpen);
  if (stream.finishing) return;
  stream.finishing = true;
  schedule(stream);
}

void Mux::reset(StreamId id, Reason reason) {
  Stream* stream = find(id);
  if (!stream || stream->state == Stream::State::kReset || stream->state == Stream::State::kRefused) return;
  if (!stream->local && stream->state == Stream::State::kOpening) {
    refuse(id, reason);
    return;
  }
  discard(*stream);
  stream->state = Stream::State::kReset;
  stream->reason = reason;
  queue_control(FrameType::kReset, id);
}

void Mux::send_datagram(StreamId id, Slice bytes, Instant now) {
  Stream* stream = find(id);
  CAUSEWAY_ASSERT(stream && stream->carries_datagrams());
  bool ended = stream->state == Stream::State::kReset || stream->state == Stream::State::kRefused;
  Datagrams& datagrams = *stream->datagrams;
  QueuedDatagram datagram{pool_.compact(std::move(bytes)), now, datagrams.next, 0};
  if (ended || datagram.bytes.size > link::kMaxDatagram ||
      datagrams.bytes + datagram.cost() > settings_.datagram_queue_per_flow ||
      datagram_bytes_ + datagram.cost() > settings_.datagram_queue) {
    ++counters_.datagrams_dropped;
    return;
  }
  ++datagrams.next;
  datagram_bytes_ += datagram.cost();
  datagrams.bytes += datagram.cost();
  datagrams.queue.push_back(std::move(datagram));
  schedule(*stream);
}

bool Mux::has_readable(StreamId id) const {
  const Stream* stream = find(id);
  return stream && stream->receive.has_ready();
}

const Slice& Mux::readable(StreamId id) const { return find(id)->receive.front(); }

std::size_t Mux::readable(StreamId id, std::span<Bytes> pieces) const {
  const Stream* stream = find(id);
  return stream ? stream->receive.ready_pieces(pieces) : 0;
}

void Mux::consume(StreamId id, std::size_t n) {
  Stream& stream = get(id);
  stream.receive.consume(n);
  if (!stream.receive.has_ready()) stream.readable_noted = false;
  consumed_by_link(n);
  grant(stream);
  if (stream.receive.done()) close_if_through(stream);
}

void Mux::grant(Stream& stream) {
  if (stream.state != Stream::State::kOpen || stream.receive.final_known()) return;
  std::uint64_t held = link_received_ - link_consumed_;
  std::uint64_t left = settings_.max_link_window > held ? settings_.max_link_window - held : 0;
  if (!stream.credit.consumed(stream.receive.consumed(), left / 8, share_.receiver(link_receive_left()) / 2, round_trip_, now_)) return;
  if (stream.credit_queued) return;
  stream.credit_queued = true;
  queue_control(FrameType::kCredit, stream.id);
}

// What is worth telling a sender shrinks with the link's credit. What was not, when it was consumed, may be now.
void Mux::grant_again() {
  std::uint64_t worthwhile = share_.receiver(link_receive_left());
  if (worthwhile > granted_again_ / 2) {
    granted_again_ = std::max(granted_again_, worthwhile);
    return;
  }
  granted_again_ = worthwhile;
  for (auto& [id, stream] : streams_) grant(stream);
}

bool Mux::read_done(StreamId id) const {
  const Stream* stream = find(id);
  return !stream || stream->receive.done();
}

void Mux::consumed_by_link(std::uint64_t n) {
  link_consumed_ += n;
  // What stalled readers hold does not come back, and may be more than any fixed part of the window: so also when it doubles what
  // is left.
  std::uint64_t worthwhile = std::min(settings_.own.link_credit / 8, link_receive_left());
  if (!link_credit_.consumed(link_consumed_, kMaxVarint, worthwhile, round_trip_, now_) || link_credit_queued_) return;
  link_credit_queued_ = true;
  queue_control(FrameType::kCredit, 0);
}

ListenId Mux::listen(Bytes parameters) {
  CAUSEWAY_ASSERT(role_ == Role::kClient && parameters.size() <= link::kMaxParameters);
  if (listens_.size() >= kMaxListens) return 0;
  ListenId id = next_listen_++;
  listens_[id].parameters.assign(parameters.begin(), parameters.end());
  queue_control(FrameType::kListen, id);
  return id;
}

void Mux::listening(ListenId id, Bytes parameters) {
  CAUSEWAY_ASSERT(role_ == Role::kGateway && parameters.size() <= link::kMaxParameters);
  auto it = listens_.find(id);
  if (it == listens_.end() || it->second.ended) return;
  it->second.parameters.assign(parameters.begin(), parameters.end());
  queue_control(FrameType::kListening, id);
}

void Mux::unlisten(ListenId id, Reason reason, std::string_view text) {
  auto it = listens_.find(id);
  if (it == listens_.end() || it->second.ended) return;
  it->second.ended = true;
  it->second.reason = reason;
  it->second.text = text.substr(0, link::kMaxText);
  it->second.parameters = {};
  queue_control(FrameType::kUnlisten, id);
}

void Mux::schedule(Stream& stream) { scheduler_.add(stream.id, stream.turn); }

// Forgets what was to be sent and what came; the peer's bytes count as consumed.
void Mux::discard(Stream& stream) {
  discard_unsent(stream);
  if (stream.datagrams) {
    assembly_bytes_ -= stream.datagrams->assembly.cost();
    stream.datagrams->assembly = Slice();
  }
  std::uint64_t unread = stream.receive.highest() - stream.receive.consumed();
  stream.receive.clear();
  if (unread > 0) consumed_by_link(unread);
}

void Mux::discard_unsent(Stream& stream) {
  stream.send.clear();
  while (stream.datagrams && !stream.datagrams->queue.empty()) pop_datagram(*stream.datagrams);
}

void Mux::pop_datagram(Datagrams& datagrams) {
  std::size_t cost = datagrams.queue.pop_front().cost();
  datagrams.bytes -= cost;
  datagram_bytes_ -= cost;
}

void Mux::forget(StreamId id) {
  Stream* stream = find(id);
  if (!stream || !stream->unforgotten) return;
  stream->unforgotten = false;
  discard(*stream);
  erase_if_ended(*stream);
}

void Mux::erase_if_ended(Stream& stream) {
  if (stream.end_acknowledged && stream.peer_ended && !stream.unforgotten) erase(stream.id);
}

void Mux::close_if_through(Stream& stream) {
  if (stream.state != Stream::State::kOpen || !stream.fin_acknowledged || !stream.receive.done()) return;
  emit(MuxEvent::Kind::kClosed, stream.id);
  erase(stream.id);
}

void Mux::erase(StreamId id) {
  Stream& stream = get(id);
  discard(stream);
  --(stream.local ? local_open_ : peer_open_);
  streams_.erase(id);
}

void Mux::lose_all() {
  std::vector<StreamId> ids;
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (StreamId id : ids) {
    const Stream& stream = get(id);
    if (stream.local && stream.state == Stream::State::kOpening) {
      emit(MuxEvent::Kind::kRefused, id, Reason::kLinkLost);
    } else if (stream.state == Stream::State::kOpening || stream.state == Stream::State::kOpen) {
      emit(MuxEvent::Kind::kReset, id, Reason::kLinkLost);
    }
    erase(id);
  }
}

void Mux::settle() {
  for (StreamId id : unread_) {
    Stream* stream = find(id);
    if (!stream) continue;
    stream->readable_noted = stream->unread_noted = false;
    stream->receive.compact(pool_);
  }
  unread_.clear();
}

}  // namespace causeway::mux

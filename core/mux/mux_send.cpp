// The way out: control frames first, then streams in the scheduler's order.
#include <algorithm>

#include "core/mux/mux.h"

namespace causeway::mux {
namespace {

// A record with less room than this is full: a smaller frame of bulk would cost more than it carries.
constexpr std::size_t kWorthwhile = 256;

bool is_listen(link::FrameType type) {
  return type == link::FrameType::kListen || type == link::FrameType::kListening || type == link::FrameType::kUnlisten;
}

}  // namespace

bool Mux::has_frames() const { return !again_.empty() || !control_.empty() || !scheduler_.empty(); }

void Mux::write_frames(WireWriter& writer, link::SentItems& sent, std::size_t bulk, Instant now) {
  now_ = now;
  if (!write_control(writer, sent) || bulk == 0) return;
  writer.limit(bulk);
  while (!scheduler_.empty()) {
    const Scheduler::Turn head = scheduler_.head();
    Stream* stream = find(head.id);
    if (!stream) {
      scheduler_.forget();
      continue;
    }
    if (head.mark) {
      scheduler_.pass(stream->turn);
      continue;
    }
    if (stream->turn.deficit < std::int32_t(kWorthwhile)) {
      scheduler_.rotate(stream->turn);
      continue;
    }
    if (writer.room() < kWorthwhile) return;
    std::size_t before = writer.size();
    bool more = stream->carries_datagrams() ? write_datagrams(*stream, writer, now)
                                            : write_data(*stream, writer, sent);
    stream->turn.deficit -= std::int32_t(writer.size() - before);
    if (!more) {
      scheduler_.done(stream->turn);
    } else if (stream->turn.deficit >= std::int32_t(kWorthwhile)) {
      return;  // the record is full
    }
  }
}

bool Mux::write_control(WireWriter& writer, link::SentItems& sent) {
  for (; losing_ && leftover_ > 0; --leftover_) again_.push_back(again_.pop_front());
  losing_ = false;
  for (Ring<Control>* queue : {&again_, &control_}) {
    while (!queue->empty()) {
      if (!write_one(queue->front(), writer, sent)) return false;
      queue->pop_front();
    }
  }
  return true;
}

// False: it does not fit any more. What has become pointless since it was queued is passed over.
bool Mux::write_one(const Control& control, WireWriter& writer, link::SentItems& sent) {
  if (is_listen(control.type)) return write_listen(control, writer, sent);
  if (control.type == FrameType::kCredit && control.id == 0) {
    if (writer.room() < link::kSmallFrame) return false;
    link_credit_queued_ = false;
    link::write_credit(writer, 0, link_credit_.limit());
    sent.note({control.type, 0, 0, 0});
    return true;
  }
  Stream* stream = find(control.id);
  if (!stream) return true;
  const bool opens = control.type == FrameType::kOpen;
  if (writer.room() < link::kSmallFrame + (opens ? link::kOpenOverhead + stream->opening->first.size : 0)) return false;
  switch (control.type) {
    case FrameType::kOpen: {
      link::OpenFrame open;
      open.stream = stream->id;
      open.listen = stream->opening->listen;
      open.flags = stream->opening->flags;
      open.destination = stream->opening->destination;
      open.source = stream->opening->source;
      open.first = stream->opening->first.bytes();
      link::write_open(writer, open);
      break;
    }
    case FrameType::kOpened:
      if (stream->state != Stream::State::kOpen) return true;
      link::write_opened(writer, stream->id);
      break;
    case FrameType::kRefused:
      link::write_refused(writer, stream->id, stream->reason);
      break;
    case FrameType::kCredit:
      stream->credit_queued = false;
      if (stream->state != Stream::State::kOpen) return true;
      link::write_credit(writer, stream->id, stream->credit.limit());
      break;
    case FrameType::kReset:
      link::write_reset(writer, stream->id, stream->reason, stream->send.next());
      break;
    default:
      CAUSEWAY_ASSERT(false);
  }
  sent.note({control.type, stream->id, 0, 0});
  return true;
}

bool Mux::write_listen(const Control& control, WireWriter& writer, link::SentItems& sent) {
  auto it = listens_.find(control.id);
  if (it == listens_.end()) return true;
  const Listen& listen = it->second;
  switch (control.type) {
    case FrameType::kListen:
      // Ids come without gaps: also for one that was given up before it was ever sent.
      if (writer.room() < link::kParametersOverhead + listen.parameters.size()) return false;
      link::write_listen(writer, control.id, listen.parameters);
      break;
    case FrameType::kListening:
      if (listen.ended) return true;
      if (writer.room() < link::kParametersOverhead + listen.parameters.size()) return false;
      link::write_listening(writer, control.id, listen.parameters);
      break;
    default:
      if (writer.room() < link::kTextFrame) return false;
      link::write_unlisten(writer, control.id, listen.reason, listen.text);
  }
  sent.note({control.type, control.id, 0, 0});
  return true;
}

// How many bytes that were never sent may go now.
std::uint64_t Mux::new_bytes_allowed(const Stream& stream) const {
  std::uint64_t link_left = link_send_limit_ - link_sent_;
  std::uint64_t limit = std::min(stream.send_limit, stream.raised_at + share_.sender(link_left));
  return limit > stream.send.next() ? std::min(limit - stream.send.next(), link_left) : 0;
}

std::size_t Mux::first_bytes() const {
  const std::uint64_t link_left = link_send_limit_ - link_sent_;
  return std::size_t(std::min<std::uint64_t>(
      {settings_.peer.stream_credit, share_.sender(link_left), link_left, link::kMaxFirstBytes}));
}

// True: there is more to send, and it may be sent, but not in this record or turn.
bool Mux::write_data(Stream& stream, WireWriter& writer, link::SentItems& sent) {
  if (stream.state != Stream::State::kOpen) return false;
  while (stream.has_data()) {
    if (writer.room() <= link::kDataOverhead) return true;
    Range chunk = stream.send.chunk(writer.room() - link::kDataOverhead, new_bytes_allowed(stream));
    if (chunk.size() == 0) {
      if (stream.send_limit > stream.send.next() && !stream.link_blocked) {
        stream.link_blocked = true;
        link_blocked_.push_back(stream.id);
      }
      return false;
    }
    std::uint64_t before = stream.send.next();
    MutableBytes out = link::write_data(writer, stream.id, chunk.begin, std::size_t(chunk.size()));
    stream.send.send(chunk, out);
    sent.note({FrameType::kData, stream.id, chunk.begin, std::uint32_t(chunk.size())});
    std::uint64_t fresh = stream.send.next() - before;
    link_sent_ += fresh;
    stream.sent_unreported += fresh;
    if (!stream.sent_noted && fresh > 0) {
      stream.sent_noted = true;
      emit(MuxEvent::Kind::kSent, stream.id);
    }
    if (writer.room() < kWorthwhile) break;
  }
  if (stream.has_data()) return true;
  if (stream.fin_due()) {
    if (writer.room() < link::kSmallFrame) return true;
    link::write_fin(writer, stream.id, stream.send.end());
    sent.note({FrameType::kFin, stream.id, 0, 0});
    stream.fin_sent = true;
  }
  return false;
}

bool Mux::write_datagrams(Stream& stream, WireWriter& writer, Instant now) {
  Datagrams& datagrams = *stream.datagrams;
  while (!datagrams.queue.empty()) {
    QueuedDatagram& d = datagrams.queue.front();
    if (d.sent == 0 && now - d.since > settings_.datagram_age) {
      ++counters_.datagrams_dropped;
      pop_datagram(datagrams);
      continue;
    }
    std::size_t left = d.bytes.size - d.sent;
    if (writer.room() < link::kDatagramOverhead + std::min(left, kWorthwhile)) return true;
    std::size_t n = std::min(left, writer.room() - link::kDatagramOverhead);
    MutableBytes out = link::write_datagram(writer, stream.id, d.number, d.sent, n == left, n);
    copy_bytes(out, {d.bytes.data + d.sent, n});
    d.sent += std::uint32_t(n);
    if (n < left) return true;
    pop_datagram(datagrams);
  }
  return false;
}

void Mux::acknowledged(const link::SentItem& item) {
  if (item.type == FrameType::kListen || item.type == FrameType::kListening) {
    if (auto it = listens_.find(item.id); it != listens_.end()) it->second.parameters = {};
    return;
  }
  if (item.type == FrameType::kUnlisten) {
    listens_.erase(item.id);
    return;
  }
  Stream* stream = find(item.id);
  if (!stream) return;
  switch (item.type) {
    case FrameType::kOpen:
      stream->opening.reset();
      break;
    case FrameType::kData:
      if (stream->state == Stream::State::kOpen) stream->send.acknowledged({item.offset, item.offset + item.size});
      break;
    case FrameType::kFin:
      stream->fin_acknowledged = true;
      close_if_through(*stream);
      break;
    case FrameType::kRefused:
      erase(item.id);
      break;
    case FrameType::kReset:
      stream->end_acknowledged = true;
      erase_if_ended(*stream);
      break;
    default:
      break;
  }
}

void Mux::lost(const link::SentItem& item) {
  if (!losing_) leftover_ = again_.size();
  losing_ = true;
  if (is_listen(item.type) || item.id == 0) {
    again_.push_back({item.type, item.id});
    return;
  }
  Stream* stream = find(item.id);
  if (!stream) return;
  switch (item.type) {
    case FrameType::kData:
      if (stream->state != Stream::State::kOpen) return;
      stream->send.lost({item.offset, item.offset + item.size});
      schedule(*stream);
      return;
    case FrameType::kFin:
      stream->fin_sent = false;
      schedule(*stream);
      return;
    default:
      again_.push_back({item.type, item.id});
  }
}

}  // namespace causeway::mux

// The way in: every frame is held against the rules before anything is kept of it.
#include <algorithm>

#include "core/mux/mux.h"

namespace causeway::mux {

bool Mux::frame_received(const link::Frame& frame, const Slice& record, Instant now) {
  now_ = now;
  switch (frame.type) {
    case FrameType::kOpen:
      return received_open(frame.open);
    case FrameType::kListen:
    case FrameType::kListening:
    case FrameType::kUnlisten:
      return received_listen(frame);
    case FrameType::kCredit:
      if (frame.id == 0) return received_credit(frame);
      break;
    default:
      break;
  }
  StreamId highest = is_local(frame.id) ? (next_local_ > 2 ? next_local_ - 2 : 0) : highest_peer_;
  if (frame.id == 0 || frame.id > highest) return violates("a frame for a stream that was never opened");
  Stream* stream = find(frame.id);
  if (!stream) {
    ++counters_.late_frames;
    return true;
  }
  switch (frame.type) {
    case FrameType::kOpened:
    case FrameType::kRefused:
      return received_answer(frame);
    case FrameType::kData:
      return received_data(*stream, frame, record);
    case FrameType::kCredit:
      return received_credit(frame);
    case FrameType::kFin:
      return received_fin(*stream, frame.value);
    case FrameType::kReset:
      return received_reset(*stream, frame);
    case FrameType::kDatagram:
      if (!stream->carries_datagrams()) return violates("a datagram on a byte stream");
      received_datagram(*stream, frame, record);
      return true;
    default:
      return violates("a frame that does not belong here");
  }
}

bool Mux::received_open(const link::OpenFrame& open) {
  if (open.stream == 0 || is_local(open.stream)) return violates("an OPEN with an id of the wrong side");
  if (open.stream <= highest_peer_) {
    ++counters_.late_frames;
    return true;
  }
  StreamId expected = highest_peer_ == 0 ? (role_ == Role::kGateway ? 1 : 2) : highest_peer_ + 2;
  if (open.stream != expected) return violates("an OPEN out of order");
  if (peer_open_ / kLingering > settings_.own.max_streams) return violates("far more streams than the limit");
  bool welcome = role_ == Role::kGateway;
  if (role_ == Role::kGateway) {
    if (open.listen != 0) return violates("an OPEN of the client that names a listen");
  } else {
    if (open.listen == 0 || open.listen >= next_listen_) return violates("an OPEN towards the client that nothing asked for");
    auto it = listens_.find(open.listen);
    welcome = it != listens_.end() && !it->second.ended;
  }
  highest_peer_ = open.stream;
  ++peer_open_;
  Credit credit(settings_.own.stream_credit, settings_.max_stream_window);
  Stream& stream =
      streams_.try_emplace(open.stream, open.stream, open.destination.protocol, settings_.peer.stream_credit, credit)
          .first->second;
  MuxEvent event{};
  if (!open.first.empty()) {
    Slice first = pool_.copy(open.first);
    if (stream.carries_datagrams()) {
      event.data = std::move(first);
    } else {
      if (!count_received(stream, first.size)) return false;
      stream.receive.insert(0, std::move(first));
    }
  }
  if (!welcome || peer_open_ > settings_.own.max_streams) {
    refuse(open.stream, welcome ? Reason::kLimit : Reason::kNotAvailable);
    return true;
  }
  event.kind = MuxEvent::Kind::kOpen;
  event.stream = open.stream;
  event.listen = open.listen;
  event.flags = open.flags;
  event.destination = open.destination;
  event.source = open.source;
  events_.push_back(std::move(event));
  return true;
}

bool Mux::received_answer(const link::Frame& frame) {
  Stream& stream = get(frame.id);
  if (!stream.local) return violates("an answer to a stream that the peer opened itself");
  if (frame.type == FrameType::kOpened) {
    if (stream.state != Stream::State::kOpening) return true;  // repeated, or reset meanwhile
    stream.state = Stream::State::kOpen;
    emit(MuxEvent::Kind::kOpened, stream.id);
    return true;
  }
  if (stream.state == Stream::State::kOpen) return violates("REFUSED after OPENED");
  if (stream.state == Stream::State::kOpening) {
    emit(MuxEvent::Kind::kRefused, stream.id, frame.reason);
    erase(stream.id);
    return true;
  }
  stream.peer_ended = true;
  erase_if_ended(stream);
  return true;
}

// Holds what the peer has sent against both limits. Bytes of a stream that was reset here are not kept, only counted.
bool Mux::count_received(Stream& stream, std::uint64_t highest) {
  if (highest <= stream.receive.highest()) return true;
  std::uint64_t fresh = highest - stream.receive.highest();
  if (highest > stream.credit.limit()) return violates("more bytes on a stream than its credit");
  if (link_received_ + fresh > link_credit_.limit()) return violates("more bytes on the link than its credit");
  link_received_ += fresh;
  grant_again();
  return true;
}

bool Mux::received_data(Stream& stream, const link::Frame& frame, const Slice& record) {
  if (stream.carries_datagrams()) return violates("DATA on a datagram flow");
  if (stream.local && stream.state == Stream::State::kOpening) return violates("DATA before OPENED");
  std::uint64_t end = frame.value + frame.bytes.size();
  std::uint64_t before = stream.receive.highest();
  if (!count_received(stream, end)) return false;
  if (stream.unforgotten) return true;  // a repeat of what came before the reset
  if (stream.state == Stream::State::kReset || stream.state == Stream::State::kRefused) {
    stream.receive.note_highest(end);
    if (end > before) consumed_by_link(end - before);
    stream.receive.clear();
    return true;
  }
  if (frame.bytes.empty()) return true;
  if (!stream.receive.insert(frame.value, {record.owner, frame.bytes.data(), frame.bytes.size()})) {
    return violates("DATA beyond the final size, or in too many pieces");
  }
  if (!stream.readable_noted) {
    stream.readable_noted = true;
    if (!stream.unread_noted) unread_.push_back(stream.id);
    stream.unread_noted = true;
    emit(MuxEvent::Kind::kReadable, stream.id);
  }
  return true;
}

bool Mux::received_credit(const link::Frame& frame) {
  if (frame.id != 0) {
    Stream& stream = get(frame.id);
    if (frame.value <= stream.send_limit) return true;
    stream.send_limit = frame.value;
    stream.raised_at = stream.send.next();
    if (stream.has_data()) schedule(stream);
    return true;
  }
  if (frame.value <= link_send_limit_) return true;
  link_send_limit_ = frame.value;
  for (StreamId id : link_blocked_) {
    if (Stream* stream = find(id)) {
      stream->link_blocked = false;
      schedule(*stream);
    }
  }
  link_blocked_.clear();
  return true;
}

bool Mux::received_fin(Stream& stream, std::uint64_t size) {
  if (stream.carries_datagrams()) return violates("FIN on a datagram flow");
  if (stream.local && stream.state == Stream::State::kOpening) return violates("FIN before OPENED");
  if (!count_received(stream, size)) return false;
  if (stream.unforgotten) return true;
  if (stream.state == Stream::State::kReset || stream.state == Stream::State::kRefused) {
    std::uint64_t before = stream.receive.highest();
    stream.receive.note_highest(size);
    if (size > before) consumed_by_link(size - before);
    stream.receive.clear();
    return true;
  }
  if (!stream.receive.finish(size)) return violates("a final size that contradicts what came before");
  if (stream.peer_fin) return true;
  stream.peer_fin = true;
  emit(MuxEvent::Kind::kReadable, stream.id);
  close_if_through(stream);
  return true;
}

bool Mux::received_reset(Stream& stream, const link::Frame& frame) {
  if (frame.value < stream.receive.highest()) return violates("a final size below what came before");
  if (!count_received(stream, frame.value)) return false;
  std::uint64_t before = stream.receive.highest();
  stream.receive.note_highest(frame.value);
  stream.peer_ended = true;
  if (stream.state == Stream::State::kReset || stream.state == Stream::State::kRefused) {
    if (stream.unforgotten) return true;  // repeated
    if (frame.value > before) consumed_by_link(frame.value - before);
    stream.receive.clear();
    if (stream.state == Stream::State::kReset) erase_if_ended(stream);
    return true;
  }
  emit(MuxEvent::Kind::kReset, stream.id, frame.reason);
  discard_unsent(stream);
  stream.unforgotten = true;
  stream.state = Stream::State::kReset;
  stream.reason = Reason::kNone;
  queue_control(FrameType::kReset, stream.id);
  return true;
}

void Mux::received_datagram(Stream& stream, const link::Frame& frame, const Slice& record) {
  if (stream.state == Stream::State::kReset || stream.state == Stream::State::kRefused) return;
  MuxEvent event{};
  event.kind = MuxEvent::Kind::kDatagram;
  event.stream = stream.id;
  if (frame.offset == 0 && frame.last) {
    event.data = {record.owner, frame.bytes.data(), frame.bytes.size()};
    events_.push_back(std::move(event));
    return;
  }
  Slice& assembly = stream.datagrams->assembly;
  bool follows = assembly.owner && stream.datagrams->assembly_number == frame.value && assembly.size == frame.offset;
  if (assembly.owner && !follows) {
    ++counters_.datagrams_broken;
    assembly_bytes_ -= assembly.cost();
    assembly = Slice();
  }
  if (!assembly.owner) {
    if (frame.offset != 0 || assembly_bytes_ + BufferPool::kPacket > settings_.assembly) {
      ++counters_.datagrams_broken;
      return;
    }
    assembly.owner = pool_.take(BufferPool::kPacket);
    assembly.data = assembly.owner.data();
    assembly.size = 0;
    stream.datagrams->assembly_number = frame.value;
    assembly_bytes_ += assembly.cost();
  }
  copy_bytes(assembly.owner.bytes().subspan(assembly.size), frame.bytes);
  assembly.size += frame.bytes.size();
  if (!frame.last) return;
  assembly_bytes_ -= assembly.cost();
  event.data = std::exchange(assembly, Slice());
  events_.push_back(std::move(event));
}

bool Mux::received_listen(const link::Frame& frame) {
  MuxEvent event{};
  event.listen = frame.id;
  event.reason = frame.reason;
  if (frame.type == FrameType::kListen) {
    if (role_ != Role::kGateway) return violates("a LISTEN of the gateway");
    if (frame.id <= highest_listen_) return true;
    if (frame.id != highest_listen_ + 1) return violates("a LISTEN out of order");
    if (listens_.size() >= kMaxListens) return violates("more LISTENs than may be");
    highest_listen_ = frame.id;
    event.kind = MuxEvent::Kind::kListen;
    event.data = pool_.copy(frame.bytes);
    listens_[frame.id];
  } else {
    const bool listening = frame.type == FrameType::kListening;
    if (listening && role_ == Role::kGateway) return violates("a LISTENING of the client");
    if (frame.id == 0 || frame.id > (role_ == Role::kGateway ? highest_listen_ : next_listen_ - 1)) {
      return violates("an answer to a LISTEN that never was");
    }
    auto it = listens_.find(frame.id);
    if (it == listens_.end() || it->second.ended || (listening && it->second.taken)) return true;
    event.kind = listening ? MuxEvent::Kind::kListening : MuxEvent::Kind::kUnlisten;
    if (listening) {
      it->second.taken = true;
      event.data = pool_.copy(frame.bytes);
    } else {
      event.text = as_text(frame.bytes);
      listens_.erase(it);
    }
  }
  events_.push_back(std::move(event));
  return true;
}

}  // namespace causeway::mux

#include "core/link/link.h"

#include <algorithm>
#include <utility>

namespace causeway::link {

Link::Link(Traffic& traffic, const Timing& timing) : traffic_(traffic), timing_(timing) {}

void Link::attach(StreamCarrier& carrier, Instant now) {
  if (carrier_) ++carrier_index_;
  carrier_ = &carrier;
  room_ = kRoom;
  while (!items_.empty()) traffic_.lost(items_.pop_front());
  records_.clear();
  pings_.clear();
  pongs_.clear();
  eliciting_ = 0;
  unacknowledged_ = 0;
  acknowledged_ = 0;
  owe_ack_ = false;
  ack_due_ = kNever;
  last_progress_ = last_sign_ = last_elicited_ = now;
  goaway_due_ = goaway_.has_value();
  ping(0, now);  // the client's first record proves the handshake, the gateway's answer proves the link
}

void Link::receive(Instant now) {
  while (!over()) {
    std::optional<Slice> record = carrier_->next_record(now);
    if (!record) return;
    Frame frame;
    heard_ = true;
    last_progress_ = last_sign_ = now;
    WireReader reader(record->bytes());
    bool eliciting = false;
    ReadFrame read;
    while ((read = read_frame(reader, frame)) == ReadFrame::kFrame) {
      eliciting |= frame.type != FrameType::kAck;
      if (!frame_received(frame, *record, now)) return;
    }
    if (read == ReadFrame::kViolation) {
      end(ErrorCode::kProtocol, "malformed frame of type " + std::to_string(unsigned(frame.type)));
      return;
    }
    // A newer peer asks for an acknowledgement of its optional frames too.
    if ((eliciting || frame.skipped > 0) && !owe_ack_) {
      owe_ack_ = true;
      ack_due_ = now + timing_.acknowledge_within;
    }
    if (owe_ack_ && carrier_->records_received() - acknowledged_ >= kAcknowledgeEvery) ack_due_ = now;
  }
}

void Link::flush(Instant now) {
  batch_full_ = false;
  while (carrier_ && !(over() && !close_)) {
    // A CLOSE does not wait for room: nothing comes behind it.
    bool room = carrier_->unsent() < room_ || close_;
    MutableBytes space = room ? carrier_->record_space() : MutableBytes();
    if (space.empty()) {
      batch_full_ = true;
      return;
    }
    WireWriter writer(space);
    items_in_record_ = 0;
    bool traffic = !over() && !close_ && records_.size() < kMaxUnacknowledgedRecords && traffic_.has_frames();
    write_acknowledgement(writer, traffic, now);
    std::size_t acknowledgement = writer.size();
    write_link_frames(writer, traffic, now);
    if (traffic) traffic_.write_frames(writer, *this, bulk(), now);
    if (writer.empty()) {
      carrier_->leave_space();
      return;
    }
    SentRecord record{carrier_->seal(writer.size()), items_in_record_, writer.size() > acknowledgement};
    if (record.eliciting) {
      if (!eliciting_outstanding()) last_progress_ = last_sign_ = now;
      ++eliciting_;
      last_elicited_ = now;
    }
    records_.push_back(record);
    if (close_) {
      if (!over()) end(ErrorCode::kUnavailable, close_->second);
      close_.reset();
      return;
    }
    if (!traffic) return;
  }
}

// What the next record may have of it. Where the room is short the path is slow, and a record is opened when its last byte has
// come: there it is a part of the room, and no more than is left of it.
std::size_t Link::bulk() const {
  if (unacknowledged_ >= kUnacknowledgedBudget) return 0;
  if (room_ == kRoom) return kRoom;
  return std::max(std::min(room_ / 4, room_ - std::min(room_, carrier_->unsent())), kLeastBulk);
}

void Link::write_acknowledgement(WireWriter& writer, bool with_traffic, Instant now) {
  if (!owe_ack_ || (!with_traffic && ack_due_ > now)) return;
  acknowledged_ = carrier_->records_received();
  write_ack(writer, carrier_index_, acknowledged_);
  owe_ack_ = false;
  ack_due_ = kNever;
}

void Link::write_link_frames(WireWriter& writer, bool with_traffic, Instant now) {
  if (with_traffic && pings_.empty() && now - last_ping_ >= timing_.measure_each) ping(0, now);
  while (!pongs_.empty()) write_pong(writer, pongs_.pop_front());
  for (std::size_t i = 0; i < pings_.size(); ++i) {
    if (pings_[i].written) continue;
    if (writer.room() < kTextFrame + 2 * kSmallFrame) break;
    pings_[i].written = true;
    pings_[i].sent = now;
    write_ping(writer, pings_[i].wire);
  }
  if (goaway_due_) write_goaway(writer, *goaway_);
  goaway_due_ = false;
  if (close_) write_close(writer, std::uint64_t(close_->first), close_->second);
}

void Link::note(const SentItem& item) {
  items_.push_back(item);
  ++items_in_record_;
  if (item.type == FrameType::kData) unacknowledged_ += item.size;
}

bool Link::frame_received(const Frame& frame, const Slice& record, Instant now) {
  switch (frame.type) {
    case FrameType::kAck:
      return acknowledgement(frame, now);
    case FrameType::kPing:
      if (pongs_.size() < kMaxPongs) pongs_.push_back(frame.id);
      return true;
    case FrameType::kPong:
      pong(frame.id, now);
      return true;
    case FrameType::kGoaway:
      peer_goaway_ = true;
      return true;
    case FrameType::kClose: {
      std::string text(as_text(frame.bytes));
      for (char& c : text) {
        if (std::uint8_t(c) < ' ' || c == 0x7f) c = '?';
      }
      error_ = Error{ErrorCode::kUnavailable, text.empty() ? "the peer closed the link" : "the peer closed the link: " + text, {}};
      return false;
    }
    default:
      if (traffic_.frame_received(frame, record, now)) return true;
      end(ErrorCode::kProtocol, traffic_.violation());
      return false;
  }
}

bool Link::acknowledgement(const Frame& frame, Instant now) {
  if (frame.id != carrier_index_) return true;  // of a carrier that is gone: everything of it was sent again
  if (frame.value > carrier_->records_sent()) {
    end(ErrorCode::kProtocol, "acknowledgement of records that were never sent");
    return false;
  }
  while (!records_.empty() && records_.front().number <= frame.value) {
    SentRecord record = records_.pop_front();
    if (record.eliciting) --eliciting_;
    for (std::uint32_t i = 0; i < record.items; ++i) {
      SentItem item = items_.pop_front();
      if (item.type == FrameType::kData) unacknowledged_ -= item.size;
      traffic_.acknowledged(item);
    }
    last_progress_ = now;
  }
  return true;
}

void Link::ping(std::uint64_t token, Instant now) {
  last_ping_ = now;
  pings_.push_back({next_ping_token_++, token, now, false});
}

void Link::pong(std::uint64_t wire, Instant now) {
  while (!pings_.empty() && pings_.front().written && pings_.front().wire <= wire) {
    Ping ping = pings_.pop_front();
    if (ping.wire != wire) continue;
    round_trip_before_ = std::exchange(round_trip_, now - ping.sent);
    if (ping.token != 0) echoes_.push_back({ping.token, now - ping.sent});
  }
}

std::optional<Duration> Link::undisturbed_round_trip() const {
  return round_trip_before_ ? std::min(round_trip_, round_trip_before_) : round_trip_;
}

void Link::echo(std::uint64_t token, Instant now) { ping(token, now); }

void Link::goaway(StreamId highest) {
  goaway_ = highest;
  goaway_due_ = true;
}

void Link::close(CloseCode code, std::string text) {
  if (!over() && !close_) close_ = {code, std::move(text)};
}

void Link::end(ErrorCode code, std::string message) {
  if (over()) return;
  if (code == ErrorCode::kProtocol) {
    message = "protocol violation by the peer: " + message;
    close_ = {CloseCode::kViolation, message};
  }
  error_ = Error{code, std::move(message), {}};
}

Instant Link::next_ping() const {
  if (eliciting_outstanding()) return kNever;
  if (watched_) return last_elicited_ + timing_.watched_echo;
  return last_elicited_ + (traffic_.active() ? timing_.active_echo : timing_.idle_echo);
}

Instant Link::deadline() const {
  if (over() || !carrier_) return kNever;
  if (batch_full_ && carrier_->state() == StreamCarrier::State::kOpen && carrier_->unsent() < room_ / 2) return Instant{};
  Instant dead = eliciting_outstanding() ? last_progress_ + timing_.dead_after : kNever;
  if (carrier_->unsent() >= room_) return dead;  // nothing can be sealed before the carrier has taken some
  return std::min({ack_due_, dead, next_ping()});
}

void Link::advance(Instant now) {
  if (over() || !carrier_) return;
  if (eliciting_outstanding() && now >= last_progress_ + timing_.dead_after) {
    error_ = Error{ErrorCode::kTimedOut, "the carrier went silent: nothing was acknowledged for 5 seconds", {}};
    return;
  }
  if (next_ping() <= now && (pings_.empty() || pings_.back().written)) ping(0, now);
}

}  // namespace causeway::link

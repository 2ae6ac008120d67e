#include "tests/world/wiretap.h"

#include <algorithm>

#include "core/noise/mac.h"

namespace causeway::world {
namespace {

using link::FrameType;

std::string number(std::uint64_t n) { return std::to_string(n); }

}  // namespace

void RememberingRandom::fill(MutableBytes out) {
  random_.fill(out);
  if (out.size() != 32) return;
  noise::PrivateKey key;
  std::copy(out.begin(), out.end(), key.bytes().begin());
  keys_.push_back(key);
  if (keys_.size() > kKept) keys_.pop_front();
}

std::optional<noise::KeyPair> RememberingRandom::find(Bytes public_key) const {
  for (auto key = keys_.rbegin(); key != keys_.rend(); ++key) {
    noise::KeyPair pair = noise::from_private(*key);
    if (std::equal(public_key.begin(), public_key.end(), pair.public_key.begin(), pair.public_key.end())) return pair;
  }
  return std::nullopt;
}

Wiretap::Wiretap(Chart& chart, const Keys& keys, const RememberingRandom& client_random)
    : chart_(chart), keys_(keys), client_random_(client_random) {}

void Wiretap::passed(Direction& way, Bytes bytes, bool up) {
  if (deaf_) return;
  way.waiting.insert(way.waiting.end(), bytes.begin(), bytes.end());
  if (!handshake_ && !open_ && !first_message()) return;
  if (!open_ && !answer()) return;
  while (!deaf_ && record(way, up)) {
  }
}

std::vector<std::uint8_t> Wiretap::prologue(bool rekey) const {
  std::string_view text = "causeway/1";
  std::vector<std::uint8_t> out(text.begin(), text.end());
  out.push_back(std::uint8_t(pattern_));
  if (rekey) out.insert(out.end(), last_hash_.begin(), last_hash_.end());
  return out;
}

// Plays both parts: the gateway's to read the payload, then the client's again, whose state the answer is read with.
bool Wiretap::first_message() {
  std::vector<std::uint8_t>& in = up_.waiting;
  if (in.size() < 3 || in.size() < 3u + load16(&in[1])) return false;
  std::size_t size = load16(&in[1]);
  deaf_ = true;  // a stranger's, or not meant for this gateway
  if (size < 32 + noise::kMacSize) return false;
  pattern_ = noise::Handshake::Pattern(in[0]);
  Bytes message = Bytes(in).subspan(3, size - noise::kMacSize);
  std::vector<std::uint8_t> payload, again;
  auto gateway = noise::Handshake::responder(pattern_, prologue(false), keys_.gateway);
  auto ephemeral = client_random_.find(message.first(32));
  if (!ephemeral || !gateway.read_one(message, payload) || gateway.peer() != keys_.client.public_key) return false;
  auto client = noise::Handshake::initiator(pattern_, prologue(false), keys_.client, keys_.gateway.public_key);
  if (!client.write_one(*ephemeral, payload, again)) return false;
  if (keys_.psk) client.set_psk(*keys_.psk);
  handshake_ = client;
  deaf_ = false;
  chart_.note(Chart::Column::kCarrier, "> first message");
  if (auto hello = link::parse_hello(payload)) down_.limits = hello->limits;
  in.erase(in.begin(), in.begin() + std::ptrdiff_t(3 + size));
  return true;
}

bool Wiretap::answer() {
  std::vector<std::uint8_t>& in = down_.waiting;
  if (in.size() < 2 || in.size() < 2u + load16(in.data())) return false;
  std::vector<std::uint8_t> payload;
  if (!handshake_->read_two(Bytes(in).subspan(2, load16(in.data())), payload)) {
    deaf_ = true;
    return false;
  }
  auto parsed = link::parse_answer(payload);
  bool welcome = parsed && std::holds_alternative<link::Welcome>(*parsed);
  chart_.note(Chart::Column::kCarrier, welcome ? "< welcome" : "< refusal");
  deaf_ = !welcome;
  if (!welcome) return false;
  up_.limits = std::get<link::Welcome>(*parsed).limits;
  last_hash_ = handshake_->handshake_hash();
  handshake_->split(up_.opening, down_.opening);
  handshake_.reset();
  in.erase(in.begin(), in.begin() + 2 + load16(in.data()));
  open_ = true;
  return true;
}

bool Wiretap::record(Direction& way, bool up) {
  std::vector<std::uint8_t>& in = way.waiting;
  if (in.size() < 2 || in.size() < 2u + load16(in.data())) return false;
  std::size_t size = load16(in.data());
  std::vector<std::uint8_t> text(in.begin() + 2, in.begin() + 2 + std::ptrdiff_t(size));
  in.erase(in.begin(), in.begin() + 2 + std::ptrdiff_t(size));
  if (!way.opening.open({}, text)) {
    fault_ = "a record that does not open, as it was sent";
    deaf_ = true;
    return false;
  }
  text.resize(size - noise::CipherState::kTag);
  ++way.records;
  if (!text.empty() && text[0] == link::kHandshakeFrame) {
    handshake(text, up);
    return true;
  }
  WireReader reader(text);
  link::Frame next;
  link::ReadFrame read;
  while ((read = link::read_frame(reader, next)) == link::ReadFrame::kFrame) frame(next, way, up ? down_ : up_, up);
  if (read == link::ReadFrame::kViolation) fault_ = "a malformed frame, as it was sent";
  return true;
}

// A rekey, followed as both ends follow it.
void Wiretap::handshake(Bytes record, bool up) {
  chart_.note(Chart::Column::kCarrier, std::string(up ? "> " : "< ") + "HANDSHAKE " + number(record[1]));
  Bytes message = record.subspan(2);
  std::vector<std::uint8_t> out;
  if (record[1] == 1) {
    auto ephemeral = client_random_.find(message.first(32));
    handshake_ = noise::Handshake::initiator(noise::Handshake::Pattern::kIk, prologue(true), keys_.client,
                                             keys_.gateway.public_key);
    if (!ephemeral || !handshake_->write_one(*ephemeral, {}, out)) deaf_ = true;
  } else if (record[1] == 2) {
    if (!handshake_ || !handshake_->read_two(message, out)) {
      deaf_ = true;
      return;
    }
    handshake_->split(up_.next_opening, down_.opening);
    last_hash_ = handshake_->handshake_hash();
    handshake_.reset();
  } else {
    up_.opening = up_.next_opening;
  }
}

void Wiretap::frame(const link::Frame& frame, Direction& way, Direction& back, bool up) {
  if (chart_.enabled()) chart_.note(Chart::Column::kCarrier, (up ? "> " : "< ") + frame_text(frame));
  switch (frame.type) {
    case FrameType::kData: note_data(way, frame.id, frame.value + frame.bytes.size()); break;
    case FrameType::kCredit:
      if (frame.id == 0) {
        back.limits.link_credit = std::max(back.limits.link_credit, frame.value);
      } else {
        back.limit[frame.id] = std::max(back.limit[frame.id], frame.value);
      }
      break;
    case FrameType::kAck:
      if (frame.value > back.records) fault_ = "an acknowledgement of records that were not sent";
      break;
    default: break;
  }
}

// Credit is never exceeded: neither a stream's nor the link's.
void Wiretap::note_data(Direction& way, link::StreamId stream, std::uint64_t end) {
  std::uint64_t& sent = way.sent[stream];
  if (end <= sent) return;
  way.sent_in_all += end - sent;
  sent = end;
  auto raised = way.limit.find(stream);
  std::uint64_t limit = std::max(way.limits.stream_credit, raised == way.limit.end() ? 0 : raised->second);
  if (end > limit)
    fault_ = "stream " + number(stream) + " sent up to " + number(end) + " with credit up to " + number(limit);
  if (way.sent_in_all > way.limits.link_credit) fault_ = "more on the link than its credit";
}

std::string frame_text(const link::Frame& frame) {
  const std::string id = " " + number(frame.id);
  switch (frame.type) {
    case FrameType::kOpen:
      return "OPEN" + id + " " + frame.open.destination.text() +
             (frame.open.first.empty() ? "" : " +" + number(frame.open.first.size()));
    case FrameType::kOpened: return "OPENED" + id;
    case FrameType::kRefused: return "REFUSED" + id + " " + link::reason_name(frame.reason);
    case FrameType::kData: return "DATA" + id + " @" + number(frame.value) + " +" + number(frame.bytes.size());
    case FrameType::kCredit: return "CREDIT" + id + " to " + number(frame.value);
    case FrameType::kFin: return "FIN" + id + " at " + number(frame.value);
    case FrameType::kReset: return "RESET" + id + " " + link::reason_name(frame.reason) + " at " + number(frame.value);
    case FrameType::kDatagram:
      return "DATAGRAM" + id + " #" + number(frame.value) + " @" + number(frame.offset) + " +" +
             number(frame.bytes.size()) + (frame.last ? " last" : "");
    case FrameType::kListen: return "LISTEN" + id + " +" + number(frame.bytes.size());
    case FrameType::kListening: return "LISTENING" + id + " +" + number(frame.bytes.size());
    case FrameType::kUnlisten:
      return "UNLISTEN" + id + " " + link::reason_name(frame.reason) + " " + std::string(as_text(frame.bytes));
    case FrameType::kAck: return "ACK" + id + " " + number(frame.value);
    case FrameType::kHandshake: return "HANDSHAKE";
    case FrameType::kPing: return "PING" + id;
    case FrameType::kPong: return "PONG" + id;
    case FrameType::kGoaway: return "GOAWAY" + id;
    case FrameType::kClose: return "CLOSE" + id + " " + std::string(as_text(frame.bytes));
  }
  return "frame of type " + number(std::uint64_t(frame.type));
}

}  // namespace causeway::world

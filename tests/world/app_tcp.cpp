#include "tests/world/app_tcp.h"

#include <algorithm>

namespace causeway::world {
namespace {

using packet::kAck;
using packet::kFin;
using packet::kPsh;
using packet::kRst;
using packet::kSyn;

constexpr Duration kResend = std::chrono::seconds(1);
constexpr unsigned kMaxResends = 60;

bool before(std::uint32_t a, std::uint32_t b) { return std::int32_t(a - b) < 0; }

}  // namespace

AppTcp::AppTcp(const Timeline& time, const packet::FiveTuple& tuple, const Options& options, Output output)
    : time_(time), tuple_(tuple), options_(options), output_(std::move(output)) {
  unacknowledged_ = sent_ = options.first_sequence;
}

void AppTcp::connect() {
  sent_ = options_.first_sequence + 1;
  send_syn();
  resend_at_ = time_.now() + kResend;
}

void AppTcp::send_syn() {
  ++syns_;
  Segment segment;
  segment.flags = kSyn;
  segment.sequence = options_.first_sequence;
  segment.window = std::uint16_t(std::min<std::size_t>(options_.receive_buffer, 0xffff));
  // The segment size, that selective acknowledgements are welcome, and the window's scale.
  for (int byte : {2, 4, options_.mss >> 8, options_.mss & 0xff, 4, 2, 1, 1})
    segment.options.push_back(std::uint8_t(byte));
  if (options_.window_scale >= 0) {
    for (int byte : {1, 3, 3, options_.window_scale}) segment.options.push_back(std::uint8_t(byte));
  }
  output_(tuple_, segment);
}

std::size_t AppTcp::window() const {
  std::size_t held = unread();
  return held < options_.receive_buffer ? options_.receive_buffer - held : 0;
}

void AppTcp::send(std::uint8_t flags, std::uint32_t sequence, Bytes payload) {
  Segment segment;
  segment.flags = flags;
  segment.sequence = sequence;
  segment.acknowledgement = expected_;
  // What was announced is never taken back (RFC 9293, 3.8.6).
  int scale = scaled_ ? options_.window_scale : 0;
  std::size_t free = orphan_ ? 0x10000 : window();
  std::size_t promised = before(expected_, announced_) ? announced_ - expected_ : 0;
  std::size_t units = std::min<std::size_t>(std::max(free, promised) >> scale, 0xffff);
  if ((units << scale) < promised) ++units;
  units = std::min<std::size_t>(units, 0xffff);
  segment.window = std::uint16_t(units);
  if (std::uint32_t edge = expected_ + std::uint32_t(units << scale); before(announced_, edge)) announced_ = edge;
  segment.payload = payload;
  output_(tuple_, segment);
  ack_now_ = false;
  ack_at_ = kNever;
}

void AppTcp::end(End how) {
  state_ = State::kDone;
  end_ = how;
  resend_at_ = ack_at_ = kNever;
}

void AppTcp::received(const packet::Parsed& segment) {
  if (state_ == State::kDone) return;
  if (state_ == State::kSynSent) return syn_sent_received(segment);
  if (segment.flags & kRst) {
    // RFC 5961: only the exact number is believed.
    if (segment.sequence == expected_) {
      end(End::kReset);
    } else {
      fault_ = "a RST with a sequence number that no kernel would believe";
      ack_now_ = true;
    }
    return;
  }
  if (segment.flags & kSyn) {  // the SYN-ACK again
    ack_now_ = true;
    return;
  }
  if (segment.flags & kAck) acknowledged(segment);
  take_payload(segment);
  if (ack_now_ || ack_at_ != kNever || segment.payload.empty()) return;
  if (options_.ack_delay == Duration::zero()) {
    ack_now_ = true;
  } else {
    ack_at_ = time_.now() + options_.ack_delay;
  }
}

void AppTcp::syn_sent_received(const packet::Parsed& segment) {
  if (!(segment.flags & kAck) || segment.acknowledgement != sent_) return;
  if (segment.flags & kRst) return end(End::kRefused);
  if (!(segment.flags & kSyn)) return;
  read_options(segment);
  unacknowledged_ = sent_;
  expected_ = segment.sequence + 1;
  // The window of the SYN was not scaled.
  announced_ = expected_ + std::uint32_t(std::min<std::size_t>(options_.receive_buffer, 0xffff));
  peer_window_ = load16(segment.transport.data() + 14);
  state_ = State::kOpen;
  resend_at_ = kNever;
  ack_now_ = true;
  flush();
}

void AppTcp::read_options(const packet::Parsed& segment) {
  Bytes options = segment.transport.subspan(20, std::size_t(segment.transport[12] >> 4) * 4 - 20);
  while (!options.empty() && options[0] != 0) {
    if (options[0] == 1) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options[1] < 2 || options[1] > options.size()) {
      fault_ = "TCP options whose lengths lie";
      return;
    }
    if (options[0] == 2 && options[1] == 4) peer_mss_ = load16(&options[2]);
    if (options[0] == 3 && options[1] == 3 && options_.window_scale >= 0) {
      scaled_ = true;
      peer_scale_ = options[2];
    }
    options = options.subspan(options[1]);
  }
}

void AppTcp::acknowledged(const packet::Parsed& segment) {
  std::uint32_t upto = segment.acknowledgement;
  if (before(sent_, upto)) {
    fault_ = "an acknowledgement of bytes that were never sent";
    return;
  }
  if (before(upto, unacknowledged_)) return;
  std::uint32_t fresh = upto - unacknowledged_;
  peer_window_ = std::uint32_t(load16(segment.transport.data() + 14)) << peer_scale_;
  if (fresh == 0) return;
  std::size_t data = std::min<std::size_t>(fresh, out_.size());
  if (data < fresh) fin_acknowledged_ = true;
  out_.erase(out_.begin(), out_.begin() + std::ptrdiff_t(data));
  unacknowledged_ = upto;
  resends_ = 0;
  resend_at_ = in_flight() > 0 ? time_.now() + kResend : kNever;
}

void AppTcp::take_payload(const packet::Parsed& segment) {
  bool fin = (segment.flags & kFin) != 0;
  std::uint32_t length = std::uint32_t(segment.payload.size()) + (fin ? 1 : 0);
  if (length == 0) {
    // A probe with an old number wants an answer.
    if (before(segment.sequence, expected_)) ack_now_ = true;
    return;
  }
  if (before(announced_, segment.sequence + std::uint32_t(segment.payload.size()))) {
    // One byte beyond a closed window is a probe.
    if (segment.payload.size() > 1) fault_ = "more bytes than the window allows";
    ack_now_ = true;
    return;
  }
  if (segment.sequence != expected_) {
    if (before(expected_, segment.sequence)) fault_ = "a gap in the sequence, and a device loses nothing";
    ack_now_ = true;
    std::uint32_t old = expected_ - segment.sequence;
    if (before(expected_, segment.sequence) || old >= length) return;
    in_.insert(in_.end(), segment.payload.begin() + std::ptrdiff_t(std::min<std::size_t>(old, segment.payload.size())),
               segment.payload.end());
    expected_ = segment.sequence + std::uint32_t(segment.payload.size());
  } else {
    if (orphan_ && !segment.payload.empty()) return reset();
    in_.insert(in_.end(), segment.payload.begin(), segment.payload.end());
    expected_ += std::uint32_t(segment.payload.size());
  }
  if (!fin) return;
  if (peer_finished_) fault_ = "a second FIN";
  ++expected_;
  peer_finished_ = true;
  ack_now_ = true;
}

std::size_t AppTcp::write(Bytes bytes) {
  if (state_ != State::kOpen || finishing_) return 0;
  std::size_t n = std::min(bytes.size(), options_.send_buffer - std::min(out_.size(), options_.send_buffer));
  out_.insert(out_.end(), bytes.begin(), bytes.begin() + std::ptrdiff_t(n));
  return n;
}

std::size_t AppTcp::read(MutableBytes out) {
  std::size_t n = std::min(out.size(), unread());
  std::copy_n(in_.begin() + std::ptrdiff_t(in_read_), n, out.begin());
  in_read_ += n;
  if (in_read_ == in_.size() || in_read_ > options_.receive_buffer) {
    in_.erase(in_.begin(), in_.begin() + std::ptrdiff_t(in_read_));
    in_read_ = 0;
  }
  // The window is told when it has grown by two segments or opened again, as Linux does.
  std::size_t promised = before(expected_, announced_) ? announced_ - expected_ : 0;
  if (n > 0 && window() >= promised + 2 * std::size_t(options_.mss)) ack_now_ = true;
  if (n > 0 && promised == 0) ack_now_ = true;
  return n;
}

void AppTcp::reset() {
  if (state_ == State::kDone) return;
  if (state_ == State::kOpen) send(kRst | kAck, sent_, {});
  if (state_ == State::kSynSent) send(kRst, sent_, {});
  end(End::kOwnReset);
}

void AppTcp::close() {
  if (unread() > 0) return reset();
  orphan_ = true;
  finishing_ = true;
}

void AppTcp::unreachable(std::uint8_t type, std::uint8_t code) {
  if (state_ != State::kSynSent) return;  // an established connection does not end by it
  icmp_type_ = type;
  icmp_code_ = code;
  end(End::kUnreachable);
}

void AppTcp::flush() {
  if (state_ != State::kOpen) return;
  send_data();
  if (ack_now_) send(kAck, sent_, {});
  if (fin_acknowledged_ && peer_finished_) end(End::kClosed);
}

void AppTcp::send_data() {
  std::size_t most = std::max<std::size_t>(options_.largest_payload, 1);
  if (most <= options_.mss) most = std::min(most, std::size_t(peer_mss_));
  while (!fin_sent_) {
    std::size_t waiting = out_.size() - in_flight();
    std::size_t room = peer_window_ > in_flight() ? peer_window_ - in_flight() : 0;
    std::size_t n = std::min({waiting, room, most});
    bool fin = finishing_ && n == waiting;
    if (n == 0 && !fin) break;
    Bytes payload = Bytes(out_).subspan(in_flight(), n);
    send(std::uint8_t(kAck | kPsh | (fin ? kFin : 0)), sent_, payload);
    sent_ += std::uint32_t(n) + (fin ? 1 : 0);
    fin_sent_ = fin;
    if (resend_at_ == kNever) resend_at_ = time_.now() + kResend;
  }
  // A closed window with something behind it is asked again.
  if (resend_at_ == kNever && out_.size() > in_flight()) resend_at_ = time_.now() + kResend;
}

void AppTcp::advance() {
  if (ack_at_ <= time_.now()) ack_now_ = true;
  if (resend_at_ > time_.now()) return flush();
  ++resends_;
  if (state_ == State::kSynSent) {
    if (syns_ > options_.syn_retries) return end(End::kTimedOut);
    resend_at_ = time_.now() + kResend * (1 << syns_);
    send_syn();
    return;
  }
  if (resends_ > kMaxResends) return end(End::kTimedOut);
  resend_at_ = time_.now() + kResend;
  if (in_flight() == 0) {
    send(kAck, sent_ - 1, {});  // asks for the window
  } else {
    std::size_t data = std::min<std::size_t>({in_flight(), out_.size(), options_.mss});
    bool fin = fin_sent_ && data == out_.size();
    send(std::uint8_t(kAck | kPsh | (fin ? kFin : 0)), unacknowledged_, Bytes(out_).first(data));
  }
  flush();
}

}  // namespace causeway::world

#include "tests/tun/app.h"

#include <algorithm>

#include "core/packet/checksum.h"

namespace causeway::tun {

App::App(const AppOptions& options, std::uint32_t initial_sequence)
    : window(options.window),
      options_(options),
      first_(initial_sequence),
      next_(initial_sequence + 1),
      furthest_(initial_sequence + 1),
      acknowledged_(initial_sequence + 1) {}

App::Packet App::segment(std::uint8_t flags, std::uint32_t sequence, std::string_view payload) const {
  const bool v4 = options_.local.address.is_v4();
  const bool syn = flags & packet::kSyn;
  const std::size_t ip = v4 ? 20 : 40;
  const std::size_t tcp = 20 + (syn ? (options_.window_scale >= 0 ? 8 : 4) : 0);
  Packet p(ip + tcp + payload.size());
  const Bytes source = options_.local.address.bytes();
  const Bytes destination = options_.remote.address.bytes();
  if (v4) {
    p[0] = 0x45;
    store16(&p[2], std::uint16_t(p.size()));
    p[8] = 64;
    p[9] = packet::kTcp;
    std::copy(source.begin(), source.end(), &p[12]);
    std::copy(destination.begin(), destination.end(), &p[16]);
    store16(&p[10], std::uint16_t(~packet::fold(packet::add_to_sum(0, Bytes(p).first(20)))));
  } else {
    p[0] = 0x60;
    store16(&p[4], std::uint16_t(p.size() - 40));
    p[6] = packet::kTcp;
    p[7] = 64;
    std::copy(source.begin(), source.end(), &p[8]);
    std::copy(destination.begin(), destination.end(), &p[24]);
  }
  std::uint8_t* t = &p[ip];
  store16(t, options_.local.port);
  store16(t + 2, options_.remote.port);
  store32(t + 4, sequence);
  if (flags & packet::kAck) store32(t + 8, expected_);
  t[12] = std::uint8_t(tcp / 4 << 4);
  t[13] = flags;
  const bool scaled = !syn && options_.window_scale >= 0 && peer_scale >= 0;
  const std::uint32_t room = reading || syn ? window : right_edge_ - expected_;
  const std::uint32_t field = std::min<std::uint32_t>(0xffff, scaled ? room >> options_.window_scale : room);
  store16(t + 14, std::uint16_t(field));
  if (syn) {
    t[20] = 2;
    t[21] = 4;
    store16(t + 22, options_.mss);
    if (options_.window_scale >= 0) {
      t[24] = 1;
      t[25] = 3;
      t[26] = 3;
      t[27] = std::uint8_t(options_.window_scale);
    }
  } else {
    const std::uint32_t edge = expected_ + (scaled ? field << options_.window_scale : field);
    if (std::int32_t(edge - right_edge_) > 0) right_edge_ = edge;
  }
  std::copy(payload.begin(), payload.end(), t + tcp);
  store16(t + 16, packet::transport_checksum(options_.local.address, options_.remote.address, packet::kTcp,
                                             Bytes(p).subspan(ip)));
  return p;
}

App::Packet App::syn() const { return segment(packet::kSyn, first_, {}); }

void App::take(const packet::Parsed& p) {
  if (p.flags & packet::kRst) {
    got_reset = true;
    return;
  }
  if (p.flags & packet::kSyn) {
    take_syn_ack(p);
    return;
  }
  if (std::int32_t(p.acknowledgement - acknowledged_) > 0 && std::int32_t(next_ - p.acknowledgement) >= 0) {
    const std::uint32_t n = std::min<std::uint32_t>(p.acknowledgement - acknowledged_, std::uint32_t(sent_));
    outbox_.erase(0, n);
    sent_ -= n;
    acknowledged_ = p.acknowledgement;
  }
  peer_window_ = std::uint32_t(load16(&p.transport[14])) << (peer_scale >= 0 && options_.window_scale >= 0 ? peer_scale : 0);
  take_data(p);
}

void App::take_syn_ack(const packet::Parsed& p) {
  ++syn_acks;
  connected = true;
  ack_owed_ = true;
  expected_ = p.sequence + 1;
  right_edge_ = expected_ + std::min<std::uint32_t>(0xffff, window);
  peer_window_ = load16(&p.transport[14]);
  const std::size_t header = std::size_t(p.transport[12] >> 4) * 4;
  for (std::size_t i = 20; i < header;) {
    const std::uint8_t kind = p.transport[i];
    if (kind == 0) break;
    if (kind == 1) {
      ++i;
      continue;
    }
    if (kind == 2) peer_mss = load16(&p.transport[i + 2]);
    if (kind == 3) peer_scale = p.transport[i + 2];
    i += p.transport[i + 1];
  }
}

void App::take_data(const packet::Parsed& p) {
  const std::uint32_t length = std::uint32_t(p.payload.size()) + ((p.flags & packet::kFin) ? 1 : 0);
  if (length == 0) {
    ++pure_acks;
    return;
  }
  ++data_packets;
  largest = std::max(largest, p.payload.size());
  ack_owed_ = true;
  const std::uint32_t end = p.sequence + std::uint32_t(p.payload.size());
  const bool probe = p.payload.size() <= 1;
  if (std::int32_t(end - right_edge_) > 0) {
    if (!probe) beyond_window += end - right_edge_;
    return;
  }
  if (std::int32_t(p.sequence - expected_) > 0) {
    ++out_of_order;
    return;
  }
  const std::uint32_t known = expected_ - p.sequence;
  if (known >= length) {
    ++repeated;
    return;
  }
  const Bytes fresh = p.payload.subspan(std::min<std::size_t>(known, p.payload.size()));
  received.append(fresh.begin(), fresh.end());
  expected_ = end;
  if (p.flags & packet::kFin) {
    got_fin = true;
    ++expected_;
  }
}

void App::resend() {
  if (acknowledged_ == next_) return;
  finish_sent_ = false;
  next_ = acknowledged_;
  sent_ = 0;
}

std::vector<App::Packet> App::outgoing() {
  std::vector<Packet> out = std::exchange(outgoing_, {});
  if (silent || !connected || got_reset) return out;
  while (sent_ < outbox_.size()) {
    const std::uint32_t flying = next_ - acknowledged_;
    const std::size_t room = peer_window_ > flying ? peer_window_ - flying : 0;
    const std::size_t n = std::min({outbox_.size() - sent_, options_.segment, room});
    if (n == 0) break;
    out.push_back(segment(packet::kAck | packet::kPsh, next_, std::string_view(outbox_).substr(sent_, n)));
    next_ += std::uint32_t(n);
    sent_ += n;
    ack_owed_ = false;
  }
  if (finish_asked_ && !finish_sent_ && sent_ == outbox_.size()) {
    finish_sent_ = true;
    out.push_back(segment(packet::kAck | packet::kFin, next_, {}));
    ++next_;
    ack_owed_ = false;
  }
  if (std::int32_t(next_ - furthest_) > 0) furthest_ = next_;
  if (ack_owed_) out.push_back(segment(packet::kAck, furthest_, {}));
  ack_owed_ = false;
  return out;
}

}  // namespace causeway::tun

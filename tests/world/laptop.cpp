#include "tests/world/laptop.h"

#include <algorithm>

#include "core/packet/checksum.h"
#include "tun/offload.h"

namespace causeway::world {
namespace {

// Between a program's call and the engine's read, and back.
constexpr Duration kDeviceDelay = std::chrono::microseconds(10);

std::string flags_text(std::uint8_t flags) {
  std::string text;
  if (flags & packet::kSyn) text += 'S';
  if (flags & packet::kFin) text += 'F';
  if (flags & packet::kRst) text += 'R';
  if (flags & packet::kPsh) text += 'P';
  if (flags & packet::kAck) text += '.';
  return text;
}

// The packet that an ICMP error quotes, which may be cut short.
std::optional<packet::FiveTuple> quoted_tuple(Bytes quoted) {
  packet::FiveTuple tuple;
  bool v4 = !quoted.empty() && quoted[0] >> 4 == 4;
  std::size_t header = v4 ? 20 : 40;
  if (quoted.size() < header + 8) return std::nullopt;
  tuple.protocol = v4 ? quoted[9] : quoted[6];
  tuple.source.address = packet::Address::from_bytes(v4 ? quoted.subspan(12, 4) : quoted.subspan(8, 16));
  tuple.destination.address = packet::Address::from_bytes(v4 ? quoted.subspan(16, 4) : quoted.subspan(24, 16));
  bool echo = tuple.protocol == packet::kIcmp || tuple.protocol == packet::kIcmp6;
  tuple.source.port = load16(&quoted[header + (echo ? 4 : 0)]);
  tuple.destination.port = load16(&quoted[header + (echo ? 4 : 2)]);
  return tuple;
}

}  // namespace

Laptop::Laptop(Timeline& time, BufferPool& pool, Chart& chart, const Options& options)
    : time_(time),
      pool_(pool),
      chart_(chart),
      options_(options),
      address4_(packet::Address::v4(100, 64, 0, 2)),
      address6_(*packet::Address::parse("fd00:64::2")) {}

AppTcp& Laptop::connect(const packet::Endpoint& to, const AppTcp::Options& options,
                        std::function<void(AppTcp&)> changed) {
  packet::FiveTuple tuple;
  tuple.source = {address(to.address.is_v6()), next_port_++};
  tuple.destination = to;
  tuple.protocol = packet::kTcp;
  AppTcp::Options own = options;
  if (!options_.offload) own.largest_payload = std::min<std::size_t>(own.largest_payload, own.mss);
  auto connection = std::make_unique<Connection>();
  connection->tcp = std::make_unique<AppTcp>(
      time_, tuple, own, [this](const packet::FiveTuple& t, const AppTcp::Segment& s) { send_segment(t, s); });
  connection->changed = std::move(changed);
  Connection& kept = *(connections_[tuple.source] = std::move(connection));
  kept.tcp->connect();
  this->changed(kept);
  return *kept.tcp;
}

AppTcp& Laptop::connect(const packet::Endpoint& to, Program& program) {
  return connect(to, AppTcp::Options(), [&program, connected = false](AppTcp& tcp) mutable {
    if (tcp.state() == AppTcp::State::kSynSent) return;
    if (tcp.state() == AppTcp::State::kOpen && !std::exchange(connected, true)) program.connected(tcp);
    if (tcp.state() == AppTcp::State::kOpen || tcp.end() == AppTcp::End::kClosed) return program.pump();
    program.socket_reset();
  });
}

// Tells the program, lets the connection send what it may, and keeps its deadline.
void Laptop::changed(Connection& connection) {
  if (connection.changed) connection.changed(*connection.tcp);
  connection.tcp->flush();
  Instant due = connection.tcp->deadline();
  if (due == connection.due) return;
  auto [at, last] = due_.equal_range(connection.due);
  for (; at != last; ++at) {
    if (at->second == &connection) {
      due_.erase(at);
      break;
    }
  }
  connection.due = due;
  if (due != kNever) due_.emplace(due, &connection);
}

Instant Laptop::deadline() const {
  Instant at = due_.empty() ? kNever : due_.begin()->first;
  return outgoing_.empty() ? at : std::min(at, outgoing_.front().arrives);
}

void Laptop::advance() {
  while (!due_.empty() && due_.begin()->first <= time_.now()) {
    Connection& connection = *due_.begin()->second;
    due_.erase(due_.begin());
    connection.due = kNever;
    if (connection.tcp->deadline() <= time_.now()) connection.tcp->advance();
    changed(connection);
  }
}

void Laptop::send_segment(const packet::FiveTuple& tuple, const AppTcp::Segment& segment) {
  const packet::Address& source = tuple.source.address;
  const packet::Address& destination = tuple.destination.address;
  std::size_t ip = source.is_v4() ? 20 : 40;
  std::size_t header = 20 + segment.options.size();
  std::size_t size = ip + header + segment.payload.size();
  Slice slice{pool_.take(size), nullptr, size};
  slice.data = slice.owner.data();
  MutableBytes p = slice.owner.bytes().first(size);
  std::fill_n(p.begin(), ip + header, std::uint8_t(0));
  if (source.is_v4()) {
    p[0] = 0x45;
    store16(&p[2], std::uint16_t(size));
    p[8] = 64;
    p[9] = packet::kTcp;
    std::copy_n(source.bytes().begin(), 4, &p[12]);
    std::copy_n(destination.bytes().begin(), 4, &p[16]);
    store16(&p[10], std::uint16_t(~packet::fold(packet::add_to_sum(0, p.first(20)))));
  } else {
    p[0] = 0x60;
    store16(&p[4], std::uint16_t(size - ip));
    p[6] = packet::kTcp;
    p[7] = 64;
    std::copy_n(source.bytes().begin(), 16, &p[8]);
    std::copy_n(destination.bytes().begin(), 16, &p[24]);
  }
  MutableBytes t = p.subspan(ip);
  store16(&t[0], tuple.source.port);
  store16(&t[2], tuple.destination.port);
  store32(&t[4], segment.sequence);
  store32(&t[8], segment.acknowledgement);
  t[12] = std::uint8_t(header / 4 << 4);
  t[13] = segment.flags;
  store16(&t[14], segment.window);
  std::copy(segment.options.begin(), segment.options.end(), t.begin() + 20);
  std::copy(segment.payload.begin(), segment.payload.end(), t.begin() + std::ptrdiff_t(header));
  if (!options_.offload) store16(&t[16], packet::transport_checksum(source, destination, packet::kTcp, t));
  queue(std::move(slice), options_.offload);
}

Laptop::UdpSocket& Laptop::open_udp(bool v6, std::function<void(const packet::Endpoint&, Bytes)> received) {
  packet::Endpoint local{address(v6), next_port_++};
  auto& socket = udp_[local];
  socket = std::make_unique<UdpSocket>();
  socket->local = local;
  socket->received = std::move(received);
  return *socket;
}

void Laptop::send_udp(const UdpSocket& socket, const packet::Endpoint& to, Bytes datagram) {
  packet::PacketBatch batch;
  packet::build_udp(batch, socket.local, to, datagram);
  send_batch(batch);
}

void Laptop::ping(const packet::Address& to, std::uint16_t identifier, std::uint16_t sequence, Bytes payload) {
  packet::PacketBatch batch;
  packet::build_echo_request(batch, address(to.is_v6()), to, identifier, sequence, payload);
  send_batch(batch);
}

void Laptop::send_batch(const packet::PacketBatch& batch) {
  for (const packet::OutgoingPacket& p : batch.packets()) {
    Slice whole = tun::gather(batch, p, kernel_pool_);
    whole.size > options_.mtu ? send_fragments(whole.bytes()) : send_raw(whole.bytes());
  }
}

void Laptop::send_raw(Bytes bytes) { queue(pool_.copy(bytes), false); }

void Laptop::send_fragments(Bytes whole) {
  bool v4 = whole[0] >> 4 == 4;
  std::size_t ip = v4 ? 20 : 40;
  std::size_t header = v4 ? 20 : 48;
  Bytes rest = whole.subspan(ip);
  std::size_t most = (options_.mtu - header) / 8 * 8;
  std::uint32_t id = next_fragment_++;
  for (std::size_t at = 0; at < rest.size(); at += most) {
    std::size_t n = std::min(most, rest.size() - at);
    bool more = at + n < rest.size();
    std::vector<std::uint8_t> piece(header + n);
    std::copy_n(whole.begin(), ip, piece.begin());
    if (v4) {
      store16(&piece[2], std::uint16_t(piece.size()));
      store16(&piece[4], std::uint16_t(id));
      store16(&piece[6], std::uint16_t(at / 8 | (more ? 0x2000 : 0)));
      store16(&piece[10], 0);
      store16(&piece[10], std::uint16_t(~packet::fold(packet::add_to_sum(0, Bytes(piece).first(20)))));
    } else {
      store16(&piece[4], std::uint16_t(piece.size() - 40));
      piece[6] = 44;
      piece[40] = whole[6];
      store16(&piece[42], std::uint16_t(at | (more ? 1 : 0)));
      store32(&piece[44], id);
    }
    std::copy_n(rest.begin() + std::ptrdiff_t(at), n, piece.begin() + std::ptrdiff_t(header));
    send_raw(piece);
  }
}

void Laptop::queue(Slice packet, bool checksum_trusted) {
  if (chart_.enabled()) {
    if (auto parsed = packet::parse(packet.bytes(), true)) note(true, *parsed);
  }
  Queued queued;
  queued.arrives = time_.now() + kDeviceDelay;
  queued.packet.packet = packet.bytes();
  queued.packet.owner = std::move(packet.owner);
  queued.packet.checksum_trusted = checksum_trusted;
  outgoing_.push_back(std::move(queued));
}

void Laptop::take(std::vector<packet::Incoming>& out) {
  while (!outgoing_.empty() && outgoing_.front().arrives <= time_.now()) {
    out.push_back(std::move(outgoing_.front().packet));
    outgoing_.pop_front();
  }
}

void Laptop::deliver(const packet::PacketBatch& batch) {
  std::vector<Slice> packets;
  for (const packet::OutgoingPacket& p : batch.packets()) {
    std::size_t first = packets.size();
    bool trusted = options_.offload && p.offload.needs_checksum;
    if (options_.offload) {
      packets.push_back(tun::gather(batch, p, kernel_pool_));
    } else {
      tun::finish(batch, p, kernel_pool_, packets);
    }
    for (std::size_t i = first; i < packets.size(); ++i) {
      time_.after(kDeviceDelay, [this, packet = packets[i], trusted] { received(packet.bytes(), trusted); });
    }
  }
}

void Laptop::received(Bytes bytes, bool checksum_trusted) {
  auto parsed = packet::parse(bytes, checksum_trusted);
  if (!parsed) {
    fault_ = std::string("a malformed packet from the engine: ") + packet::drop_name(parsed.error());
    return;
  }
  note(false, *parsed);
  const packet::Parsed& p = *parsed;
  const packet::Endpoint& to = p.tuple.destination;
  if (p.protocol() == packet::kTcp) {
    auto it = connections_.find(to);
    if (it == connections_.end() || it->second->tcp->tuple().destination != p.tuple.source) {
      fault_ = "a TCP segment for nobody";
      return;
    }
    it->second->tcp->received(p);
    changed(*it->second);
  } else if (p.protocol() == packet::kUdp) {
    auto it = udp_.find(to);
    if (it == udp_.end()) {
      fault_ = "a datagram for nobody";
    } else if (it->second->received) {
      it->second->received(p.tuple.source, p.payload);
    }
  } else if (p.icmp_type == 0 || p.icmp_type == 129) {
    echo_replies.push_back(
        {p.tuple.source.address, p.tuple.source.port, p.echo_sequence, {p.payload.begin(), p.payload.end()}});
  } else if ((p.is_v4() && p.icmp_type == 3) || (!p.is_v4() && p.icmp_type == 1)) {
    icmp_error(p);
  } else {
    fault_ = "an ICMP message of type " + std::to_string(p.icmp_type);
  }
}

void Laptop::icmp_error(const packet::Parsed& packet) {
  auto quoted = quoted_tuple(packet.transport.subspan(8));
  if (!quoted) {
    fault_ = "an ICMP error that quotes nothing";
    return;
  }
  if (quoted->protocol == packet::kTcp) {
    auto it = connections_.find(quoted->source);
    if (it == connections_.end()) return;
    it->second->tcp->unreachable(packet.icmp_type, packet.icmp_code);
    changed(*it->second);
  } else if (quoted->protocol == packet::kUdp) {
    auto it = udp_.find(quoted->source);
    if (it != udp_.end()) it->second->error = {packet.icmp_type, packet.icmp_code};
  } else {
    ping_errors.push_back({packet.icmp_type, packet.icmp_code});
  }
}

void Laptop::note(bool out, const packet::Parsed& p) {
  if (!chart_.enabled()) return;
  const packet::Endpoint& far = out ? p.tuple.destination : p.tuple.source;
  const packet::Endpoint& near = out ? p.tuple.source : p.tuple.destination;
  std::string text = out ? "> " : "< ";
  std::string ends = ":" + std::to_string(near.port) + " " + far.text();
  if (p.is_fragment) {
    text += "fragment of " + far.address.text() + " @" + std::to_string(p.fragment.offset);
  } else if (p.protocol() == packet::kTcp) {
    text += "tcp " + ends + " " + flags_text(p.flags) + " " + std::to_string(p.sequence);
    if (p.flags & packet::kAck) text += "/" + std::to_string(p.acknowledgement);
    if (!p.payload.empty()) text += " +" + std::to_string(p.payload.size());
    text += " w" + std::to_string(load16(p.transport.data() + 14));
  } else if (p.protocol() == packet::kUdp) {
    text += "udp " + ends + " +" + std::to_string(p.payload.size());
  } else {
    text += "icmp " + std::to_string(p.icmp_type) + "/" + std::to_string(p.icmp_code) + " " + far.address.text();
  }
  chart_.note(Chart::Column::kLaptop, std::move(text));
}

}  // namespace causeway::world

// The whole client, with the real stack and the real resolver, against hostile programs on the laptop, local processes that answer
// as they like, and a gateway without manners on the other side, over a carrier that breaks at will.
#include <algorithm>
#include <memory>
#include <set>

#include "core/engine/client.h"
#include "core/intercept/request.h"
#include "core/packet/checksum.h"
#include "dns/stub.h"
#include "tests/fuzz/carriers.h"
#include "tests/fuzz/frames.h"
#include "tun/stack.h"

namespace causeway::fuzz {
namespace {

using engine::ClientEvent;
using link::StreamCarrier;
using packet::Address;
using packet::Endpoint;

const Endpoint kApp = *Endpoint::parse("10.255.0.2:0");
const Endpoint kStub = *Endpoint::parse("10.255.0.53:53");
const Endpoint kLocal = *Endpoint::parse("127.0.0.1:8080");

engine::ClientConfig client_config() {
  engine::ClientConfig out;
  out.keys = FixedKeys::of(FixedKeys::get().client);
  out.gateway_key = FixedKeys::get().gateway.public_key;
  out.routes = {*packet::Cidr::parse("10.96.0.0/12"), *packet::Cidr::parse("fd00:96::/64")};
  out.dns = {kStub.address};
  out.own = {kApp.address};
  out.max_flows = 20;
  out.max_half_open = 8;
  return out;
}

dns::Rules rules() {
  dns::RulesConfig config;
  config.namespaces = {"shop"};
  return *dns::Rules::create(config);
}

// A TCP connection of the laptop, as far as a program must know it to say something that is listened to.
struct Talk {
  std::uint32_t next = 1000;  // our next sequence number
  std::uint32_t heard = 0;    // behind the last byte of theirs
};

class World {
 public:
  World()
      : machine_(pool_, random_, small_stack()),
        stack_(machine_.attach()),
        stub_(rules(), {}, random_),
        client_(client_config(), pool_, random_, *stack_, stub_, now_) {
    client_.start(now_);
    turn();
    exchange();
    CAUSEWAY_ASSERT(client_.status().link == engine::ClientStatus::Link::kUp);
  }

  void step(Input& input) {
    std::uint8_t choice = input.byte(), n = input.byte();
    switch (choice % 8) {
      case 0: give(input.chunk(), choice & 16); break;
      case 1: tcp(choice / 16 % 4, n, input.chunk()); break;
      case 2: udp(choice, n, input.chunk()); break;
      case 3:
      case 4: say(input.chunk()); break;
      case 5:
        now_ += std::chrono::milliseconds(n * 50);
        client_.advance(now_);
        if (gateway_ && gateway_->state() == StreamCarrier::State::kOpen) gateway_->advance(now_);
        break;
      case 6:
        if (n >= 16) {
          local(n, input.chunk());
        } else if (connected_) {
          break_carrier();
        }
        break;
      case 7: question(n, input.chunk()); break;
    }
    turn();
    if (!(choice & 128)) exchange();
  }

  bool finish() {
    exchange();
    const engine::ClientStatus status = client_.status();
    bool useful = status.links > 0 && status.counters.tcp_opened + status.counters.tcp_refused +
                                              status.counters.udp_opened + status.counters.echo_opened >
                                          0;
    client_.stop(now_);
    turn();
    std::array<Bytes, 2> pieces;
    std::size_t left = 0;
    for (std::size_t i = 0, count = client_.transmit(pieces); i < count; ++i) left += pieces[i].size();
    client_.transmitted(left, now_);
    CAUSEWAY_ASSERT(client_.status().tcp_flows == 0 && client_.status().datagram_flows == 0);
    return useful;
  }

 private:
  static tun::StackOptions small_stack() {
    tun::StackOptions out;
    out.max_connections = 8;
    return out;
  }

  // A packet from the laptop; the checksum of an IPv4 header is made right where asked.
  void give(Bytes bytes, bool trusted) {
    if (bytes.empty() || bytes.size() > 65535) return;
    packet::Incoming in;
    in.owner = pool_.take(bytes.size());
    std::copy(bytes.begin(), bytes.end(), in.owner.data());
    in.packet = Bytes(in.owner.data(), bytes.size());
    in.checksum_trusted = trusted;
    client_.device_received({&in, 1}, now_);
  }

  void give_v4(std::uint8_t protocol, const Endpoint& to, const Blob& transport) {
    Blob out = blob({0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, protocol, 0, 0}) + blob(kApp.address.bytes()) +
               blob(to.address.bytes()) + transport;
    store16(&out[2], std::uint16_t(out.size()));
    store16(&out[10], std::uint16_t(~packet::fold(packet::add_to_sum(0, Bytes(out).first(20)))));
    give(out, true);
  }

  static Endpoint service(std::uint8_t n) { return {Address::v4(10, 96, 0, n % 4), 80}; }

  // Bits of `n`: 0-5 the flags, 6 a sequence number off its place, 7 an acknowledgement off its place.
  void tcp(unsigned which, std::uint8_t n, Bytes payload) {
    Talk& talk = talks_[which];
    std::uint8_t flags = n & 0x3f;
    payload = payload.first(std::min<std::size_t>(payload.size(), 60000));
    Blob out(20);
    store16(&out[0], std::uint16_t(4000 + which));
    store16(&out[2], 80);
    store32(&out[4], talk.next + (n & 64 ? 3 : 0));
    store32(&out[8], flags & packet::kAck ? talk.heard + (n & 128 ? 7 : 0) : 0);
    out[12] = 0x50;
    out[13] = flags;
    store16(&out[14], 0xffff);
    if (!(n & 64)) talk.next += std::uint32_t(payload.size()) + ((flags & (packet::kSyn | packet::kFin)) ? 1u : 0u);
    give_v4(packet::kTcp, {service(std::uint8_t(which)).address, 80}, out + blob(payload));
  }

  void udp(std::uint8_t choice, std::uint8_t n, Bytes payload) {
    payload = payload.first(std::min<std::size_t>(payload.size(), 60000));
    Blob out(8);
    bool echo = choice & 16;
    if (echo) {
      out[0] = 8;
      out[5] = n;
    } else {
      store16(&out[0], std::uint16_t(5000 + n));
      store16(&out[2], 80);
      store16(&out[4], std::uint16_t(8 + payload.size()));
    }
    give_v4(echo ? packet::kIcmp : packet::kUdp, n & 64 ? kApp : service(n), out + blob(payload));
  }

  // Intercepts, and what their processes do.
  void local(std::uint8_t n, Bytes bytes) {
    const engine::RelayId relay = relays_.empty() ? 0 : *std::next(relays_.begin(), std::ptrdiff_t(n / 16 % relays_.size()));
    switch (n % 16) {
      case 0:
      case 1: {
        engine::InterceptRequest request;
        request.service = "orders";
        if (n % 16 == 1) request.match = *intercept::Match::create({{"x-user", "anna"}}, "");
        request.local = kLocal;
        intercepts_.push_back(client_.intercept(request, now_));
        break;
      }
      case 2:
        if (!intercepts_.empty()) client_.leave(intercepts_[n / 16 % intercepts_.size()], now_);
        break;
      case 3: client_.dialled(relay, now_); break;
      case 4:
        client_.dial_failed(relay, link::Reason(n / 16 % 14), now_);
        break;
      case 5: {
        MutableBytes space = client_.relay_space(relay);
        const std::size_t size = std::min(space.size(), bytes.size());
        std::copy_n(bytes.begin(), size, space.begin());
        if (size > 0) client_.relay_received(relay, size, now_);
        break;
      }
      case 6: client_.relay_finished(relay, now_); break;
      case 7:
        client_.relay_failed(relay, link::Reason::kConnectionReset, now_);
        relays_.erase(relay);
        break;
      case 8: {
        std::array<Bytes, 4> pieces;
        std::size_t size = 0;
        for (std::size_t i = 0, count = client_.relay_transmit(relay, pieces); i < count; ++i) size += pieces[i].size();
        client_.relay_transmitted(relay, size, now_);
        break;
      }
      default: client_.ask_catalogue(n, "orders", now_); break;
    }
  }

  void question(std::uint8_t n, Bytes message) {
    message = message.first(std::min<std::size_t>(message.size(), 60000));
    Blob out(8);
    store16(&out[0], std::uint16_t(6000 + n));
    store16(&out[2], 53);
    store16(&out[4], std::uint16_t(8 + message.size()));
    give_v4(packet::kUdp, kStub, out + blob(message));
  }

  void say(Bytes record) {
    if (!gateway_) return;
    MutableBytes space = gateway_->record_space();
    if (space.empty() || record.empty()) return;
    std::size_t n = std::min(record.size(), space.size());
    std::copy_n(record.begin(), n, space.begin());
    gateway_->seal(n);
  }

  void break_carrier() {
    connected_ = false;
    gateway_.reset();
    client_.carrier_closed({ErrorCode::kUnavailable, "broken", {}}, now_);
  }

  void exchange() {
    for (int i = 0; i < 6 && connected_; ++i) {
      std::array<Bytes, 2> pieces;
      std::size_t count = client_.transmit(pieces);
      Blob up;
      for (std::size_t k = 0; k < count; ++k) up.insert(up.end(), pieces[k].begin(), pieces[k].end());
      client_.transmitted(up.size(), now_);
      feed(
          up, 100000, [&] { return gateway_->receive_space(); }, [&](std::size_t n) { gateway_->received(n, now_); });
      if (gateway_->state() == StreamCarrier::State::kArrived) gateway_->admit(welcome_payload(), std::nullopt, now_);
      bool was_open = gateway_->state() == StreamCarrier::State::kOpen;
      while (gateway_->next_record(now_)) continue;
      if (!was_open && gateway_->state() == StreamCarrier::State::kOpen) say(blob({0x0d, 1}));
      Blob down = drain(*gateway_);
      feed(
          down, 3000, [&] { return client_.receive_space(); }, [&](std::size_t n) { client_.received(n, now_); });
      turn();
    }
  }

  void turn() {
    if (client_.deadline() <= now_) client_.advance(now_);
    client_.flush(now_);
    client_.settle();
    for (const packet::OutgoingPacket& packet : client_.packets().packets()) hear(packet);
    client_.packets().clear();
    std::vector<ClientEvent> events;
    client_.take_events(events);
    for (const ClientEvent& event : events) {
      if (event.kind == ClientEvent::Kind::kCloseCarrier) {
        connected_ = false;
        gateway_.reset();
      }
      if (event.kind == ClientEvent::Kind::kDialLocal) {
        CAUSEWAY_ASSERT(event.local == kLocal);
        relays_.insert(event.relay);
      }
      if (event.kind == ClientEvent::Kind::kCloseRelay) relays_.erase(event.relay);
      if (event.kind == ClientEvent::Kind::kDial) {
        gateway_ = std::make_unique<StreamCarrier>(pool_, random_, FixedKeys::of(FixedKeys::get().gateway),
                                                   StreamCarrier::Timing{}, now_);
        connected_ = true;
        client_.carrier_connected(now_);
      }
    }
    std::vector<engine::DnsAction> questions;
    client_.take_machine_questions(questions);
    for (const engine::DnsAction& each : questions) {
      if (each.kind == engine::DnsAction::Kind::kAskMachine)
        client_.machine_failed(each.request, engine::DnsFailure::kRefused, now_);
    }
  }

  // What the stack and the engine send must be packets in order, as a kernel would check them.
  void hear(const packet::OutgoingPacket& out) {
    Blob whole = blob(client_.packets().header(out));
    for (Bytes piece : client_.packets().pieces(out)) whole.insert(whole.end(), piece.begin(), piece.end());
    CAUSEWAY_ASSERT(whole.size() == out.size);
    auto parsed = packet::parse(whole, out.offload.needs_checksum);
    CAUSEWAY_ASSERT(parsed);
    if (parsed->protocol() != packet::kTcp) return;
    unsigned which = unsigned(parsed->tuple.destination.port) - 4000;
    if (which >= talks_.size()) return;
    talks_[which].heard = parsed->sequence + std::uint32_t(parsed->payload.size()) +
                          ((parsed->flags & (packet::kSyn | packet::kFin)) ? 1u : 0u);
  }

  BufferPool pool_;
  SeededRandom random_{13};
  Instant now_{std::chrono::hours(1)};
  tun::Stack machine_;
  std::unique_ptr<engine::Stack> stack_;
  dns::Stub stub_;
  engine::Client client_;
  std::unique_ptr<StreamCarrier> gateway_;
  bool connected_ = false;
  std::array<Talk, 4> talks_;
  std::vector<engine::InterceptId> intercepts_;
  std::set<engine::RelayId> relays_;
};

bool run(Bytes bytes) {
  Input input(bytes);
  World world;
  while (!input.empty()) world.step(input);
  return world.finish();
}

Blob tcp(int which, int flags, std::string_view payload = {}) {
  return blob({1 + 16 * which, flags}) + chunk(blob(payload));
}
Blob say(const Blob& frames) { return blob({3, 0}) + chunk(frames); }
Blob local(int what, std::string_view bytes = {}) { return blob({6, 16 + what}) + chunk(blob(bytes)); }
// LISTEN was taken; the service is where tcp(1) goes.
Blob taken(bool http) {
  const intercept::Accepted accepted{http, {*Endpoint::parse("10.96.0.1:80")}, std::chrono::milliseconds(1)};
  return frame([&](WireWriter& writer) { link::write_listening(writer, 1, intercept::encode(accepted)); });
}

std::vector<Seed> seeds() {
  constexpr int kSyn = packet::kSyn, kAck = packet::kAck, kFin = packet::kFin, kRst = packet::kRst;
  Blob second = blob({5, 20}), broken = blob({6, 0});
  Blob connected = tcp(1, kSyn) + say(opened(1) + credit(1, 1 << 20)) + tcp(1, kAck);
  Blob question =
      blob({0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 6, 'o', 'r', 'd', 'e', 'r', 's', 4, 's', 'h', 'o', 'p', 0, 0, 1, 0, 1});
  Blob udp = blob({2, 1}) + chunk(blob("payload")), echo = blob({18, 1}) + chunk(blob("payload"));
  return {
      {connected + tcp(1, kAck, "GET /") + say(data(1, 0, 3000)) + tcp(1, kAck) + say(fin(1, 3000)) +
       tcp(1, kAck | kFin) + tcp(1, kAck)},
      {connected + tcp(1, kAck, "GET /") + tcp(1, kRst | kAck) + say(reset(1, 0)) + second},
      {connected + say(data(1, 0, 100) + reset(1, 100)) + tcp(1, kAck) + tcp(1, kAck)},
      {tcp(1, kSyn) + say(refused(1, link::Reason::kConnectionRefused)) + tcp(2, kSyn) +
       say(refused(3, link::Reason::kForbidden))},
      {tcp(1, kSyn) + tcp(1, kSyn) + broken + second + second + tcp(1, kSyn) + say(opened(1))},
      {connected + tcp(1, kAck, "lost") + broken + second + second + tcp(1, kAck)},
      {udp + say(opened(1) + link_datagram(1, 0, 0, true, 20)) + udp + say(reset(1, 0))},
      {echo + say(opened(1) + link_datagram(1, 0, 0, true, 20)) + blob({18, 65}) + chunk(blob("own"))},
      {udp + blob({7, 1}) + chunk(question) + say(opened(3) + frame([](WireWriter& w) { link::write_goaway(w, 1); })) +
       second},
      {connected + say(frame([](WireWriter& w) { link::write_close(w, 3, "bye"); })) + second},
      {connected + local(0) + say(taken(false) + open(2, flow::Protocol::kTcp, 1)) + local(3) + local(5, "answer") +
       say(credit(2, 1 << 20) + data(2, 5, 10)) + local(8) + local(6) + say(fin(2, 15)) + local(8)},
      {local(0) + say(taken(false)) + tcp(1, kSyn) + local(3) + tcp(1, kAck) + tcp(1, kAck, "GET /") + local(8) + local(5, "answer") +
       local(6) + tcp(1, kAck) + tcp(1, kAck | kFin) + tcp(1, kAck) + local(2)},
      {local(0) + say(taken(false)) + tcp(1, kSyn) + local(4) + say(opened(1)) + tcp(1, kAck) + tcp(1, kRst | kAck)},
      {local(1) + say(taken(true)) + tcp(1, kSyn) + say(opened(1) + credit(1, 1 << 20)) + tcp(1, kAck) +
       tcp(1, kAck, "GET / HTTP/1.1\r\nHost: a\r\nX-User: anna\r\n\r\n") + local(3) + local(8) +
       local(5, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") + tcp(1, kAck) +
       tcp(1, kAck, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") + say(data(1, 0, 100)) + broken + second + second + tcp(1, kAck | kFin)},
      {say(data(1, 0, 5)), false},
      {blob({16, 0}) + chunk(Blob(40, 0x45)), false},
  };
}

const Registration kRegistration({"engine_client", run, seeds, 2000});

}  // namespace
}  // namespace causeway::fuzz

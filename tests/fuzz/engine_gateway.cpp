// The whole gateway against a client who may enter but knows no manners, strangers beside him, programs that connect to services
// which he may intercept, and services that answer, fail and end in any order.
#include <algorithm>
#include <map>
#include <set>

#include "core/engine/gateway.h"
#include "core/intercept/request.h"
#include "tests/fuzz/carriers.h"
#include "tests/fuzz/frames.h"

namespace causeway::fuzz {
namespace {

using engine::GatewayEvent;
using link::StreamCarrier;

engine::GatewayConfig gateway_config() {
  engine::GatewayConfig out;
  out.keys = FixedKeys::of(FixedKeys::get().gateway);
  out.icmp_echo = true;
  out.max_carriers = 4;
  out.max_handshakes = 2;
  out.streams_per_client = 30;
  out.dials_per_client = 10;
  out.max_accepted = 10;
  const flow::Destination original{flow::Protocol::kTcp, {}, *packet::Endpoint::parse("10.96.0.9:80")};
  out.services = {{"orders", false, original}, {"web", true, original}, {"strict", true, original, false}};
  return out;
}

class World {
 public:
  World()
      : gateway_(gateway_config(), pool_, random_, now_),
        client_(pool_, random_, FixedKeys::of(keys_.client), keys_.gateway.public_key, std::nullopt, {}) {
    gateway_.set_clients({{keys_.client.public_key, "client", std::nullopt}}, now_);
    carrier_ = gateway_.carrier_accepted(source_, now_);
    client_.start(hello_payload(), now_);
    exchange();
    say(blob({0x0d, 1}));
    exchange();
    turn();
    CAUSEWAY_ASSERT(gateway_.status().sessions == 1);
  }

  void step(Input& input) {
    std::uint8_t choice = input.byte();
    std::uint8_t n = input.byte();
    switch (choice % 16) {
      case 0:
      case 1:
      case 2: say(input.chunk()); break;
      case 3: exchange(); break;
      case 4:
        if (engine::RelayId relay = any(dialling_, n)) {
          dialling_.erase(relay);
          (flow::is_stream(protocol_[relay]) ? streams_ : datagrams_).insert(relay);
          gateway_.dialled(relay, now_);
        }
        break;
      case 5:
        if (engine::RelayId relay = any(dialling_, n)) {
          dialling_.erase(relay);
          gateway_.dial_failed(relay, link::Reason(n % 13), now_);
        }
        break;
      case 6: service_says(any(streams_, n), choice, n); break;
      case 7:
        if (engine::RelayId relay = any(streams_, n); relay && finished_.insert(relay).second)
          gateway_.relay_finished(relay, now_);
        break;
      case 8:
        if (engine::RelayId relay = any(n & 128 ? datagrams_ : streams_, n)) {
          streams_.erase(relay);
          datagrams_.erase(relay);
          gateway_.relay_failed(relay, link::Reason(n % 13), now_);
        }
        break;
      case 9: service_takes(any(streams_, n), n); break;
      case 10:
        if (engine::RelayId relay = any(datagrams_, n)) {
          gateway_.relay_datagram(relay, Blob(std::size_t(choice) * 200, n), now_);
          while (gateway_.relay_next_datagram(relay)) ++taken_;
        }
        break;
      case 11:
        now_ += std::chrono::milliseconds(n * 100);
        gateway_.advance(now_);
        if (client_.state() == StreamCarrier::State::kOpen) client_.advance(now_);
        break;
      case 12: stranger(input.chunk()); break;
      case 13: gateway_.carrier_progressed(carrier_, now_); break;
      case 14:
        if (n == 255) gateway_.set_clients({}, now_);
        if (n == 254) gateway_.stop(now_);
        if (n == 253) gateway_.free_intercepts("web", "", now_);
        break;
      case 15: n & 128 ? program_says(any(streams_, n), input.chunk()) : program_connects(n); break;
    }
    if (!(choice & 128)) turn();
  }

  bool finish() {
    exchange();
    turn();
    CAUSEWAY_ASSERT(gateway_.status().memory == pool_.in_use());
    bool alive = gateway_.status().sessions > 0 && gateway_.status().dials + connected_ > 0;
    gateway_.carrier_closed(carrier_, now_);
    turn();
    // Connections of programs outlive the client.
    gateway_.stop(now_);
    turn();
    CAUSEWAY_ASSERT(gateway_.status().accepted == 0 && streams_.empty() && dialling_.empty());
    CAUSEWAY_ASSERT(gateway_.status().relays == 0 && gateway_.status().sessions == 0);
    return alive;
  }

 private:
  static engine::RelayId any(const std::set<engine::RelayId>& from, std::uint8_t n) {
    return from.empty() ? 0 : *std::next(from.begin(), std::ptrdiff_t(n % from.size()));
  }

  void say(Bytes record) {
    MutableBytes space = client_.record_space();
    if (space.empty() || record.empty()) return;
    std::size_t n = std::min(record.size(), space.size());
    std::copy_n(record.begin(), n, space.begin());
    client_.seal(n);
    Blob sealed = drain(client_);
    feed(
        sealed, 3000, [&] { return gateway_.receive_space(carrier_); },
        [&](std::size_t got) { gateway_.received(carrier_, got, now_); });
  }

  // Both carriers' bytes, until nobody has any.
  void exchange() {
    for (int i = 0; i < 4; ++i) {
      Blob up = drain(client_);
      feed(
          up, 3000, [&] { return gateway_.receive_space(carrier_); },
          [&](std::size_t got) { gateway_.received(carrier_, got, now_); });
      gateway_.flush(now_);
      gateway_.settle();
      std::array<Bytes, 2> pieces;
      std::size_t count = gateway_.transmit(carrier_, pieces);
      Blob down;
      for (std::size_t k = 0; k < count; ++k) down.insert(down.end(), pieces[k].begin(), pieces[k].end());
      gateway_.transmitted(carrier_, down.size(), now_);
      feed(
          down, 100000, [&] { return client_.receive_space(); },
          [&](std::size_t got) {
            client_.received(got, now_);
            while (client_.next_record(now_)) ++taken_;
          });
    }
  }

  void turn() {
    gateway_.flush(now_);
    std::vector<GatewayEvent> events;
    gateway_.take_events(events);
    for (const GatewayEvent& event : events) {
      switch (event.kind) {
        case GatewayEvent::Kind::kDialProbe: {
          const packet::Endpoint from{source_.address, next_port_++};
          gateway_.probe_from(event.relay, from);
          streams_.insert(event.relay);
          gateway_.dialled(event.relay, now_);
          if (engine::RelayId accepted = gateway_.service_accepted(event.service, from, now_)) streams_.insert(accepted);
          break;
        }
        case GatewayEvent::Kind::kCatalogue:
        case GatewayEvent::Kind::kDial:
          dialling_.insert(event.relay);
          protocol_[event.relay] = event.destination.protocol;
          break;
        case GatewayEvent::Kind::kCloseRelay:
          dialling_.erase(event.relay);
          streams_.erase(event.relay);
          datagrams_.erase(event.relay);
          break;
        case GatewayEvent::Kind::kCloseCarrier:
          // Our own closes at the end of the run.
          if (event.carrier != carrier_) gateway_.carrier_closed(event.carrier, now_);
          break;
        default: break;
      }
    }
    gateway_.settle();
  }

  void service_says(engine::RelayId relay, std::uint8_t choice, std::uint8_t n) {
    if (!relay || finished_.count(relay)) return;
    MutableBytes space = gateway_.relay_space(relay);
    if (space.empty()) return;
    std::size_t size = std::min<std::size_t>(space.size(), std::size_t(n) * (choice & 16 ? 256 : 1));
    std::fill_n(space.begin(), size, n);
    gateway_.relay_received(relay, size, now_);
  }

  void service_takes(engine::RelayId relay, std::uint8_t n) {
    if (!relay) return;
    std::array<Bytes, 4> pieces;
    std::size_t count = gateway_.relay_transmit(relay, pieces), size = 0;
    for (std::size_t i = 0; i < count; ++i) size += pieces[i].size();
    gateway_.relay_transmitted(relay, n & 1 ? size : size / 2, now_);
  }

  void program_connects(std::uint8_t n) {
    const packet::Endpoint from{source_.address, next_port_++};
    if (engine::RelayId accepted = gateway_.service_accepted(n % 3, from, now_)) {
      ++connected_;
      streams_.insert(accepted);
    }
  }
  void program_says(engine::RelayId relay, Bytes bytes) {
    if (!relay || finished_.count(relay)) return;
    MutableBytes space = gateway_.relay_space(relay);
    const std::size_t size = std::min(space.size(), bytes.size());
    if (size == 0) return;
    std::copy_n(bytes.begin(), size, space.begin());
    gateway_.relay_received(relay, size, now_);
  }

  void stranger(Bytes bytes) {
    engine::CarrierId id = gateway_.carrier_accepted(source_, now_);
    if (!id) return;
    feed(
        bytes, 1000, [&] { return gateway_.receive_space(id); },
        [&](std::size_t got) { gateway_.received(id, got, now_); });
    gateway_.flush(now_);
    std::array<Bytes, 2> pieces;
    CAUSEWAY_ASSERT(gateway_.transmit(id, pieces) == 0);  // silence
    gateway_.carrier_closed(id, now_);
  }

  const FixedKeys& keys_ = FixedKeys::get();
  BufferPool pool_;
  SeededRandom random_{7};
  Instant now_{std::chrono::hours(1)};
  packet::Endpoint source_ = *packet::Endpoint::parse("192.0.2.1:5000");
  engine::Gateway gateway_;
  StreamCarrier client_;
  engine::CarrierId carrier_ = 0;
  std::set<engine::RelayId> dialling_, streams_, datagrams_, finished_;
  std::map<engine::RelayId, flow::Protocol> protocol_;
  std::size_t taken_ = 0, connected_ = 0;
  std::uint16_t next_port_ = 6000;
};

bool run(Bytes bytes) {
  Input input(bytes);
  World world;
  while (!input.empty()) world.step(input);
  return world.finish();
}

Blob record(const Blob& frames) { return blob({0, 0}) + chunk(frames); }
Blob listen(link::ListenId id, const std::string& service, std::vector<intercept::HeaderCondition> headers = {}) {
  const intercept::Request request{service, *intercept::Match::create(std::move(headers), "")};
  return frame([&](WireWriter& writer) { link::write_listen(writer, id, *intercept::encode(request)); });
}
Blob unlisten(link::ListenId id) {
  return frame([&](WireWriter& writer) { link::write_unlisten(writer, id, link::Reason::kNone, {}); });
}
Blob connects(int service) { return blob({15, service}); }
Blob program(int which, std::string_view bytes) { return blob({15, 128 + which}) + chunk(blob(bytes)); }

std::vector<Seed> seeds() {
  Blob exchange = blob({3, 0}), dialled = blob({4, 0}), refused = blob({5, 1}), says = blob({6, 200}),
       ends = blob({7, 0}), fails = blob({8, 0}), takes = blob({9, 1}), datagram = blob({10, 0}),
       second = blob({11, 10}), close = blob({14, 255});
  return {
      {record(open(1)) + dialled + record(data(1, 5, 500)) + takes + says + exchange + record(fin(1, 505)) + takes +
       ends + exchange},
      {record(open(1) + open(3)) + dialled + refused + says + says + record(reset(1, 5)) + exchange},
      {record(open(1, flow::Protocol::kUdp) + link_datagram(1, 0, 0, true, 100)) + dialled + datagram + second +
       record(reset(1, 0))},
      {record(open(1, flow::Protocol::kDns) + open(3, flow::Protocol::kEcho)) + dialled + dialled + datagram +
       datagram + exchange},
      {record(open(1)) + dialled + blob({128 + 6, 255}) + blob({128, 0}) + chunk(reset(1, 5)) + says + takes + fails +
       exchange},
      {record(credit(0, 1 << 30) + open(1)) + dialled + blob({22, 255}) + blob({22, 255}) + exchange +
       record(credit(1, 1 << 30)) + exchange + second + exchange},
      {record(open(1)) + blob({12, 0}) + chunk(Blob(300, 1)) + exchange},
      {record(listen(1, "orders")) + record(opened(2)) + connects(0) + program(0, "hello") + record(opened(4)) +
       record(credit(4, 1 << 20) + data(4, 0, 100)) + takes + program(0, "more") + record(fin(4, 100)) + ends + takes + exchange},
      {record(listen(1, "orders")) + record(opened(2)) + connects(0) + connects(0) + program(0, "hello") +
       record(fuzz::refused(4, link::Reason::kConnectionRefused)) + dialled + takes + says + takes + record(unlisten(1)) + exchange},
      {record(listen(1, "web", {{"x-user", "anna"}})) + record(opened(2)) + connects(1) +
       program(0, "GET / HTTP/1.1\r\nHost: a\r\nX-User: anna\r\n\r\n") + record(opened(4)) + record(data(4, 0, 50)) + takes +
       program(0, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") + dialled + takes + says + exchange},
      {record(listen(1, "web") + listen(2, "web") + listen(3, "nothing")) + record(opened(2) + opened(4)) + connects(1) +
       program(0, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n") + record(opened(6)) + program(0, "bytes") +
       second + second + blob({14, 253}) + exchange},
      {record(open(1, flow::Protocol::kCatalogue)) + dialled + says + ends + exchange},
      {record(open(1)) + dialled + close + exchange, false},
      {record(data(1, 0, 5)), false},
  };
}

const Registration kRegistration({"engine_gateway", run, seeds, 2000});

}  // namespace
}  // namespace causeway::fuzz

#include "test_gateway.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "platform/loop/clock.h"

namespace causeway::platform {

TestGateway::TestGateway(Loop& loop)
    : loop_(loop), keys_(noise::generate(random_)), turn_(loop, [this] { turn(); }), timer_(loop, [this] { turn(); }) {
  engine::GatewayConfig config;
  config.keys = {keys_.private_key, keys_.public_key};
  config.icmp_echo = true;
  gateway_ = std::make_unique<engine::Gateway>(config, pool_, random_, boot_now());
  listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  SocketAddress any({packet::Address::v4(127, 0, 0, 1), 0});
  if (bind(listener_.get(), any.get(), any.size) != 0 || listen(listener_.get(), 16) != 0) abort();
  port_ = local_endpoint(listener_.get()).port;
  listen_ = std::make_unique<Poll>(loop, listener_.get(), [this](int) { accept_all(); });
  listen_->watch(Poll::kReadable);
}

TestGateway::~TestGateway() {
  carriers_.clear();
  gateway_.reset();
}

void TestGateway::authorise(const noise::PublicKey& key, std::optional<Secret<32>> psk) {
  engine::AuthorisedClient client;
  client.key = key;
  client.name = "laptop";
  client.psk = psk;
  clients_.push_back(client);
  gateway_->set_clients(clients_, boot_now());
}

void TestGateway::cut() {
  while (!carriers_.empty()) close(carriers_.begin()->first);
  turn_.ask();
}

void TestGateway::stop_listening() {
  listen_.reset();
  listener_.reset();
}

void TestGateway::stop() {
  gateway_->stop(boot_now());
  turn_.ask();
}

void TestGateway::accept_all() {
  for (;;) {
    SocketAddress from;
    Descriptor socket(accept4(listener_.get(), from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    engine::CarrierId id = gateway_->carrier_accepted(from.endpoint(), boot_now());
    if (id == 0) continue;
    Carrier& carrier = carriers_[id];
    carrier.poll = std::make_unique<Poll>(loop_, socket.get(), [this, id](int) { readable(id); });
    carrier.poll->watch(Poll::kReadable);
    carrier.socket = std::move(socket);
  }
}

void TestGateway::readable(engine::CarrierId id) {
  turn_.ask();
  MutableBytes space = gateway_->receive_space(id);
  if (space.empty()) return;
  ssize_t n = read(carriers_.at(id).socket.get(), space.data(), space.size());
  if (n > 0) return gateway_->received(id, std::size_t(n), boot_now());
  if (n < 0 && errno == EAGAIN) return carriers_.at(id).poll->watch(Poll::kReadable);
  close(id);
}

void TestGateway::close(engine::CarrierId id) {
  auto found = carriers_.find(id);
  if (found == carriers_.end()) return;
  carriers_.erase(found);
  gateway_->carrier_closed(id, boot_now());
  turn_.ask();
}

void TestGateway::turn() {
  Instant now = boot_now();
  if (gateway_->deadline() <= now) gateway_->advance(now);
  gateway_->flush(now);
  for (auto& [id, relay] : relays_) relay_turn(id, relay);
  gateway_->flush(now);
  gateway_->settle();
  std::vector<engine::CarrierId> ids;
  for (auto& [id, carrier] : carriers_) ids.push_back(id);
  for (engine::CarrierId id : ids) {
    std::array<Bytes, 2> pieces;
    while (std::size_t n = gateway_->transmit(id, pieces)) {
      std::array<iovec, 2> vector;
      for (std::size_t i = 0; i < n; ++i) vector[i] = {const_cast<std::uint8_t*>(pieces[i].data()), pieces[i].size()};
      ssize_t written = writev(carriers_.at(id).socket.get(), vector.data(), int(n));
      if (written <= 0) break;
      gateway_->transmitted(id, std::size_t(written), now);
      turn_.ask();
    }
  }
  std::vector<engine::GatewayEvent> events;
  gateway_->take_events(events);
  for (engine::GatewayEvent& each : events) event(each);
  if (!events.empty()) turn_.ask();
  timer_.set(gateway_->deadline());
}

void TestGateway::event(engine::GatewayEvent& event) {
  using Kind = engine::GatewayEvent::Kind;
  switch (event.kind) {
    case Kind::kCame: came.push_back(event.client); break;
    case Kind::kWent: went.push_back(event.text); break;
    case Kind::kRefused: refused.push_back(event.text); break;
    case Kind::kCloseCarrier: close(event.carrier); break;
    case Kind::kDial: dial(event); break;
    case Kind::kCloseRelay: relays_.erase(event.relay); break;
    case Kind::kFinishRelay: gateway_->relay_finished(event.relay, boot_now()); break;
    default: break;
  }
}

void TestGateway::dial(engine::GatewayEvent& event) {
  Instant now = boot_now();
  dialled.push_back(event.destination.text());
  bool is_dns = event.destination.protocol == flow::Protocol::kDns;
  if (is_dns ? dns == Dns::kUnreachable : event.destination.endpoint.port != 7) {
    return gateway_->dial_failed(event.relay,
                                 is_dns ? link::Reason::kHostUnreachable : link::Reason::kConnectionRefused, now);
  }
  relays_[event.relay].destination = event.destination;
  gateway_->dialled(event.relay, now);
}

void TestGateway::relay_turn(engine::RelayId id, Relay& relay) {
  Instant now = boot_now();
  if (relay.destination.protocol != flow::Protocol::kTcp) {
    while (std::optional<Slice> datagram = gateway_->relay_next_datagram(id)) {
      if (relay.destination.protocol == flow::Protocol::kDns && dns != Dns::kSilent) {
        gateway_->relay_datagram(id, answer(datagram->bytes()), now);
      }
    }
    return;
  }
  std::array<Bytes, 4> pieces;
  while (std::size_t n = gateway_->relay_transmit(id, pieces)) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < n; ++i) {
      relay.echoed.insert(relay.echoed.end(), pieces[i].begin(), pieces[i].end());
      size += pieces[i].size();
    }
    gateway_->relay_transmitted(id, size, now);
  }
  while (!relay.echoed.empty()) {
    MutableBytes space = gateway_->relay_space(id);
    std::size_t n = std::min(space.size(), relay.echoed.size());
    if (n == 0) return;
    copy_bytes(space, Bytes(relay.echoed).first(n));
    relay.echoed.erase(relay.echoed.begin(), relay.echoed.begin() + std::ptrdiff_t(n));
    gateway_->relay_received(id, n, now);
  }
}

std::vector<std::uint8_t> TestGateway::answer(Bytes question) const {
  dns::Query query = dns::parse_query(question).query;
  if (dns == Dns::kNotForDomain) return dns::empty_answer(query, dns::Rcode::kRefused, 512);
  if (!only.empty() && !query.question.name.under(*dns::Name::parse(only))) {
    return dns::empty_answer(query, dns::Rcode::kNxDomain, 512);
  }
  query.edns.reset();
  std::vector<std::uint8_t> out = dns::empty_answer(query, dns::Rcode::kNoError, 512);
  out[7] = 1;
  for (std::uint8_t byte : {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4}) out.push_back(byte);
  dns::append_bytes(out, address.bytes());
  return out;
}

}  // namespace causeway::platform

#include "tests/world/cluster.h"

#include <algorithm>

namespace causeway::world {
namespace {

// Between a service and the gateway's socket.
constexpr Duration kNear = std::chrono::microseconds(20);

}  // namespace

// A connected TCP socket of the gateway together with the service's own end of it.
class Cluster::Socket final : public StreamSocket {
 public:
  static constexpr std::size_t kBuffer = 64 * 1024;

  Socket(Cluster& cluster, engine::RelayId relay, Talker& talker, TcpService& at)
      : cluster_(cluster), relay_(relay), talker_(&talker), service(at), index(at.talkers.size() - 1) {}

  std::size_t write(Bytes bytes) override {
    if (finishing) return 0;
    std::size_t n = std::min(bytes.size(), kBuffer - std::min(kBuffer, outbox.size()));
    outbox.insert(outbox.end(), bytes.begin(), bytes.begin() + std::ptrdiff_t(n));
    return n;
  }
  std::size_t read(MutableBytes out) override {
    std::size_t n = std::min(out.size(), inbox.size());
    std::copy_n(inbox.begin(), n, out.begin());
    inbox.erase(inbox.begin(), inbox.begin() + std::ptrdiff_t(n));
    return n;
  }
  bool at_end() const override { return peer_finished && inbox.empty(); }
  void finish() override { finishing = true; }
  void reset() override { resetting = true; }
  void flush() override {
    bool to_gateway = resetting || (!outbox.empty() && !paused) || (finishing && outbox.empty() && !finish_told);
    if (!detached && (to_gateway || (more && inbox.size() < kBuffer))) cluster_.step_soon(relay_);
  }

  Talker& talker() { return *talker_; }

  std::vector<std::uint8_t> outbox, inbox;
  bool finishing = false, finish_told = false;
  bool resetting = false;
  bool peer_finishing = false, peer_finished = false;
  bool paused = false;
  bool more = true;       // the gateway has more for the service than fitted
  bool detached = false;  // the gateway has closed its end; what came before is still to be read
  bool step_queued = false;

 private:
  Cluster& cluster_;
  engine::RelayId relay_;
  Talker* talker_;

 public:
  TcpService& service;
  const std::size_t index;  // of its talker in the service
};

Cluster::Cluster(Timeline& time, Chart& chart, std::uint64_t seed) : time_(time), chart_(chart), random_(seed) {}
Cluster::~Cluster() = default;

void Cluster::use(engine::Gateway* gateway) {
  ++life_;
  gateway_ = gateway;
  auto lost = std::exchange(sockets_, {});
  for (auto& [relay, socket] : lost) {
    socket->service.closed_by_reset[socket->index] = true;
    socket->talker().socket_reset();
  }
  dialling_.clear();
  datagram_sockets_.clear();
}

void Cluster::event(const engine::GatewayEvent& event) {
  using Kind = engine::GatewayEvent::Kind;
  switch (event.kind) {
    case Kind::kDial: dial(event); break;
    case Kind::kCloseRelay: closed(event.relay, event.reset); break;
    case Kind::kFinishRelay:
      note("fin " + std::to_string(event.relay));
      if (auto it = sockets_.find(event.relay); it != sockets_.end()) {
        it->second->peer_finishing = true;
        step_soon(event.relay);
      }
      break;
    case Kind::kResumeReading:
      if (auto it = sockets_.find(event.relay); it != sockets_.end()) {
        it->second->paused = false;
        step_soon(event.relay);
      }
      break;
    default: break;
  }
}

void Cluster::dial(const engine::GatewayEvent& event) {
  note("dial " + std::to_string(event.relay) + " " + event.destination.text());
  const flow::Destination& to = event.destination;
  engine::RelayId relay = event.relay;
  if (to.protocol != flow::Protocol::kTcp) {
    called_ = true;
    if (to.protocol == flow::Protocol::kEcho && !answers_pings) {
      gateway_->dial_failed(relay, link::Reason::kNotAvailable, time_.now());
      return;
    }
    if (to.protocol == flow::Protocol::kUdp && udp_.contains(to.endpoint)) udp_[to.endpoint].last_source = event.source;
    datagram_sockets_[relay] = to;
    gateway_->dialled(relay, time_.now());
    return;
  }
  auto it = tcp_.find(to.endpoint);
  Duration delay = std::chrono::microseconds(100);
  if (it != tcp_.end()) {
    ++it->second.dials;
    if (it->second.silent) return;
    delay = it->second.answers_after;
  }
  dialling_[relay] = to;
  time_.after(delay, [this, relay, it, life = life_] {
    if (life != life_ || dialling_.erase(relay) == 0) return;
    called_ = true;
    if (it != tcp_.end() && !it->second.refuses) return dialled(relay, it->second);
    link::Reason why = it == tcp_.end() ? link::Reason::kConnectionRefused : *it->second.refuses;
    note("no " + std::to_string(relay) + " " + link::reason_name(why));
    gateway_->dial_failed(relay, why, time_.now());
  });
}

void Cluster::dialled(engine::RelayId relay, TcpService& service) {
  note("connected " + std::to_string(relay));
  gateway_->dialled(relay, time_.now());
  service.talkers.push_back(std::make_unique<Talker>(time_, service.script, service.sends, service.expects));
  service.closed_by_reset.push_back(false);
  Talker& talker = *service.talkers.back();
  Socket& socket = *(sockets_[relay] = std::make_unique<Socket>(*this, relay, talker, service));
  talker.connected(socket);
  step_soon(relay);
}

void Cluster::closed(engine::RelayId relay, bool reset) {
  note(std::string(reset ? "reset " : "close ") + std::to_string(relay));
  dialling_.erase(relay);
  datagram_sockets_.erase(relay);
  auto it = sockets_.find(relay);
  if (it == sockets_.end()) return;
  std::unique_ptr<Socket> socket = std::move(it->second);
  sockets_.erase(it);
  socket->service.closed_by_reset[socket->index] = reset;
  if (reset) return socket->talker().socket_reset();
  socket->detached = true;
  socket->peer_finished = true;
  Talker& talker = socket->talker();
  detached_.push_back(std::move(socket));
  talker.pump();
}

void Cluster::writable(engine::RelayId relay) {
  if (datagram_sockets_.contains(relay)) return datagrams(relay);
  step_soon(relay);
}

void Cluster::step_soon(engine::RelayId relay) {
  auto it = sockets_.find(relay);
  if (it == sockets_.end() || it->second->step_queued) return;
  it->second->step_queued = true;
  time_.after(kNear, [this, relay, life = life_] {
    if (life == life_) step(relay);
  });
}

// What a driver does for a socket that is readable or writable.
void Cluster::step(engine::RelayId relay) {
  auto it = sockets_.find(relay);
  if (it == sockets_.end()) return;
  Socket& socket = *it->second;
  socket.step_queued = false;
  called_ = true;
  if (socket.resetting) {
    note("service resets " + std::to_string(relay));
    gateway_->relay_failed(relay, link::Reason::kConnectionReset, time_.now());
    sockets_.erase(it);
    return;
  }
  while (!socket.outbox.empty() && !socket.paused) {
    MutableBytes space = gateway_->relay_space(relay);
    if (space.empty()) {
      socket.paused = true;
      break;
    }
    std::size_t n = std::min(space.size(), socket.outbox.size());
    if (random_.below(4) == 0) n = 1 + std::size_t(random_.below(n));
    std::copy_n(socket.outbox.begin(), n, space.begin());
    socket.outbox.erase(socket.outbox.begin(), socket.outbox.begin() + std::ptrdiff_t(n));
    gateway_->relay_received(relay, n, time_.now());
  }
  if (socket.finishing && socket.outbox.empty() && !socket.finish_told) {
    socket.finish_told = true;
    gateway_->relay_finished(relay, time_.now());
  }
  std::array<Bytes, 8> pieces;
  bool drained = false;
  while (!drained && socket.inbox.size() < Socket::kBuffer) {
    std::size_t count = gateway_->relay_transmit(relay, pieces);
    std::size_t written = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t n = std::min(pieces[i].size(), Socket::kBuffer - socket.inbox.size());
      socket.inbox.insert(socket.inbox.end(), pieces[i].begin(), pieces[i].begin() + std::ptrdiff_t(n));
      written += n;
      if (n < pieces[i].size()) break;
    }
    if (written > 0) gateway_->relay_transmitted(relay, written, time_.now());
    drained = count == 0;
  }
  socket.more = !drained;
  if (socket.peer_finishing && drained) socket.peer_finished = true;
  socket.talker().pump();
}

void Cluster::datagrams(engine::RelayId relay) {
  const flow::Destination to = datagram_sockets_[relay];
  while (auto datagram = gateway_->relay_next_datagram(relay)) {
    called_ = true;
    note("> " + std::to_string(relay) + " datagram +" + std::to_string(datagram->size));
    answer(relay, to, datagram->bytes());
    if (!datagram_sockets_.contains(relay)) return;
  }
}

void Cluster::answer(engine::RelayId relay, const flow::Destination& to, Bytes datagram) {
  std::vector<std::uint8_t> reply(datagram.begin(), datagram.end());
  Duration delay = std::chrono::microseconds(300);
  if (to.protocol == flow::Protocol::kUdp) {
    auto it = udp_.find(to.endpoint);
    std::optional<link::Reason> why = it == udp_.end() ? link::Reason::kConnectionRefused : it->second.refuses;
    if (why) {
      time_.after(delay, [this, relay, why, life = life_] {
        if (life != life_ || datagram_sockets_.erase(relay) == 0) return;
        called_ = true;
        gateway_->relay_failed(relay, *why, time_.now());
      });
      return;
    }
    ++it->second.received;
    it->second.largest = std::max(it->second.largest, datagram.size());
    delay = it->second.answers_after;
  } else if (to.protocol == flow::Protocol::kDns) {
    auto answered = dns_ ? dns_(datagram) : std::nullopt;
    if (!answered) return;
    reply = std::move(*answered);
  }
  time_.after(delay, [this, relay, reply = std::move(reply), life = life_] {
    if (life != life_ || !datagram_sockets_.contains(relay)) return;
    called_ = true;
    gateway_->relay_datagram(relay, reply, time_.now());
  });
}

}  // namespace causeway::world

#include "tests/world/relay_sockets.h"

#include <algorithm>

namespace causeway::world {
namespace {

// Between a program and the engine's socket.
constexpr Duration kNear = std::chrono::microseconds(20);

}  // namespace

// A connected socket of the engine together with the program's own end of it.
class RelaySockets::Socket final : public StreamSocket {
 public:
  static constexpr std::size_t kBuffer = 64 * 1024;

  Socket(RelaySockets& all, engine::RelayId relay, Program& program, TcpService* at)
      : service(at), index(at ? at->programs.size() - 1 : 0), all_(all), relay_(relay), program_(program) {}

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
    bool to_engine = resetting || (!outbox.empty() && !paused) || (finishing && outbox.empty() && !finish_told);
    if (!detached && (to_engine || (more && inbox.size() < kBuffer))) all_.step_soon(relay_);
  }

  Program& program() { return program_; }
  void closed(bool reset) {
    if (service) service->closed_by_reset[index] = reset;
  }

  std::vector<std::uint8_t> outbox, inbox;
  bool finishing = false, finish_told = false;
  bool resetting = false;
  bool peer_finishing = false, peer_finished = false;
  bool paused = false;
  bool more = true;       // the engine has more for the program than fitted
  bool detached = false;  // the engine has closed its end; what came before is still to be read
  bool step_queued = false;

  TcpService* const service;  // none: it was accepted
  const std::size_t index;    // of its program in the service

 private:
  RelaySockets& all_;
  engine::RelayId relay_;
  Program& program_;
};

RelaySockets::RelaySockets(Timeline& time, Chart& chart, Chart::Column column, std::uint64_t seed)
    : time_(time), chart_(chart), column_(column), random_(seed) {}
RelaySockets::~RelaySockets() = default;

TcpService* RelaySockets::find(const packet::Endpoint& at) {
  auto it = services_.find(at);
  return it == services_.end() ? nullptr : &it->second;
}

void RelaySockets::use(engine::Relays* engine) {
  ++life_;
  engine_ = engine;
  auto lost = std::exchange(sockets_, {});
  for (auto& [relay, socket] : lost) {
    socket->closed(true);
    socket->program().socket_reset();
  }
  dialling_.clear();
}

void RelaySockets::dial(engine::RelayId relay, const packet::Endpoint& to) {
  TcpService* service = find(to);
  Duration delay = std::chrono::microseconds(100);
  if (service) {
    ++service->dials;
    if (service->silent) return;
    delay = service->answers_after;
  }
  dialling_[relay] = to;
  time_.after(delay, [this, relay, service, life = life_] {
    if (life != life_ || dialling_.erase(relay) == 0) return;
    called_ = true;
    if (service && !service->refuses) return dialled(relay, *service);
    link::Reason why = service ? *service->refuses : link::Reason::kConnectionRefused;
    note("no " + std::to_string(relay) + " " + link::reason_name(why));
    engine_->dial_failed(relay, why, time_.now());
  });
}

void RelaySockets::dialled(engine::RelayId relay, TcpService& service) {
  note("connected " + std::to_string(relay));
  engine_->dialled(relay, time_.now());
  if (service.program) {
    service.programs.push_back(service.program());
  } else {
    auto talker = std::make_unique<Talker>(time_, service.script, service.sends, service.expects);
    service.talkers.push_back(talker.get());
    service.programs.push_back(std::move(talker));
  }
  service.closed_by_reset.push_back(false);
  Program& program = *service.programs.back();
  Socket& socket = *(sockets_[relay] = std::make_unique<Socket>(*this, relay, program, &service));
  program.connected(socket);
  step_soon(relay);
}

void RelaySockets::adopt(engine::RelayId relay, Program& program) {
  note("accepted " + std::to_string(relay));
  Socket& socket = *(sockets_[relay] = std::make_unique<Socket>(*this, relay, program, nullptr));
  program.connected(socket);
  step_soon(relay);
}

void RelaySockets::close(engine::RelayId relay, bool reset) {
  note(std::string(reset ? "reset " : "close ") + std::to_string(relay));
  dialling_.erase(relay);
  auto it = sockets_.find(relay);
  if (it == sockets_.end()) return;
  std::unique_ptr<Socket> socket = std::move(it->second);
  sockets_.erase(it);
  socket->closed(reset);
  if (reset) return socket->program().socket_reset();
  socket->detached = true;
  socket->peer_finished = true;
  Program& program = socket->program();
  detached_.push_back(std::move(socket));
  program.pump();
}

void RelaySockets::finish(engine::RelayId relay) {
  note("fin " + std::to_string(relay));
  auto it = sockets_.find(relay);
  if (it == sockets_.end()) return;
  it->second->peer_finishing = true;
  step_soon(relay);
}

void RelaySockets::resume(engine::RelayId relay) {
  auto it = sockets_.find(relay);
  if (it == sockets_.end()) return;
  it->second->paused = false;
  step_soon(relay);
}

void RelaySockets::writable(engine::RelayId relay) { step_soon(relay); }

void RelaySockets::step_soon(engine::RelayId relay) {
  auto it = sockets_.find(relay);
  if (it == sockets_.end() || it->second->step_queued) return;
  it->second->step_queued = true;
  time_.after(kNear, [this, relay, life = life_] {
    if (life == life_) step(relay);
  });
}

// What a driver does for a socket that is readable or writable.
void RelaySockets::step(engine::RelayId relay) {
  auto it = sockets_.find(relay);
  if (it == sockets_.end()) return;
  Socket& socket = *it->second;
  socket.step_queued = false;
  called_ = true;
  if (socket.resetting) {
    note("the program resets " + std::to_string(relay));
    engine_->relay_failed(relay, link::Reason::kConnectionReset, time_.now());
    sockets_.erase(it);
    return;
  }
  while (!socket.outbox.empty() && !socket.paused) {
    MutableBytes space = engine_->relay_space(relay);
    if (space.empty()) {
      socket.paused = true;
      break;
    }
    std::size_t n = std::min(space.size(), socket.outbox.size());
    if (random_.below(4) == 0) n = 1 + std::size_t(random_.below(n));
    std::copy_n(socket.outbox.begin(), n, space.begin());
    socket.outbox.erase(socket.outbox.begin(), socket.outbox.begin() + std::ptrdiff_t(n));
    engine_->relay_received(relay, n, time_.now());
  }
  if (socket.finishing && socket.outbox.empty() && !socket.finish_told) {
    socket.finish_told = true;
    engine_->relay_finished(relay, time_.now());
  }
  std::array<Bytes, 8> pieces;
  bool drained = false;
  while (!drained && socket.inbox.size() < Socket::kBuffer) {
    std::size_t count = engine_->relay_transmit(relay, pieces);
    std::size_t written = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t n = std::min(pieces[i].size(), Socket::kBuffer - socket.inbox.size());
      socket.inbox.insert(socket.inbox.end(), pieces[i].begin(), pieces[i].begin() + std::ptrdiff_t(n));
      written += n;
      if (n < pieces[i].size()) break;
    }
    if (written > 0) engine_->relay_transmitted(relay, written, time_.now());
    drained = count == 0;
  }
  socket.more = !drained;
  if (socket.peer_finishing && drained) socket.peer_finished = true;
  socket.program().pump();
}

}  // namespace causeway::world

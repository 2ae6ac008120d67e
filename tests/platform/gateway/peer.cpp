#include "tests/platform/gateway/peer.h"

#include <netinet/in.h>
#include <poll.h>

#include <algorithm>

#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

constexpr link::Limits kLimits{64 * 1024 * 1024, 256 * 1024, 1024};

std::uint64_t next_number() {
  static std::uint64_t last = 0;
  last = std::max(wall_clock_ns(), last + 1);
  return last;
}

}  // namespace

Peer::Peer(const noise::KeyPair& own, const link::PublicKey& gateway, std::uint16_t port, std::optional<Secret<32>> psk)
    : socket_(socket(AF_INET, SOCK_STREAM, 0)),
      carrier_(pool_, random_, {own.private_key, own.public_key}, gateway, psk, {}) {
  SocketAddress to({packet::Address::v4(127, 0, 0, 1), port});
  CAUSEWAY_ASSERT(connect(socket_.get(), to.get(), to.size) == 0);
  link::Hello hello;
  hello.number = next_number();
  hello.limits = kLimits;
  carrier_.start(link::encode(hello), boot_now());
}

bool Peer::until(const std::function<bool()>& done) {
  Instant end = boot_now() + std::chrono::seconds(10);
  while (!done()) {
    if (boot_now() >= end) return false;
    turn();
  }
  return true;
}

bool Peer::up() {
  until([&] { return gone_ || (link_ && link_->heard()); });
  return !gone_ && link_ && link_->heard();
}

void Peer::turn() {
  Instant now = boot_now();
  if (mux_) {
    link_->advance(now);
    take_events();
    link_->flush(now);
    mux_->settle();
  }
  write_socket();
  if (!socket_) return;
  pollfd wait{socket_.get(), short(POLLIN | (carrier_.unsent() > 0 ? POLLOUT : 0)), 0};
  poll(&wait, 1, 5);
  if (wait.revents & (POLLIN | POLLHUP | POLLERR)) read_socket();
}

void Peer::read_socket() {
  MutableBytes space = carrier_.receive_space();
  if (space.empty()) return;
  ssize_t n = recv(socket_.get(), space.data(), space.size(), MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  Instant now = boot_now();
  if (n > 0) carrier_.received(std::size_t(n), now);
  using State = link::StreamCarrier::State;
  if (carrier_.state() == State::kOpen && !link_) {
    welcome_ = std::get<link::Welcome>(*link::parse_answer(carrier_.peer_payload()));
    mux::Mux::Settings settings;
    settings.own = kLimits;
    settings.peer = welcome_.limits;
    mux_ = std::make_unique<mux::Mux>(mux::Mux::Role::kClient, pool_, settings);
    link_ = std::make_unique<link::Link>(*mux_);
    link_->attach(carrier_, now);
  }
  if (link_) link_->receive(now);
  if (carrier_.state() == State::kRefused)
    why_ = std::get<link::Refusal>(*link::parse_answer(carrier_.peer_payload())).text;
  if (carrier_.state() == State::kFailed) why_ = carrier_.failure().message;
  if (link_ && link_->over()) why_ = link_->error().message;
  gone_ = gone_ || n <= 0 || !why_.empty();
}

void Peer::write_socket() {
  std::array<Bytes, 2> pieces;
  while (socket_ && carrier_.transmit(pieces) > 0) {
    ssize_t n = ::send(socket_.get(), pieces[0].data(), pieces[0].size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n <= 0) return;
    carrier_.transmitted(std::size_t(n));
  }
}

void Peer::take_events() {
  std::vector<mux::MuxEvent> events;
  mux_->take_events(events);
  for (mux::MuxEvent& event : events) {
    using Kind = mux::MuxEvent::Kind;
    Flow& flow = flows_[event.stream];
    if (event.kind == Kind::kOpened) flow.opened = true;
    if (event.kind == Kind::kRefused) flow.refused = true;
    if (event.kind == Kind::kReset) flow.reset = true;
    if (event.kind == Kind::kClosed) flow.closed = true;
    if (event.kind == Kind::kRefused || event.kind == Kind::kReset) flow.reason = event.reason;
    if (event.kind == Kind::kDatagram) flow.datagrams.emplace_back(as_text(event.data.bytes()));
  }
  for (auto& [id, flow] : flows_) {
    while (flow.reading && mux_->has_readable(id)) {
      Bytes piece = mux_->readable(id).bytes();
      flow.size += piece.size();
      if (flow.keep) flow.data += as_text(piece);
      mux_->consume(id, piece.size());
    }
    if (flow.opened && mux_->read_done(id)) flow.ended = true;
    if (flow.reset) mux_->forget(id);
  }
}

link::StreamId Peer::open(flow::Protocol protocol, const packet::Endpoint& to, std::string_view first) {
  flow::Destination destination;
  destination.protocol = protocol;
  destination.endpoint = to;
  link::StreamId id = mux_->open(destination, {}, 0, first.empty() ? Slice() : pool_.copy(as_bytes(first)));
  flows_[id];
  return id;
}

link::StreamId Peer::open_name(flow::Protocol protocol, const std::string& name, std::uint16_t port) {
  flow::Destination destination;
  destination.protocol = protocol;
  destination.name = name;
  destination.endpoint.port = port;
  link::StreamId id = mux_->open(destination, {}, 0, {});
  flows_[id];
  return id;
}

void Peer::write(link::StreamId id, std::string_view bytes) {
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, 64 * 1024);
    mux_->write(id, pool_.copy(as_bytes(piece)));
    bytes.remove_prefix(piece.size());
  }
}

void Peer::send(link::StreamId id, std::string_view datagram) {
  mux_->send_datagram(id, pool_.copy(as_bytes(datagram)), boot_now());
}

}  // namespace causeway::platform

#include "tests/tun/stack_harness.h"

#include "tests/tun/allocations.h"
#include "tun/offload.h"

namespace causeway::tun {

std::string pattern(std::size_t size, std::uint32_t seed) {
  std::string text(size, '\0');
  std::uint32_t state = seed * 2654435761u + 1;
  for (char& c : text) {
    state = state * 1664525u + 1013904223u;
    c = char(state >> 24);
  }
  return text;
}

StackHarness::StackHarness(const StackOptions& options) : options_(options) {
  stack_.emplace(pool_, random_, options_);
  tcp_ = stack_->attach();
}

StackHarness::~StackHarness() {
  tcp_.reset();
  stack_.reset();
}

Peer& StackHarness::begin(const AppOptions& options) {
  Peer& peer = *peers_.emplace_back(std::make_unique<Peer>(options));
  const App::Packet syn = peer.app.syn();
  const auto parsed = packet::parse(syn, false);
  EXPECT_TRUE(parsed);
  peer.id = tcp_->accept(*parsed, std::uint64_t(peers_.size()), now_);
  if (peer.id == 0) return peer;
  by_app_[options.local] = &peer;
  if (by_id_.size() <= peer.id) by_id_.resize(peer.id + 1);
  by_id_[peer.id] = &peer;
  return peer;
}

Peer& StackHarness::connect(const AppOptions& options) {
  Peer& peer = begin(options);
  settle();
  EXPECT_EQ(peer.established, 1u);
  return peer;
}

void StackHarness::deliver(Peer& peer, const App::Packet& packet) {
  engine::StackSegment segment;
  segment.connection = peer.id;
  segment.owner = pool_.copy(packet).owner;
  const auto parsed = packet::parse(segment.owner.bytes().first(packet.size()), false);
  ASSERT_TRUE(parsed);
  segment.packet = *parsed;
  const Counting count;
  tcp_->input(std::span(&segment, 1), now_);
}

void StackHarness::turn() {
  take_events();
  batch_.clear();
  {
    const Counting count;
    tcp_->flush(batch_, now_);
  }
  take_packets(batch_);
  take_events();
}

void StackHarness::take_packets(const packet::PacketBatch& batch) {
  offloads_.clear();
  for (const packet::OutgoingPacket& p : batch.packets()) {
    ++packets_;
    offloads_.push_back(p.offload);
    const Slice whole = gather(batch, p, pool_);
    const auto parsed = packet::parse(whole.bytes(), true);
    ASSERT_TRUE(parsed);
    const auto found = by_app_.find(parsed->tuple.destination);
    ASSERT_NE(found, by_app_.end());
    App& app = found->second->app;
    if (check_wire_) {
      tun::finish(batch, p, pool_, wire_);
      for (const Slice& segment : wire_) {
        const auto on_wire = packet::parse(segment.bytes(), false);
        ASSERT_TRUE(on_wire) << packet::drop_name(on_wire.error());
        EXPECT_LE(on_wire->payload.size(), std::max<std::size_t>(app.options().mss, 88));
      }
      wire_.clear();
    }
    if (!drop_) app.take(*parsed);
  }
}

void StackHarness::take_events() {
  events_.clear();
  {
    const Counting count;
    tcp_->take_events(events_);
  }
  for (const engine::StackEvent& event : events_) {
    Peer& peer = *by_id_.at(event.connection);
    ASSERT_EQ(peer.closed, 0u) << "kClosed is the last event";
    ASSERT_EQ(peers_.at(event.cookie - 1).get(), &peer);
    using Kind = engine::StackEvent::Kind;
    switch (event.kind) {
      case Kind::kEstablished: ++peer.established; break;
      case Kind::kReceived:
        peer.received.append(reinterpret_cast<const char*>(event.data.data), event.data.size);
        if (peer.keep_slices) peer.slices.push_back(event.data);
        if (peer.consume) consumed(peer, event.data.size);
        break;
      case Kind::kWritable: peer.acknowledged += event.acknowledged; break;
      case Kind::kFinished: ++peer.finished; break;
      case Kind::kReset: ++peer.reset; break;
      case Kind::kClosed: ++peer.closed; break;
    }
  }
}

void StackHarness::settle() {
  for (int i = 0; i < 100000; ++i) {
    const std::size_t before = packets_;
    std::size_t sent = 0;
    for (const auto& peer : peers_) {
      for (const App::Packet& packet : peer->app.outgoing()) {
        ++sent;
        if (peer->id != 0 && peer->closed == 0) deliver(*peer, packet);
      }
    }
    turn();
    if (sent == 0 && packets_ == before) return;
  }
  FAIL() << "both sides talk without end";
}

void StackHarness::pass(Duration time, bool talk) {
  const Instant until = now_ + time;
  while (tcp_->deadline() <= until) {
    now_ = std::max(now_, tcp_->deadline());
    {
      const Counting count;
      tcp_->advance(now_);
    }
    talk ? settle() : turn();
  }
  now_ = until;
}

std::size_t StackHarness::write(Peer& peer, std::string_view data) {
  std::size_t taken = 0;
  while (!data.empty()) {
    const Slice slice = pool_.copy(as_bytes(data.substr(0, BufferPool::kLargest)));
    const Counting count;
    const std::size_t n = tcp_->write(peer.id, slice);
    taken += n;
    if (n < slice.size) break;
    data.remove_prefix(n);
  }
  return taken;
}

void StackHarness::write_all(Peer& peer, std::string_view data) {
  while (!data.empty()) {
    const std::size_t taken = write(peer, data);
    data.remove_prefix(taken);
    const std::size_t before = peer.acknowledged;
    settle();
    ASSERT_TRUE(taken > 0 || peer.acknowledged > before);
  }
}

void StackHarness::finish(Peer& peer) { tcp_->finish(peer.id); }

void StackHarness::abort(Peer& peer) { tcp_->abort(peer.id); }

void StackHarness::consumed(Peer& peer, std::size_t bytes) {
  if (peer.closed) return;
  peer.consumed += bytes;
  const Counting count;
  tcp_->consumed(peer.id, bytes);
}

}  // namespace causeway::tun

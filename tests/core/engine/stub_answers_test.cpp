// A program that asks the stub over TCP and does not read what it is told.
#include <gtest/gtest.h>

#include "core/engine/client.h"
#include "core/packet/checksum.h"

namespace causeway::engine {
namespace {

using packet::Endpoint;

const Endpoint kApp = *Endpoint::parse("10.255.0.2:4000");
const Endpoint kStub = *Endpoint::parse("10.255.0.53:53");

// A stack with one connection whose app never reads: write() takes nothing.
class DeafStack final : public Stack {
 public:
  ConnectionId accept(const packet::Parsed&, std::uint64_t cookie, Instant) override {
    cookie_ = cookie;
    return 1;
  }
  void input(std::span<const StackSegment>, Instant) override {}
  std::size_t write(ConnectionId, const Slice&) override {
    ++writes;
    return 0;
  }
  void finish(ConnectionId) override {}
  void abort(ConnectionId connection) override {
    if (aborted) return;
    aborted = true;
    events_.push_back({StackEvent::Kind::kClosed, connection, cookie_, {}, 0});
  }
  void consumed(ConnectionId, std::size_t) override {}
  void take_events(std::vector<StackEvent>& out) override { out.swap(events_); }
  void flush(packet::PacketBatch&, Instant) override {}
  Instant deadline() const override { return kNever; }
  void advance(Instant) override {}
  std::size_t connections() const override { return 1; }

  bool aborted = false;
  int writes = 0;

 private:
  std::uint64_t cookie_ = 0;
  std::vector<StackEvent> events_;
};

// Answers whatever the test wants.
class Names final : public NameService {
 public:
  void datagram(const Endpoint&, const Endpoint&, Bytes, Instant) override {}
  void stream_opened(DnsStreamId id, Instant) override { stream = id; }
  void stream_received(DnsStreamId, Bytes, Instant) override {}
  void stream_finished(DnsStreamId, Instant) override { finished = true; }
  void asked(DnsRequestId, Bytes, Instant) override {}
  void cluster_answered(DnsRequestId, Bytes, Instant) override {}
  void cluster_failed(DnsRequestId, DnsFailure, Instant) override {}
  void machine_answered(DnsRequestId, Bytes, Instant) override {}
  void machine_failed(DnsRequestId, DnsFailure, Instant) override {}
  void link_changed(bool, Instant) override {}
  void take_actions(std::vector<DnsAction>& out) override { out.swap(actions); }
  Instant deadline() const override { return kNever; }
  void advance(Instant) override {}

  void answer(std::size_t size) {
    DnsAction action{};
    action.kind = DnsAction::Kind::kAnswerStream;
    action.stream = stream;
    action.message.assign(size, 1);
    actions.push_back(std::move(action));
  }

  DnsStreamId stream = 0;
  bool finished = false;
  std::vector<DnsAction> actions;
};

std::vector<std::uint8_t> syn_to_the_stub() {
  std::vector<std::uint8_t> out{0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, packet::kTcp, 0, 0};
  for (const Endpoint& end : {kApp, kStub})
    out.insert(out.end(), end.address.bytes().begin(), end.address.bytes().end());
  store16(&out[10], std::uint16_t(~packet::fold(packet::add_to_sum(0, out))));
  out.resize(40);
  store16(&out[20], kApp.port);
  store16(&out[22], kStub.port);
  out[32] = 0x50;
  out[33] = packet::kSyn;
  return out;
}

TEST(ClientStub, AProgramThatDoesNotReadItsAnswersIsCutOffBeforeTheyTakeMuchMemory) {
  BufferPool pool;
  SeededRandom random(1);
  DeafStack stack;
  Names names;
  Instant now{std::chrono::hours(1)};
  ClientConfig config;
  config.dns = {kStub.address};
  Client client(config, pool, random, stack, names, now);
  client.start(now);

  std::vector<std::uint8_t> syn = syn_to_the_stub();
  packet::Incoming in;
  in.owner = pool.take(syn.size());
  std::copy(syn.begin(), syn.end(), in.owner.data());
  in.packet = Bytes(in.owner.data(), syn.size());
  in.checksum_trusted = true;
  client.device_received({&in, 1}, now);
  in = {};
  client.flush(now);
  ASSERT_NE(names.stream, 0u);

  std::size_t most = 0;
  for (int i = 0; i < 200 && !names.finished; ++i) {
    names.answer(20000);
    client.flush(now);
    most = std::max(most, pool.in_use());
  }
  EXPECT_TRUE(stack.aborted);
  EXPECT_TRUE(names.finished) << "the name service hears that nobody listens";
  EXPECT_GT(stack.writes, 10);
  EXPECT_LT(most, std::size_t(2) << 20);
  EXPECT_EQ(client.status().counters.drop_limit, 1u);
  client.flush(now);
  EXPECT_LT(pool.in_use(), 100000u) << "its answers are gone";
}

}  // namespace
}  // namespace causeway::engine

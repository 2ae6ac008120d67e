// A stack without connections and a name service without names, for tests of what needs neither.
#pragma once

#include "core/engine/client.h"

namespace causeway::engine {

class SilentStack final : public Stack {
 public:
  ConnectionId accept(const packet::Parsed&, std::uint64_t, Instant) override { return 0; }
  void input(std::span<const StackSegment>, Instant) override {}
  std::size_t write(ConnectionId, const Slice&) override { return 0; }
  void finish(ConnectionId) override {}
  void abort(ConnectionId) override {}
  void consumed(ConnectionId, std::size_t) override {}
  void take_events(std::vector<StackEvent>&) override {}
  void flush(packet::PacketBatch&, Instant) override {}
  Instant deadline() const override { return kNever; }
  void advance(Instant) override {}
  std::size_t connections() const override { return 0; }
};

class SilentNames final : public NameService {
 public:
  void datagram(const packet::Endpoint&, const packet::Endpoint&, Bytes, Instant) override {}
  void stream_opened(DnsStreamId, Instant) override {}
  void stream_received(DnsStreamId, Bytes, Instant) override {}
  void stream_finished(DnsStreamId, Instant) override {}
  void asked(DnsRequestId, Bytes, Instant) override {}
  void cluster_answered(DnsRequestId, Bytes, Instant) override {}
  void cluster_failed(DnsRequestId, DnsFailure, Instant) override {}
  void machine_answered(DnsRequestId, Bytes, Instant) override {}
  void machine_failed(DnsRequestId, DnsFailure, Instant) override {}
  void link_changed(bool, Instant) override {}
  void take_actions(std::vector<DnsAction>&) override {}
  Instant deadline() const override { return kNever; }
  void advance(Instant) override {}
};

}  // namespace causeway::engine

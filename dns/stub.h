// Speaks DNS to the laptop's programs over UDP and TCP, on the addresses that the engine gives it, and to other tunnels in this
// process; what to answer is the Resolver's business.
//
// Everything that programs can pile up here is bounded: questions waiting (in number and bytes), streams, and what a stream
// has sent of a message. One thread, no call calls back.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/base/random.h"
#include "core/engine/name_service.h"
#include "dns/counters.h"
#include "dns/resolver.h"
#include "dns/stream.h"

namespace causeway::dns {

struct StubConfig {
  ResolverConfig resolver;
  std::uint16_t udp_size =
      4096;  // the longest answer in one datagram, also where the asker would take more; 512 or more
  std::size_t max_waiting = 10000;
  std::size_t max_waiting_bytes = 16 * 1024 * 1024;
  std::size_t max_streams = 256;
  std::size_t max_stream_bytes = 1024 * 1024;  // parts of messages, all streams together
  Duration stream_idle = std::chrono::seconds(30);
};

class Stub final : public engine::NameService {
 public:
  // `random` outlives the stub.
  Stub(Rules rules, const StubConfig& config, Random& random);
  Stub(const Stub&) = delete;
  Stub& operator=(const Stub&) = delete;

  void datagram(const packet::Endpoint& peer, const packet::Endpoint& local, Bytes message, Instant now) override;
  void stream_opened(engine::DnsStreamId stream, Instant now) override;
  void stream_received(engine::DnsStreamId stream, Bytes bytes, Instant now) override;
  void stream_finished(engine::DnsStreamId stream, Instant now) override;
  void asked(engine::DnsRequestId request, Bytes message, Instant now) override;

  void cluster_answered(engine::DnsRequestId request, Bytes message, Instant now) override;
  void cluster_failed(engine::DnsRequestId request, engine::DnsFailure why, Instant now) override;
  void machine_answered(engine::DnsRequestId request, Bytes message, Instant now) override;
  void machine_failed(engine::DnsRequestId request, engine::DnsFailure why, Instant now) override;
  void link_changed(bool up, Instant now) override;

  // See Resolver.
  void set_others(const std::vector<OtherProfile>& others) { resolver_.set_others(others); }
  void set_own_addresses(const std::vector<packet::Address>& own) { resolver_.set_own_addresses(own); }

  void take_actions(std::vector<engine::DnsAction>& out) override;

  Instant deadline() const override;
  void advance(Instant now) override;

  const Counters& counters() const { return counters_; }
  std::size_t waiting() const { return askers_.size(); }
  std::size_t streams() const { return streams_.size(); }
  // About what waiting questions and parts of messages take.
  std::size_t memory() const { return waiting_bytes_ + stream_bytes_; }

 private:
  struct Asker {
    enum class Way : std::uint8_t { kDatagram, kStream, kInProcess };
    Way way = Way::kDatagram;
    engine::DnsStreamId stream = 0;
    engine::DnsRequestId request = 0;  // in process
    packet::Endpoint peer;
    packet::Endpoint local;
    Query query;
    std::size_t cost() const;
  };

  struct Stream {
    MessageStream messages;
    std::size_t waiting = 0;
    bool finished = false;  // the peer sends no more; close once all is answered
    Instant idle_since;
  };
  using Streams = std::unordered_map<engine::DnsStreamId, Stream>;

  void receive(Asker asker, Bytes message, Instant now);
  void answer_outcomes(Instant now);
  void answer(const Asker& asker, const Outcome& outcome);
  void send(const Asker& asker, std::vector<std::uint8_t> message);
  void settle(const Asker& asker, Instant now);
  void close_stream(Streams::iterator stream);
  bool make_room();

  StubConfig config_;
  Counters counters_;
  std::vector<engine::DnsAction> actions_;
  Resolver resolver_;
  AskerId last_asker_ = 0;
  std::unordered_map<AskerId, Asker> askers_;
  std::size_t waiting_bytes_ = 0;
  Streams streams_;
  std::size_t stream_bytes_ = 0;
  std::vector<Outcome> outcomes_;
};

}  // namespace causeway::dns

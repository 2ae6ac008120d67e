// The inside of engine::Gateway, in the order of its files: gateway.cpp (turn, events), gateway_carrier.cpp (who may enter),
// gateway_relay.cpp (streams and sockets). What no stream is joined to by itself is in Services.
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "core/engine/gateway.h"
#include "core/engine/refusal_budget.h"
#include "core/engine/services.h"
#include "core/engine/stream_relay.h"
#include "core/link/link.h"
#include "core/link/number_window.h"
#include "core/mux/mux.h"

namespace causeway::engine {

class Gateway::Impl final : private ServiceHost {
 public:
  struct Session {
    Session(BufferPool& pool, const mux::Mux::Settings& settings)
        : mux(mux::Mux::Role::kGateway, pool, settings), link(mux) {}
    mux::Mux mux;
    link::Link link;
    std::unordered_map<link::StreamId, RelayId> relays;
    std::size_t dialling = 0;
    Instant since{};
  };

  struct Carrier {
    Carrier(BufferPool& pool, Random& random, const GatewayConfig& config, Instant now)
        : stream(pool, random, config.keys, config.timing, now) {}
    link::StreamCarrier stream;
    packet::Endpoint source;
    std::string client;
    link::PublicKey key{};
    mux::Mux::Settings settings;
    std::unique_ptr<Session> session;
    bool came = false;           // its first valid record was there
    bool closing = false;        // kCloseCarrier was given
    bool touched = false;        // is in touched_
    bool writable_noted = false;
    bool listened = false;       // some service may be handed over to it
    bool silent = false;         // it does not answer now, and the services know
    Instant due = kNever;        // its place in deadlines_
  };

  struct Relay : StreamRelay {
    CarrierId carrier = 0;
    flow::Protocol protocol{};
    Instant last{};
    Ring<Slice> datagrams;
    std::size_t datagram_bytes = 0;
  };

  Impl(const GatewayConfig& config, BufferPool& pool, Random& random, Instant now);

  // gateway.cpp
  Instant deadline() const;
  void advance(Instant now);
  void flush(Instant now);
  void settle();
  GatewayStatus status() const;

  // gateway_carrier.cpp
  void set_clients(std::vector<AuthorisedClient> clients, Instant now);
  void stop(Instant now);
  CarrierId accepted(const packet::Endpoint& source, Instant now);
  void received(CarrierId id, std::size_t n, Instant now);
  void transmitted(CarrierId id, std::size_t n);
  void closed(CarrierId id, Instant now);
  Carrier* find(CarrierId id);

  // gateway_service.cpp
  RelayId service_accepted(ServiceId service, const packet::Endpoint& source, Instant now);

  // gateway_relay.cpp
  void dialled(RelayId id, Instant now);
  void dial_failed(RelayId id, link::Reason why, Instant now);
  MutableBytes relay_space(RelayId id);
  void relay_received(RelayId id, std::size_t n, Instant now);
  void relay_finished(RelayId id, Instant now);
  void relay_failed(RelayId id, link::Reason why, Instant now);
  std::size_t relay_transmit(RelayId id, std::span<Bytes> pieces);
  void relay_transmitted(RelayId id, std::size_t n, Instant now);
  void relay_datagram(RelayId id, Bytes datagram, Instant now);
  std::optional<Slice> relay_next_datagram(RelayId id);

  Services& services() { return services_; }
  const Services& services() const { return services_; }

  std::vector<GatewayEvent> events_;
  std::vector<CarrierId> writable_carriers_;
  std::vector<RelayId> writable_relays_;

 private:
  friend class Gateway;

  // For Services: gateway_service.cpp
  GatewayEvent& emit(GatewayEvent::Kind kind) override;
  RelayId new_relay() override { return next_relay_++; }
  void note_writable(RelayId relay) override { noted_relays_.push_back(relay); }
  void reset_once_offered(RelayId relay) override { resets_.push_back(relay); }
  void close_relay(RelayId relay, bool reset) override;
  void finish_relay(RelayId relay) override { emit(GatewayEvent::Kind::kFinishRelay).relay = relay; }
  void resume_relay(RelayId relay) override { emit(GatewayEvent::Kind::kResumeReading).relay = relay; }
  mux::Mux* mux(CarrierId carrier) override;
  void join(RelayId relay, CarrierId carrier, link::StreamId stream, bool finished) override;
  void cut(RelayId relay) override;
  Instant silent_at(const Carrier& carrier) const;
  void look_for_silence(CarrierId id, Carrier& carrier, Instant now);
  std::string owner_of(const Carrier& carrier) const;

  // gateway.cpp
  void touch(CarrierId id, Carrier& carrier);
  void flush_carrier(CarrierId id, Carrier& carrier, Instant now);
  void set_deadline(CarrierId id, Carrier& carrier);
  void end_reset_relays();
  void lend_writable();
  void note_writable(CarrierId id, Carrier& carrier);

  // gateway_carrier.cpp
  void state_changed(CarrierId id, Carrier& carrier, Instant now);
  void arrived(CarrierId id, Carrier& carrier, Instant now);
  void refuse(CarrierId id, Carrier& carrier, link::RefusalCode code, std::string text, Instant now);
  void begin_session(CarrierId id, Carrier& carrier, Instant now);
  void link_moved(CarrierId id, Carrier& carrier, Instant now);
  void lose(CarrierId id, Carrier& carrier, const std::string& why, Instant now);
  void close(CarrierId id, Carrier& carrier);
  void end_session(CarrierId id, Carrier& carrier, std::string why, Instant now);
  const AuthorisedClient* client_of(const link::PublicKey& key) const;
  std::size_t sessions_of(const link::PublicKey& key) const;

  // gateway_relay.cpp
  void mux_events(CarrierId id, Carrier& carrier, Instant now);
  void open(CarrierId id, Carrier& carrier, mux::MuxEvent& event, Instant now);
  void service_event(CarrierId id, Carrier& carrier, mux::MuxEvent& event, Instant now);
  // The gateway opened its stream: it is of a service's listener, and handed over to a client.
  static bool is_handed_over(const Relay& relay) { return relay.stream % 2 == 0; }
  void stream_ended(CarrierId id, Carrier& carrier, RelayId relay, bool reset);
  void note_writable(Relay& relay);
  void queue_datagram(Relay& relay, Slice datagram, Instant now);
  void remove(Relay& relay, bool close_socket, bool reset);
  void finish_if_drained(Relay& relay);
  Relay* find_relay(RelayId id);
  Session& session_of(const Relay& relay);
  // The same, for a call that gives it something to send.
  Session& touch(const Relay& relay);

  static constexpr std::size_t kDatagramQueue = 512 * 1024;

  GatewayConfig config_;
  BufferPool& pool_;
  Random& random_;
  std::vector<AuthorisedClient> clients_;
  std::map<link::PublicKey, link::NumberWindow> numbers_;
  RefusalBudget refusals_;
  std::unordered_map<CarrierId, Carrier> carriers_;
  CarrierId next_carrier_ = 1;
  std::size_t handshakes_ = 0;
  std::unordered_map<RelayId, Relay> relays_;
  std::unordered_set<RelayId> datagram_relays_;
  RelayId next_relay_ = 1;
  // Carriers with something to do in this turn's flush(): a turn costs as much as what happens in it, however many there are.
  std::vector<CarrierId> touched_, touched_before_;
  std::vector<CarrierId> unsettled_;  // with bytes, perhaps, that came in this turn and were not taken
  std::set<std::pair<Instant, CarrierId>> deadlines_;  // each carrier has its place, with kNever where it waits for nothing
  std::vector<CarrierId> due_;
  std::vector<CarrierId> noted_carriers_;  // writable_carriers_ of the next flush()
  std::vector<RelayId> noted_relays_;
  std::vector<RelayId> resets_;      // relays whose last bytes the next flush() offers to the driver
  std::vector<RelayId> resets_due_;  // they were offered
  ReadBlock read_;
  Services services_;
  Instant sweep_at_ = kNever;
  bool stopping_ = false;
  std::vector<mux::MuxEvent> mux_events_;
  GatewayStatus counters_;
};

}  // namespace causeway::engine

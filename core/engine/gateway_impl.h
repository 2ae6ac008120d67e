// The inside of engine::Gateway, in the order of its files: gateway.cpp (turn, events), gateway_carrier.cpp (who may enter),
// gateway_relay.cpp (streams and sockets).
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "core/engine/gateway.h"
#include "core/engine/refusal_budget.h"
#include "core/link/link.h"
#include "core/link/number_window.h"
#include "core/mux/mux.h"

namespace causeway::engine {

class Gateway::Impl {
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
    Instant due = kNever;        // its place in deadlines_
  };

  struct Relay {
    RelayId id = 0;
    CarrierId carrier = 0;
    link::StreamId stream = 0;
    flow::Protocol protocol{};
    bool dialling = true;
    bool paused = false;           // the driver was told to stop reading
    bool finish_given = false;     // kFinishRelay was given
    bool service_finished = false;
    bool ending = false;           // reset by the client; only what came before is still to be written
    bool writable_noted = false;
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

  std::vector<GatewayEvent> events_;
  std::vector<CarrierId> writable_carriers_;
  std::vector<RelayId> writable_relays_;

 private:
  friend class Gateway;

  // gateway.cpp
  GatewayEvent& emit(GatewayEvent::Kind kind);
  void touch(CarrierId id, Carrier& carrier);
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
  void stream_ended(CarrierId id, Carrier& carrier, RelayId relay, bool reset);
  void note_writable(Relay& relay);
  void queue_datagram(Relay& relay, Slice datagram, Instant now);
  void remove(Relay& relay, bool close_socket, bool reset);
  void finish_if_drained(Relay& relay);
  Relay* find_relay(RelayId id);
  Session& session_of(const Relay& relay);
  // The same, for a call that gives it something to send.
  Session& touch(const Relay& relay);

  // A relay's bytes that wait for the carrier: beyond it the socket is not read.
  static constexpr std::uint64_t kUnsent = 256 * 1024;
  static constexpr std::size_t kReadBlock = BufferPool::kPacket;
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
  Buffer scratch_;                // where sockets are read into
  Instant sweep_at_ = kNever;
  bool stopping_ = false;
  std::vector<mux::MuxEvent> mux_events_;
  GatewayStatus counters_;
};

}  // namespace causeway::engine

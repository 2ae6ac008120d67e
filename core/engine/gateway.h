// The cluster's half of the engine: carriers of many clients on one side, sockets to services on the other.
//
// A driver owns the sockets. Carriers and relays are named by ids. Each turn it hands over what arrived, calls flush() once, then
// carries out events, writes what transmit() and relay_transmit() hold for the ids in writable_carriers() and
// writable_relays(), and calls settle(). Nothing calls back. One thread.
//
// A relay is a stream (or a datagram flow) joined to a socket: kDial asks for it, dialled() or dial_failed() answer, and it
// lives until its kCloseRelay event. Ids are not used again while the driver may still know them.
//
// Services are what clients may intercept. The driver listens for them and says what it accepted; the id it gets for that names the
// accepted socket, which is driven as any relay is. The engine asks with kDial for a socket to the service's original backend, or hands
// the connection, or single requests of it, to the client that intercepts them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/engine/relays.h"
#include "core/flow/destination.h"
#include "core/intercept/intercept_table.h"
#include "core/link/hello.h"
#include "core/link/reason.h"
#include "core/link/stream_carrier.h"

namespace causeway::engine {

using CarrierId = std::uint32_t;
using ServiceId = std::uint32_t;  // its place in GatewayConfig::services

struct ServiceConfig {
  std::string name;  // at most 255 bytes of visible ASCII
  bool http = false;  // HTTP/1.x: requests can be told apart
  flow::Destination original;
  bool original_when_down = true;  // where the local process does not listen: to the original, not a refusal
};

struct AuthorisedClient {
  link::PublicKey key{};
  std::string name;
  std::optional<Secret<32>> psk;
};

struct GatewayConfig {
  link::StreamCarrier::Keys keys;
  link::StreamCarrier::Timing timing;
  bool icmp_echo = false;            // the kernel lets us have ping sockets
  std::size_t max_carriers = 1024;   // in all
  std::size_t max_handshakes = 256;  // carriers that have not shown a valid record yet
  std::size_t sessions_per_client = 8;
  std::size_t streams_per_client = 16384;
  std::size_t dials_per_client = 1024;  // under way at once
  double refusals_per_second = 5;       // sealed refusals to one source address (an IPv6 /64 is one)
  Duration udp_idle = std::chrono::seconds(90);
  std::vector<ServiceConfig> services;  // no name twice
  std::size_t max_accepted = 8192;      // connections to services at once
  // How long what was handed over to a client may go on once its carrier has stopped answering, or its intercept is over.
  Duration intercept_grace = std::chrono::seconds(5);
  Duration intercept_lease = std::chrono::minutes(5);  // how long an intercept is kept for a client that is not connected
};

struct GatewayEvent {
  enum class Kind : std::uint8_t {
    kCame,           // a client's session began: client, source, carrier
    kWent,           // it ended: `text` says why
    kRefused,        // somebody was refused, or sent garbage: source, `text`
    kCloseCarrier,   // close this carrier's socket once its bytes are written; the id is free after carrier_closed()
    kDial,           // open a socket to `destination` for `relay`; `configured`: it is a service's own backend
    kDialProbe,      // connect to a listener of `service` for `relay`, then say from where: probe_from()
    kCatalogue,      // `relay` asks for the services, or for the one named destination.name: dialled(), then relay_received()
                     // what to tell, and relay_finished()
    kCloseRelay,     // close the relay's socket now; `reset`: with RST. The id is free
    kFinishRelay,    // shut down its sending side, once relay_transmit() is empty
    kResumeReading,  // relay_space() of this relay has room again
    kIntercept,      // for the log: `client`, and in `text` what about which service
  };
  Kind kind;
  CarrierId carrier = 0;
  RelayId relay = 0;
  bool reset = false;
  bool configured = false;
  ServiceId service = 0;
  std::string client;       // its name; kCame, kWent, kDial, kCatalogue, kIntercept, and kRefused where the key is known
  link::PublicKey key{};    // the client's; all zero where it showed none
  packet::Endpoint source;  // of the carrier; for kDial the original source as the client's engine saw it
  flow::Destination destination;
  std::string text;
};

struct GatewayStatus {
  std::size_t sessions = 0, handshakes = 0, relays = 0, memory = 0;
  std::uint64_t came = 0, refused = 0, silent = 0;  // silent: carriers that never showed a valid first message
  std::uint64_t dials = 0, dial_failures = 0, forbidden = 0;
  std::size_t accepted = 0, intercepts = 0;  // connections to services, and who intercepts them, now
};

struct ServiceStatus {
  ServiceConfig config;
  std::vector<packet::Endpoint> endpoints;  // as the driver said
  std::size_t connections = 0;
  std::vector<intercept::Intercept> intercepts;  // in the order in which they are asked
};

class Gateway final : public Relays {
 public:
  Gateway(const GatewayConfig& config, BufferPool& pool, Random& random, Instant now);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Who may enter from now on. Sessions of keys that are no longer there end at once.
  void set_clients(std::vector<AuthorisedClient> clients, Instant now);
  // Ends every session with GOAWAY and CLOSE.
  void stop(Instant now);

  // 0: a bound was reached, close the socket.
  CarrierId carrier_accepted(const packet::Endpoint& source, Instant now);
  MutableBytes receive_space(CarrierId carrier);
  void received(CarrierId carrier, std::size_t n, Instant now);
  std::size_t transmit(CarrierId carrier, std::array<Bytes, 2>& pieces);
  void transmitted(CarrierId carrier, std::size_t n, Instant now);
  void carrier_progressed(CarrierId carrier, Instant now);
  // How much it would take now: see link::Link::set_room().
  void set_carrier_room(CarrierId carrier, std::size_t bytes);
  void carrier_closed(CarrierId carrier, Instant now);

  // Where the cluster reaches a service; clients are told.
  void set_endpoints(ServiceId service, std::vector<packet::Endpoint> endpoints);
  // Somebody connected to a listener. 0: a bound was reached, close the socket.
  RelayId service_accepted(ServiceId service, const packet::Endpoint& source, Instant now);
  // The local end of the socket that kDialProbe asked for, before it can be accepted.
  void probe_from(RelayId relay, const packet::Endpoint& local);
  // Ends intercepts as their owner could; an empty owner is any. How many.
  std::size_t free_intercepts(std::string_view service, std::string_view owner, Instant now);
  std::vector<ServiceStatus> services() const;

  void dialled(RelayId relay, Instant now) override;
  void dial_failed(RelayId relay, link::Reason why, Instant now) override;
  // relay_failed() is for all relays, the others for those of TCP.
  MutableBytes relay_space(RelayId relay) override;
  void relay_received(RelayId relay, std::size_t n, Instant now) override;
  void relay_finished(RelayId relay, Instant now) override;
  void relay_failed(RelayId relay, link::Reason why, Instant now) override;
  std::size_t relay_transmit(RelayId relay, std::span<Bytes> pieces) override;
  void relay_transmitted(RelayId relay, std::size_t n, Instant now) override;
  // UDP, echo and DNS relays: a datagram that came, and the next to be sent (empty optional: none; empty bytes: an empty one).
  void relay_datagram(RelayId relay, Bytes datagram, Instant now);
  std::optional<Slice> relay_next_datagram(RelayId relay);

  Instant deadline() const;
  void advance(Instant now);

  void flush(Instant now);
  // Who has something to write since the last flush(). Lent until the next call of flush().
  std::span<const CarrierId> writable_carriers() const;
  std::span<const RelayId> writable_relays() const;
  void take_events(std::vector<GatewayEvent>& out);
  // Ends the turn: what the sockets did not take moves to blocks of its size.
  void settle();
  GatewayStatus status() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::engine

// The cluster's half of the engine: carriers of many clients on one side, sockets to services on the other.
//
// A driver owns the sockets. Carriers and relays are named by ids. Each turn it hands over what arrived, calls flush() once, then
// carries out events, writes what transmit() and relay_transmit() hold for the ids in writable_carriers() and
// writable_relays(), and calls settle(). Nothing calls back. One thread.
//
// A relay is a stream (or a datagram flow) joined to a socket: kDial asks for it, dialled() or dial_failed() answer, and it
// lives until its kCloseRelay event. Ids are not used again while the driver may still know them.
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
#include "core/flow/destination.h"
#include "core/link/hello.h"
#include "core/link/reason.h"
#include "core/link/stream_carrier.h"

namespace causeway::engine {

using CarrierId = std::uint32_t;
using RelayId = std::uint32_t;

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
};

struct GatewayEvent {
  enum class Kind : std::uint8_t {
    kCame,           // a client's session began: client, source, carrier
    kWent,           // it ended: `text` says why
    kRefused,        // somebody was refused, or sent garbage: source, `text`
    kCloseCarrier,   // close this carrier's socket once its bytes are written; the id is free after carrier_closed()
    kDial,           // open a socket to `destination` for `relay`
    kCloseRelay,     // close the relay's socket now; `reset`: with RST. The id is free
    kFinishRelay,    // shut down its sending side, once relay_transmit() is empty
    kResumeReading,  // relay_space() of this relay has room again
  };
  Kind kind;
  CarrierId carrier = 0;
  RelayId relay = 0;
  bool reset = false;
  std::string client;       // its name; kCame, kWent, kDial, and kRefused where the key is known
  link::PublicKey key{};    // the client's; all zero where it showed none
  packet::Endpoint source;  // of the carrier; for kDial the original source as the client's engine saw it
  flow::Destination destination;
  std::string text;
};

struct GatewayStatus {
  std::size_t sessions = 0, handshakes = 0, relays = 0, memory = 0;
  std::uint64_t came = 0, refused = 0, silent = 0;  // silent: carriers that never showed a valid first message
  std::uint64_t dials = 0, dial_failures = 0, forbidden = 0;
};

class Gateway {
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
  void carrier_closed(CarrierId carrier, Instant now);

  void dialled(RelayId relay, Instant now);
  void dial_failed(RelayId relay, link::Reason why, Instant now);
  // TCP relays: where to read the socket into (empty: stop reading until kResumeReading), then how much was read.
  MutableBytes relay_space(RelayId relay);
  void relay_received(RelayId relay, std::size_t n, Instant now);
  void relay_finished(RelayId relay, Instant now);                  // the service sent FIN
  void relay_failed(RelayId relay, link::Reason why, Instant now);  // the socket died; the driver has closed it
  // TCP relays: what is to be written to the socket, in order, at most pieces.size() of it; then how much was.
  std::size_t relay_transmit(RelayId relay, std::span<Bytes> pieces);
  void relay_transmitted(RelayId relay, std::size_t n, Instant now);
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

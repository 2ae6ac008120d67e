// The laptop's half of the engine: packets of one device on one side, the bytes of one carrier on the other.
//
// A driver (platform, or a test in virtual time) owns the device, the carrier's socket and the clock. Each turn it hands over what
// arrived (device_received, receive_space/received, machine_answered, advance), then calls flush() once and writes what
// packets() and transmit() hold. Nothing calls back; events() tells what a program may want to know.
//
// One thread. References given to the constructor outlive the Client. Spans and batches lent are good until the next call.
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
#include "core/engine/name_service.h"
#include "core/engine/stack.h"
#include "core/link/hello.h"
#include "core/link/reason.h"
#include "core/link/stream_carrier.h"
#include "core/packet/batch.h"
#include "core/packet/incoming.h"
#include "core/packet/parse.h"

namespace causeway::engine {

struct ClientConfig {
  link::StreamCarrier::Keys keys;
  link::PublicKey gateway_key{};
  std::optional<Secret<32>> psk;
  std::vector<packet::Cidr> routes;        // what may be reached; anything else from the device is a counted drop
  std::vector<packet::Address> dns;        // the stub's virtual addresses; port 53, UDP and TCP
  std::vector<packet::Address> own;        // the device's own addresses; echo requests to them are answered here
  link::StreamCarrier::Timing timing;
  std::uint64_t hello_floor = 0;           // the last hello number used by this key, kept by the caller across runs
  std::uint64_t wall_clock_ns = 0;         // the wall clock at the time of construction, for hello numbers

  std::size_t max_flows = 65536;
  std::size_t max_half_open = 4096;
  Duration syn_wait = std::chrono::seconds(10);    // for a link that is down
  Duration udp_idle = std::chrono::seconds(60);    // after the last datagram either way; DNS-like flows go sooner
};

struct ClientEvent {
  enum class Kind : std::uint8_t {
    kDial,           // open a carrier now, then call carrier_connected() or dial_failed()
    kCloseCarrier,   // close the carrier's socket, after transmit() is empty if `error` has nothing to say
    kLinkUp,         // the handshake is done and the gateway's first record came; see status()
    kLinkDown,       // `error` says why; flows have ended. A kDial follows by itself, unless stop() was called
    kRefused,        // the gateway answered and said no: `error`; a kDial follows in 30 s
    kEcho,           // the answer to echo(token); `elapsed`
    kClusterAnswer,  // the answer to ask_cluster(token) in `message`, or `error`
    kHelloNumber,    // `number` is about to be used: keep it
  };
  Kind kind;
  Error error;
  std::uint64_t token = 0;
  std::uint64_t number = 0;
  Duration elapsed{};
  std::vector<std::uint8_t> message;
};

struct ClientCounters {
  std::uint64_t packets_in = 0;
  std::uint64_t bytes_in = 0;            // IP bytes from the device
  std::uint64_t tcp_opened = 0, tcp_refused = 0, udp_opened = 0, echo_opened = 0;
  std::array<std::uint64_t, std::size_t(packet::Drop::kCount)> malformed{};
  std::uint64_t drop_no_route = 0;       // a destination outside the routes
  std::uint64_t drop_no_flow = 0;        // a segment of no known connection; answered with RST
  std::uint64_t drop_limit = 0;          // a bound on flows was reached
  std::uint64_t drop_protocol = 0;       // neither TCP, UDP nor echo
  std::uint64_t drop_queue = 0;          // datagrams beyond their queue's bytes or age
  std::uint64_t drop_late = 0;           // frames for streams that are closed
};

struct ClientStatus {
  enum class Link : std::uint8_t { kDown, kDialling, kHandshake, kUp, kStopped };
  Link link = Link::kDown;
  std::string last_error;                // why it was last down
  std::optional<Duration> round_trip;    // the last echo's
  std::size_t tcp_flows = 0, half_open = 0, datagram_flows = 0;
  std::size_t memory = 0;                // bytes in buffers
  bool icmp_echo = false;                // the gateway can send echo requests
  std::uint64_t carrier_bytes_in = 0, carrier_bytes_out = 0, rekeys = 0, links = 0;
  ClientCounters counters;
};

class Client {
 public:
  Client(const ClientConfig& config, BufferPool& pool, Random& random, Stack& stack, NameService& names, Instant now);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Begins: the first kDial event. stop() ends every flow with RST and the link with CLOSE; after the next flush() and
  // transmit() the client may be destroyed.
  void start(Instant now);
  void stop(Instant now);

  void device_received(std::span<packet::Incoming> batch, Instant now);

  void carrier_connected(Instant now);
  void dial_failed(const Error& error, Instant now);
  MutableBytes receive_space();
  void received(std::size_t n, Instant now);
  void carrier_closed(const Error& error, Instant now);
  // The kernel's count of bytes that the peer's host acknowledged has moved: the carrier is slow, not dead.
  void carrier_progressed(Instant now);

  // The machine's answers to what take_machine_questions() gave.
  void machine_answered(DnsRequestId request, Bytes message, Instant now);
  void machine_failed(DnsRequestId request, DnsFailure why, Instant now);

  // A frame to the gateway and back; the answer is a kEcho event. Nothing comes if the link goes down before.
  void echo(std::uint64_t token, Instant now);
  // Asks the cluster's DNS; a kClusterAnswer event follows, also when it fails.
  void ask_cluster(std::uint64_t token, Bytes message, Instant now);

  Instant deadline() const;
  void advance(Instant now);

  // Ends the turn. What follows is to be written: packets() to the device (then packets().clear()), transmit() to the carrier.
  void flush(Instant now);
  packet::PacketBatch& packets();
  std::size_t transmit(std::array<Bytes, 2>& pieces);
  void transmitted(std::size_t n, Instant now);

  // kAskMachine and kForget actions only. Swapped into `out`, which must be empty; so are events.
  void take_machine_questions(std::vector<DnsAction>& out);
  void take_events(std::vector<ClientEvent>& out);
  ClientStatus status() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::engine

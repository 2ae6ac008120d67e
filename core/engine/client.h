// The laptop's half of the engine: packets of one device on one side, the bytes of one carrier on the other.
//
// A driver (platform, or a test in virtual time) owns the device, the carrier's socket and the clock. Each turn it hands over what
// arrived (device_received, receive_space/received, machine_answered, advance), then calls flush() once and writes what
// packets() and transmit() hold. Nothing calls back; events() tells what a program may want to know.
//
// The other direction: intercept() asks the gateway for requests of a service in the cluster, which then come as streams that the
// gateway opens. For each the driver is asked to connect to the address that the intercept declared, and to no other (kDialLocal);
// the socket is named by an id and driven by the calls of Relays.
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
#include "core/engine/address_map.h"
#include "core/engine/name_service.h"
#include "core/engine/relays.h"
#include "core/engine/stack.h"
#include "core/intercept/match.h"
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
  std::vector<packet::Cidr> exclude;       // what may not: of both the more specific prefix wins
  AddressMap* addresses = nullptr;         // virtual ones for some of `routes`; null: none. Outlives the client
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

// One of ours; never used again.
using InterceptId = std::uint64_t;

struct InterceptRequest {
  std::string service;
  intercept::Match match;
  packet::Endpoint local;  // where the local process listens
  // Connections of this machine to the service go to the local process as well, without the way through the cluster.
  bool shortcut = true;
};

struct InterceptStatus {
  // kAsking: the gateway has not answered yet. kWaiting: the link is down, or the gateway cannot now; it is asked again by itself.
  enum class State : std::uint8_t { kAsking, kReady, kWaiting };
  InterceptId id = 0;
  InterceptRequest request;
  State state = State::kWaiting;
  bool http = false;                        // what follows: since it was first ready
  std::vector<packet::Endpoint> endpoints;  // where the cluster reaches the service
  Duration round_trip{};                    // of the gateway's probe
  std::uint64_t connections = 0;            // that the gateway, or a program here, opened to the local process
  std::uint64_t failures = 0;               // of those, how many it did not take
  std::string last_error;
  Instant last_answer = kNever;             // when the local process last sent something; kNever: not yet
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
    kProbed,         // how probe(token) ended: `reason` (kNone: connected), after `elapsed`
    kHelloNumber,    // `number` is about to be used: keep it
    kCatalogue,      // the answer to ask_catalogue(token) in `message`, or `error`
    kInterceptReady,    // `intercept` is proven, again perhaps: `elapsed` there and back
    kInterceptWaiting,  // it was ready, and goes on by itself once the gateway is reached: `error` says why not
    kInterceptEnded,    // it was refused or is over: `error`. Never after leave()
    kDialLocal,      // connect to `local` for `relay`; dialled() or dial_failed() answer
    kCloseRelay,     // close the relay's socket now; `reset`: with RST. The id is free
    kFinishRelay,    // shut down its sending side, once relay_transmit() is empty
    kResumeReading,  // relay_space() of this relay has room again
  };
  Kind kind;
  Error error;
  std::uint64_t token = 0;
  std::uint64_t number = 0;
  Duration elapsed{};
  std::vector<std::uint8_t> message;
  link::Reason reason = link::Reason::kNone;
  InterceptId intercept = 0;
  RelayId relay = 0;
  bool reset = false;
  packet::Endpoint local;
};

struct ClientCounters {
  std::uint64_t packets_in = 0;
  std::uint64_t bytes_in = 0;            // IP bytes from the device
  std::uint64_t tcp_opened = 0, tcp_refused = 0, udp_opened = 0, echo_opened = 0;
  std::array<std::uint64_t, std::size_t(packet::Drop::kCount)> malformed{};
  std::uint64_t drop_no_route = 0;       // a destination outside the routes
  std::uint64_t drop_excluded = 0;       // to an excluded one, or from an address that is the cluster's; answered with prohibited
  std::uint64_t drop_not_virtual = 0;    // to a virtual address that means nothing; answered with host unreachable
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
  std::size_t udp_flows = 0, echo_flows = 0;  // of datagram_flows, which has questions and probes as well
  std::size_t memory = 0;                // bytes in buffers
  bool icmp_echo = false;                // the gateway can send echo requests
  std::uint64_t carrier_bytes_in = 0, carrier_bytes_out = 0, rekeys = 0, links = 0;
  ClientCounters counters;
};

class Client final : public Relays {
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
  // How much the carrier that is there now would take: see link::Link::set_room().
  void set_carrier_room(std::size_t bytes);

  // The machine's answers to what take_machine_questions() gave.
  void machine_answered(DnsRequestId request, Bytes message, Instant now);
  void machine_failed(DnsRequestId request, DnsFailure why, Instant now);

  // A question of this process to the name service. Its answer, a kAnswerAsked action, comes with take_machine_questions().
  void ask_names(DnsRequestId request, Bytes message, Instant now);

  // Prefixes have become virtual in ClientConfig::addresses: flows to their real addresses end with a reset, as the machine's own
  // network has these addresses from now on.
  void end_hidden_flows(Instant now);

  // A frame to the gateway and back; the answer is a kEcho event. Nothing comes if the link goes down before.
  void echo(std::uint64_t token, Instant now);
  // Asks the cluster's DNS; a kClusterAnswer event follows, also when it fails.
  void ask_cluster(std::uint64_t token, Bytes message, Instant now);

  // Has the gateway dial `to` over TCP and ends that connection at once; a kProbed event follows, also when it fails. Of more than
  // kMaxProbes at once the rest fail with kLimit; kTimedOut comes after kProbeLimit at the latest, though the gateway tries longer.
  static constexpr std::size_t kMaxProbes = 16;
  static constexpr Duration kProbeLimit = std::chrono::seconds(5);
  void probe(std::uint64_t token, const packet::Endpoint& to, Instant now);

  // The services that can be intercepted, or the one of that name with its environment: a document of the gateway's, see
  // core/control/catalogue.h. A kCatalogue event follows, also when it fails.
  void ask_catalogue(std::uint64_t token, const std::string& service, Instant now);

  // Asks now, or when the link is up. kInterceptReady or kInterceptEnded follow. The match's conditions and the service's name fit
  // into link::kMaxParameters (intercept::Request says so).
  InterceptId intercept(const InterceptRequest& request, Instant now);
  // Requests that are under way may still end.
  void leave(InterceptId intercept, Instant now);
  std::vector<InterceptStatus> intercepts() const;

  void dialled(RelayId relay, Instant now) override;
  void dial_failed(RelayId relay, link::Reason why, Instant now) override;
  MutableBytes relay_space(RelayId relay) override;
  void relay_received(RelayId relay, std::size_t n, Instant now) override;
  void relay_finished(RelayId relay, Instant now) override;
  void relay_failed(RelayId relay, link::Reason why, Instant now) override;
  std::size_t relay_transmit(RelayId relay, std::span<Bytes> pieces) override;
  void relay_transmitted(RelayId relay, std::size_t n, Instant now) override;

  Instant deadline() const;
  void advance(Instant now);

  // Makes packets() of what has come for the apps, so that they have it while more is being sealed. flush() does so as well.
  void flush_device(Instant now);
  // Ends the turn. What follows is to be written: packets() to the device (then packets().clear()), transmit() to the carrier,
  // relay_transmit() of writable_relays() to their sockets; then settle().
  void flush(Instant now);
  // What was not taken moves to blocks of its size.
  void settle();
  packet::PacketBatch& packets();
  // Relays with something to be written since the last flush(). Lent until the next call of flush().
  std::span<const RelayId> writable_relays() const;
  std::size_t transmit(std::array<Bytes, 2>& pieces);
  void transmitted(std::size_t n, Instant now);

  // kAskMachine, kForget and kAnswerAsked actions only. Swapped into `out`, which must be empty; so are events.
  void take_machine_questions(std::vector<DnsAction>& out);
  void take_events(std::vector<ClientEvent>& out);
  ClientStatus status() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::engine

// The gateway's services: who connects to them, who intercepts them, and which connection or request goes where.
//
//   accepted, tcp    nobody intercepts  > spliced with a socket to the original
//                    an intercept       > OPEN to its laptop, what comes is kept back > OPENED: a relay like any other
//                                                                                     > REFUSED, or silence: the original
//   accepted, http   an HttpProxy each, which asks for sockets to the original and for streams to laptops
//   LISTEN > in the table > the gateway connects to its own listener > OPEN(probe) > OPENED > LISTENING
//
// In the order of its files: services.cpp (connections and the driver's calls), service_http.cpp, service_listen.cpp (intercepts and
// sessions) and service_probe.cpp.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>

#include "core/engine/gateway.h"
#include "core/engine/http_connections.h"
#include "core/engine/stream_relay.h"

namespace causeway::engine {

// What services need of the gateway.
class ServiceHost : public QueuedSockets::Host {
 public:
  virtual GatewayEvent& emit(GatewayEvent::Kind kind) = 0;
  // Null: the session is over. Whatever it is given is flushed in this turn.
  virtual mux::Mux* mux(CarrierId carrier) = 0;
  // The accepted socket and the stream, which is open, are a relay like any other from now on; cut() ends it with resets.
  virtual void join(RelayId relay, CarrierId carrier, link::StreamId stream, bool finished) = 0;
  virtual void cut(RelayId relay) = 0;

 protected:
  ~ServiceHost() = default;
};

class Services final : private HttpConnections::Host {
 public:
  Services(ServiceHost& host, const GatewayConfig& config, BufferPool& pool, ReadBlock& read);
  ~Services();

  // services.cpp
  void set_endpoints(ServiceId service, std::vector<packet::Endpoint> endpoints);
  RelayId accepted(ServiceId service, const packet::Endpoint& source, Instant now);
  std::vector<ServiceStatus> status() const;
  std::size_t connections() const { return plains_.size() + http_.size(); }
  std::size_t intercepts() const { return table_.size(); }
  void stop();

  // Calls of Relays, for ids that are no stream's.
  void dialled(RelayId id, Instant now);
  void dial_failed(RelayId id, link::Reason why, Instant now);
  MutableBytes space(RelayId id);
  void received(RelayId id, std::size_t n, Instant now);
  void finished(RelayId id, Instant now);
  void failed(RelayId id, link::Reason why, Instant now);
  std::size_t transmit(RelayId id, std::span<Bytes> pieces) { return sockets_.transmit(id, pieces); }
  void transmitted(RelayId id, std::size_t n, Instant now);
  void lent(RelayId id) { sockets_.lent(id); }
  void end_offered(RelayId id) { sockets_.end_offered(id); }

  Instant deadline() const;
  void advance(Instant now);
  void settle() { sockets_.settle(); }

  // service_listen.cpp
  void listen(CarrierId carrier, const std::string& owner, const mux::MuxEvent& event, Instant now);
  void unlisten(CarrierId carrier, link::ListenId listen, Instant now);
  // An event of a stream that was opened here.
  void stream_event(CarrierId carrier, const mux::MuxEvent& event, Instant now);
  // join()'s relay is gone.
  void joined_over(CarrierId carrier, link::StreamId stream);
  // The session's carrier stopped answering, or answers again.
  void session_answers(CarrierId carrier, bool answers, Instant now);
  void session_ended(CarrierId carrier, Instant now);
  // Something was handed over to it that is not over.
  bool waits_for(CarrierId carrier) const;

  std::size_t free(std::string_view service, std::string_view owner, Instant now);

  // service_probe.cpp
  void probe_from(RelayId relay, const packet::Endpoint& local);

 private:
  struct Service {
    ServiceConfig config;
    std::vector<packet::Endpoint> endpoints;
    std::unique_ptr<intercept::ServiceRouter> router;
    std::size_t connections = 0;
  };

  using Socket = QueuedSockets::Socket;
  using Use = QueuedSockets::Use;

  // A connection whose bytes nobody looks into, named by the accepted socket.
  struct Plain {
    ServiceId service = 0;
    packet::Endpoint source;
    RelayId original = 0;   // the other socket
    CarrierId carrier = 0;  // where it was offered to; 0: nowhere
    link::StreamId stream = 0;
    intercept::Route route;
    OutQueue held;  // until it is known who gets it
  };

  // A connection whose requests are told apart, named by the accepted socket.
  struct Http {
    ServiceId service = 0;
    packet::Endpoint source;
  };

  struct StreamUse {
    enum class Kind : std::uint8_t {
      kProbe,     // `connection` names the probe
      kPlain,     // offered, not answered yet
      kJoined,    // an ordinary relay
      kUpstream,  // `upstream` of an HTTP connection
      kDiscard,   // nobody's any more
    };
    Kind kind = Kind::kDiscard;
    RelayId connection = 0;  // the accepted socket
    intercept::ConnectionId upstream = 0;
    intercept::InterceptId intercept = 0;
  };

  // A session that has listened.
  struct Listener {
    std::unordered_map<link::ListenId, intercept::InterceptId> listens;
    std::unordered_map<link::StreamId, StreamUse> streams;
    Instant cut_at = kNever;  // it does not answer: when what was joined ends
  };
  struct Listening {
    CarrierId carrier = 0;
    link::ListenId listen = 0;
    ServiceId service = 0;
  };

  struct Probe {
    intercept::InterceptId intercept = 0;
    ServiceId service = 0;
    RelayId accepted = 0;  // the socket's other end, once it is there
    CarrierId carrier = 0;
    link::StreamId stream = 0;
    packet::Endpoint from;
    Instant since{};
  };

  // Something that is over at a time; each list has one length of time, so it is in order.
  struct Due {
    Instant at;
    CarrierId carrier = 0;
    std::uint64_t what = 0;
  };

  // services.cpp
  RelayId dial_original(ServiceId service, const packet::Endpoint& source, Use use, RelayId connection,
                        intercept::ConnectionId upstream);
  OutQueue& way_of(const Socket& socket, Plain& plain);
  Socket* other_of(const Socket& socket, const Plain& plain);
  void hand_over(RelayId front, Plain& plain);
  void to_original(RelayId front, Plain& plain);
  void offer_refused(RelayId front, link::Reason why);
  void offer_taken(RelayId front);
  void end_plain_if_done(RelayId front);
  void end_plain(RelayId front);
  // The client's engine, not the process behind it.
  static bool engine_said_no(link::Reason why);
  link::StreamId open_stream(intercept::InterceptId intercept, const packet::Endpoint& source, const Slice& first,
                             std::uint8_t flags, const StreamUse& use, CarrierId& carrier);

  // service_http.cpp
  void begin_http(RelayId front, ServiceId service, const packet::Endpoint& source, Instant now);
  void send_to_client(HttpConnections::Key key, Slice bytes) override;
  void finish_client(HttpConnections::Key key) override;
  void close_client(HttpConnections::Key key, bool reset, Instant now) override;
  void resume_client(HttpConnections::Key key) override;
  std::size_t first_bytes(HttpConnections::Key key, intercept::InterceptId target) override;
  HttpConnections::Way way_to(HttpConnections::Key key, intercept::ConnectionId upstream, intercept::InterceptId target,
                              const Slice& first) override;
  mux::Mux* mux_of(CarrierId carrier) override { return host_.mux(carrier); }
  void stream_left(CarrierId carrier, link::StreamId stream, bool reset, Instant now) override;
  void happened(HttpConnections::Key key, const intercept::ProxyEvent& event, Instant now) override;
  void http_over(HttpConnections::Key key) override;
  void upstream_event(CarrierId carrier, const StreamUse& use, mux::MuxEvent event, Instant now);

  // service_listen.cpp
  Listener* find_listener(CarrierId carrier);
  const Listening* find_listening(intercept::InterceptId intercept) const;
  void told_over(const std::vector<intercept::EndedIntercept>& ended, link::Reason reason, Instant now);
  void lose_streams(CarrierId carrier, std::unordered_map<link::StreamId, StreamUse> streams,
                    intercept::InterceptId only, Instant now);
  void forget_stream(CarrierId carrier, mux::Mux& mux, link::StreamId stream);
  void over(intercept::InterceptId intercept, CarrierId carrier, Instant now);
  void discard_event(CarrierId carrier, const mux::MuxEvent& event);
  void cut_overdue(Instant now);
  static std::string described(const intercept::Intercept& intercept);
  void log(const std::string& owner, std::string text);

  // service_probe.cpp
  void probe(intercept::InterceptId intercept, ServiceId service, Instant now);
  RelayId probe_accepted(RelayId id, Instant now);
  void probe_proven(RelayId id, Instant now);
  void probe_failed(RelayId id, link::Reason reason, const std::string& why, Instant now);
  void end_probe(RelayId id, Instant now);
  void end_probes_of(intercept::InterceptId intercept, Instant now);
  void probe_event(CarrierId carrier, RelayId probe, const mux::MuxEvent& event, Instant now);
  void advance_probes(Instant now);

  // What one side may have waiting for the other, before it is not read.
  static constexpr std::size_t kUnsent = 256 * 1024;
  static constexpr std::size_t kHeld = 64 * 1024;
  static constexpr Duration kLinger = std::chrono::seconds(10);
  static constexpr Duration kProbeLimit = std::chrono::seconds(5);

  ServiceHost& host_;
  BufferPool& pool_;
  ReadBlock& read_;
  const std::size_t max_accepted_;
  const Duration grace_;
  std::vector<Service> services_;
  intercept::InterceptTable table_;
  Instant lease_due_ = kNever;

  QueuedSockets sockets_;
  HttpConnections http_;
  std::unordered_map<RelayId, Plain> plains_;
  std::unordered_map<RelayId, Http> https_;
  std::deque<Due> discarded_;  // streams whose other end does not finish

  std::map<CarrierId, Listener> listeners_;
  std::unordered_map<intercept::InterceptId, Listening> listening_;
  std::deque<Due> over_;                          // intercepts whose connections may go on until then
  Instant cut_due_ = kNever;                      // the first cut_at of listeners_
  std::map<RelayId, Probe> probes_;               // by the socket that was dialled, so by age
  std::map<packet::Endpoint, RelayId> probe_of_;  // where they come from; 0: given up before it was accepted
  std::deque<std::pair<Instant, packet::Endpoint>> given_up_;
};

}  // namespace causeway::engine

// The gateway's services: who connects to them, who intercepts them, and which connection or request goes where.
//
//   accepted, tcp    nobody intercepts  > spliced with a socket to the original
//                    an intercept       > OPEN to its laptop, what comes is kept back > OPENED: a relay like any other
//                                                                                     > REFUSED, or silence: the original
//   accepted, http   an HttpProxy each, which asks for sockets to the original and for streams to laptops
//   LISTEN > in the table > the gateway connects to its own listener > OPEN(probe) > OPENED > LISTENING
//
// In the order of its files: services.cpp (connections and the driver's calls), service_http.cpp, service_listen.cpp (intercepts, probes
// and sessions).
#pragma once

#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "core/engine/gateway.h"
#include "core/engine/out_queue.h"
#include "core/engine/stream_relay.h"
#include "core/intercept/http_proxy.h"

namespace causeway::engine {

// What services need of the gateway.
class ServiceHost {
 public:
  virtual GatewayEvent& emit(GatewayEvent::Kind kind) = 0;
  virtual RelayId new_relay() = 0;
  virtual void note_writable(RelayId relay) = 0;  // once until it was lent
  // Closed with a reset by end_offered(), once the driver had the chance to write what waits.
  virtual void reset_once_offered(RelayId relay) = 0;
  // Null: the session is over. Whatever it is given is flushed in this turn.
  virtual mux::Mux* mux(CarrierId carrier) = 0;
  // The accepted socket and the stream, which is open, are a relay like any other from now on; cut() ends it with resets.
  virtual void join(RelayId relay, CarrierId carrier, link::StreamId stream, bool finished) = 0;
  virtual void cut(RelayId relay) = 0;

 protected:
  ~ServiceHost() = default;
};

class Services {
 public:
  Services(ServiceHost& host, const GatewayConfig& config, BufferPool& pool, ReadBlock& read);
  ~Services();

  // services.cpp
  void set_endpoints(ServiceId service, std::vector<packet::Endpoint> endpoints);
  RelayId accepted(ServiceId service, const packet::Endpoint& source, Instant now);
  std::vector<ServiceStatus> status() const;
  std::size_t connections() const { return plains_.size() + https_.size(); }
  std::size_t intercepts() const { return table_.size(); }
  void stop();

  // Calls of Relays, for ids that are no stream's.
  void dialled(RelayId id, Instant now);
  void dial_failed(RelayId id, link::Reason why, Instant now);
  MutableBytes space(RelayId id);
  void received(RelayId id, std::size_t n, Instant now);
  void finished(RelayId id, Instant now);
  void failed(RelayId id, link::Reason why, Instant now);
  std::size_t transmit(RelayId id, std::span<Bytes> pieces);
  void transmitted(RelayId id, std::size_t n, Instant now);
  void lent(RelayId id);
  void end_offered(RelayId id);

  Instant deadline() const;
  void advance(Instant now);
  void settle();

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
  void probe_from(RelayId relay, const packet::Endpoint& local);
  std::size_t free(std::string_view service, std::string_view owner, Instant now);

 private:
  struct Service {
    ServiceConfig config;
    std::vector<packet::Endpoint> endpoints;
    std::unique_ptr<intercept::ServiceRouter> router;
    std::size_t connections = 0;
  };

  // A socket that is joined to no stream by itself.
  struct Socket {
    enum class Use : std::uint8_t {
      kPlain,    // `connection` is a Plain's
      kHttp,     // `connection` is an Http's, and `upstream` its name there
      kProbe,    // `connection` names the probe
      kClosing,  // nobody's any more: closed once everything is written
    };
    RelayId id = 0;
    Use use = Use::kPlain;
    RelayId connection = 0;
    intercept::ConnectionId upstream = intercept::kClient;
    bool dialling = false;
    bool paused = false;        // the driver was told to stop reading
    bool finished = false;      // its other end sent FIN
    bool finish_due = false;    // the sending side is shut down once everything is written
    bool finish_given = false;
    bool ending = false;        // only what waits is still offered
    bool writable_noted = false;
    bool unsettled = false;
    OutQueue out;
  };

  // A connection whose bytes nobody looks into, named by the accepted socket.
  struct Plain {
    ServiceId service = 0;
    packet::Endpoint source;
    RelayId original = 0;       // the other socket
    CarrierId carrier = 0;      // where it was offered to; 0: nowhere
    link::StreamId stream = 0;
    intercept::Route route;
    OutQueue held;              // until it is known who gets it
  };

  struct Upstream {
    intercept::ConnectionId id = 0;
    intercept::InterceptId target = intercept::kOriginal;
    RelayId socket = 0;         // of the original
    CarrierId carrier = 0;      // of an intercept
    link::StreamId stream = 0;
    bool asked = false;         // a stream was opened for it, or could not be
    bool open = false;          // the stream was accepted
    bool finish_due = false;
    bool finish_told = false;   // the proxy knows that its other end has finished
    OutQueue pending;           // for a stream that is not open
  };

  struct Http {
    ServiceId service = 0;
    packet::Endpoint source;
    std::unique_ptr<intercept::HttpProxy> proxy;
    std::vector<Upstream> upstreams;
    Instant due = kNever;       // its place in due_
  };

  struct StreamUse {
    enum class Kind : std::uint8_t {
      kProbe,     // `connection` names the probe
      kPlain,     // offered, not answered yet
      kJoined,    // an ordinary relay
      kUpstream,  // an Http's
      kDiscard,   // nobody's any more
    };
    Kind kind = Kind::kDiscard;
    RelayId connection = 0;
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
  Socket* find(RelayId id);
  Socket& add_socket(Socket::Use use, RelayId connection, intercept::ConnectionId upstream = intercept::kClient);
  void send(Socket& socket, Slice slice);
  void note_writable(Socket& socket);
  void resume(Socket& socket);
  void finish_if_due(Socket& socket);
  void close(Socket& socket, bool reset);
  void close_when_written(Socket& socket, Instant now);
  void reset_when_offered(Socket& socket);
  RelayId dial_original(ServiceId service, const packet::Endpoint& source, Socket::Use use, RelayId connection,
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
  link::StreamId open_stream(intercept::InterceptId intercept, const packet::Endpoint& source, const Slice& first, std::uint8_t flags,
                             const StreamUse& use, CarrierId& carrier);

  // service_http.cpp
  void begin_http(RelayId front, ServiceId service, const packet::Endpoint& source, Instant now);
  Upstream* find_upstream(Http& http, intercept::ConnectionId id);
  void run(RelayId front, Instant now);
  void drain(RelayId front, Http& http, Instant now);
  void carry_out(RelayId front, Http& http, intercept::ProxyEvent& event, Instant now);
  void send(RelayId front, Http& http, intercept::ProxyEvent& event);
  void open_upstreams(RelayId front, Http& http);
  void write(const Upstream& upstream, Slice bytes);
  void finish(const Upstream& upstream);
  void leave_upstream(Upstream& upstream, bool reset, Instant now);
  void upstream_event(CarrierId carrier, const StreamUse& use, const mux::MuxEvent& event, Instant now);
  void read_upstream(RelayId front, intercept::ConnectionId id, Instant now);
  void set_due(RelayId front, Http& http);
  void advance_http(Instant now);

  // service_listen.cpp
  Listener* find_listener(CarrierId carrier);
  const Listening* find_listening(intercept::InterceptId intercept) const;
  void told_over(const std::vector<intercept::EndedIntercept>& ended, link::Reason reason, Instant now);
  void lose_streams(CarrierId carrier, std::unordered_map<link::StreamId, StreamUse> streams, intercept::InterceptId only,
                    Instant now);
  void forget_stream(CarrierId carrier, mux::Mux& mux, link::StreamId stream);
  void over(intercept::InterceptId intercept, CarrierId carrier, Instant now);
  void probe(intercept::InterceptId intercept, ServiceId service, Instant now);
  RelayId probe_accepted(RelayId id, Instant now);
  void probe_proven(RelayId id, Instant now);
  void probe_failed(RelayId id, link::Reason reason, const std::string& why, Instant now);
  void end_probe(RelayId id, Instant now);
  void discard_event(CarrierId carrier, const mux::MuxEvent& event);
  void advance_listens(Instant now);
  void log(const std::string& owner, std::string text);

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

  std::unordered_map<RelayId, Socket> sockets_;
  std::unordered_map<RelayId, Plain> plains_;
  std::unordered_map<RelayId, Http> https_;
  std::set<std::pair<Instant, RelayId>> due_;  // each Http that waits for something
  std::vector<RelayId> unsettled_;
  std::deque<Due> closing_;    // sockets whose other end does not read
  std::deque<Due> discarded_;  // streams whose other end does not finish

  std::map<CarrierId, Listener> listeners_;
  std::unordered_map<intercept::InterceptId, Listening> listening_;
  std::deque<Due> over_;       // intercepts whose connections may go on until then
  Instant cut_due_ = kNever;   // the first cut_at of listeners_
  std::map<RelayId, Probe> probes_;  // by the socket that was dialled, so by age
  std::map<packet::Endpoint, RelayId> probe_of_;  // where they come from; 0: given up before it was accepted
  std::deque<std::pair<Instant, packet::Endpoint>> given_up_;

  // What the proxy is told once all events of a call are carried out.
  struct Answer {
    intercept::ConnectionId connection = 0;
    std::size_t sent = 0;  // 0: it failed
    link::Reason why = link::Reason::kNone;
  };
  std::vector<intercept::ProxyEvent> proxy_events_;
  std::deque<Answer> answers_;
  std::vector<intercept::ConnectionId> resumed_;
};

}  // namespace causeway::engine

// The inside of engine::Client, in the order of its files: client.cpp (turn and events), client_link.cpp (carrier and session),
// client_tcp.cpp, client_datagram.cpp (UDP, echo and questions), client_probe.cpp (dials for people who ask), client_intercept.cpp (what the gateway is asked to send here),
// client_relay.cpp (the streams that it opens then) and client_direct.cpp (connections of this machine to the same services).
#pragma once

#include <map>
#include <unordered_map>

#include "core/engine/client.h"
#include "core/engine/flow_table.h"
#include "core/engine/http_connections.h"
#include "core/engine/redial.h"
#include "core/engine/stream_relay.h"
#include "core/link/link.h"
#include "core/mux/mux.h"
#include "core/packet/build.h"
#include "core/packet/reassembly.h"
#include "core/packet/routed_prefixes.h"

namespace causeway::engine {

class Client::Impl final : private QueuedSockets::Host, private HttpConnections::Host {
 public:
  Impl(const ClientConfig& config, BufferPool& pool, Random& random, Stack& stack, NameService& names, Instant now);

  // client.cpp
  void device_received(std::span<packet::Incoming> batch, Instant now);
  Instant deadline() const;
  void advance(Instant now);
  void flush_device(Instant now);
  void flush(Instant now);
  ClientStatus status();

  void end_hidden_flows(Instant now);

  // client_link.cpp
  void start(Instant now);
  void stop(Instant now);
  void carrier_connected(Instant now);
  void dial_failed(const Error& error, Instant now);
  void received(std::size_t n, Instant now);
  void carrier_closed(const Error& error, Instant now);
  void echo(std::uint64_t token, Instant now);

  // client_datagram.cpp
  void ask_cluster(std::uint64_t token, Bytes message, Instant now);

  // client_probe.cpp
  void probe(std::uint64_t token, const packet::Endpoint& to, Instant now);

  // client_intercept.cpp
  InterceptId intercept(const InterceptRequest& request, Instant now);
  void leave(InterceptId id);
  std::vector<InterceptStatus> intercepts() const;
  void ask_catalogue(std::uint64_t token, const std::string& service, Instant now);

  // client_relay.cpp
  void dialled(RelayId id, Instant now);
  void dial_failed(RelayId id, link::Reason why, Instant now);
  MutableBytes relay_space(RelayId id);
  void relay_received(RelayId id, std::size_t n, Instant now);
  void relay_finished(RelayId id, Instant now);
  void relay_failed(RelayId id, link::Reason why, Instant now);
  std::size_t relay_transmit(RelayId id, std::span<Bytes> pieces);
  void relay_transmitted(RelayId id, std::size_t n, Instant now);
  void settle();

  BufferPool& pool_;
  Stack& stack_;
  NameService& names_;
  packet::PacketBatch packets_;
  std::vector<DnsAction> machine_questions_;
  std::vector<ClientEvent> events_;
  std::vector<RelayId> writable_relays_;
  std::unique_ptr<link::StreamCarrier> carrier_;
  struct Session {
    Session(BufferPool& pool, const mux::Mux::Settings& settings)
        : mux(mux::Mux::Role::kClient, pool, settings), link(mux) {}
    mux::Mux mux;
    link::Link link;
  };
  std::unique_ptr<Session> session_;

 private:
  // client.cpp
  void packet_received(const packet::Incoming& incoming, Instant now);
  void dispatch(const packet::Parsed& packet, const Buffer& owner, Instant now);
  void pump(Instant now);
  bool take_mux_events(Instant now);
  bool take_stack_events(Instant now);
  bool take_dns_actions(Instant now);
  void mux_event(mux::MuxEvent& event, Instant now);
  void sweep(Instant now);
  void emit(ClientEvent::Kind kind, Error error = {});
  bool from_cluster(const packet::Address& source) const;
  packet::Endpoint real(const packet::Endpoint& to) const;
  bool up() const { return phase_ == Phase::kUp; }

  // client_link.cpp
  void carrier_state_changed(Instant now);
  void begin_session(Instant now);
  void link_moved(Instant now);
  void end_carrier(Error error, Duration pause, Instant now);
  void lose_session(Instant now);
  Error refusal(const link::Refusal& refusal) const;

  // client_tcp.cpp
  void tcp_received(const packet::Parsed& packet, const Buffer& owner, Instant now);
  void syn_received(const packet::Parsed& packet, Instant now);
  void open_held(Flow& flow, Instant now);
  void open_all_held(Instant now);
  void opened(Flow& flow, Instant now);
  bool accept(Flow& flow, Instant now);
  void refused(Flow& flow, link::Reason reason, Instant now);
  void answer_syn_with(const Flow& flow, link::Reason reason);
  void stack_event(StackEvent& event, Instant now);
  void push(Flow& flow);
  void stub_answer(Flow& flow, Slice answer);
  void push_answers(Flow& flow);
  void tcp_reset(Flow& flow, Instant now);
  void not_half_open(Flow& flow);
  void remove_if_done(Flow& flow, Instant now);

  // client_datagram.cpp
  void stub_received(const packet::Parsed& packet, const Buffer& owner, Instant now);
  void datagram_received(const packet::Parsed& packet, const Buffer& owner, Instant now);
  void datagram_arrived(Flow& flow, Slice data, Instant now);
  void datagram_ended(Flow& flow, link::Reason reason, Instant now);
  void dns_action(DnsAction& action, Instant now);
  void ask(Flow::Kind kind, std::uint64_t id, Bytes message, Instant now);
  void ask_failed(Flow::Kind kind, std::uint64_t id, link::Reason reason, Instant now);
  Bytes lend(Slice slice);

  // client_probe.cpp
  void probe_event(Flow& flow, const mux::MuxEvent& event, Instant now);
  void probe_ended(Flow& flow, link::Reason reason, Instant now);
  void probed(std::uint64_t token, link::Reason reason, Duration elapsed);

  // client_intercept.cpp
  struct OwnIntercept {
    InterceptStatus status;
    std::vector<std::uint8_t> parameters;  // of its LISTEN
    link::ListenId listen = 0;             // on the present link; 0: not asked for
    bool was_ready = false;
    Instant ask_again_at = kNever;
  };
  struct Question {
    std::uint64_t token = 0;
    Instant since{};
    std::vector<std::uint8_t> document;
  };
  ClientEvent& emit_intercept(ClientEvent::Kind kind, InterceptId id);
  void ask_for(OwnIntercept& own, Instant now);
  void ask_again(OwnIntercept& own, Instant now);
  void ask_for_all(Instant now);
  OwnIntercept* find_listen(link::ListenId listen);
  void listening(const mux::MuxEvent& event);
  void unlistened(const mux::MuxEvent& event, Instant now);
  void wait(OwnIntercept& own, Error error);
  void intercepts_wait();
  void advance_intercepts(Instant now);
  void question_event(const mux::MuxEvent& event);
  void answer_question(link::StreamId stream, std::optional<Error> error);

  // client_relay.cpp
  struct LocalRelay : StreamRelay {
    InterceptId intercept = 0;
  };
  void other_event(mux::MuxEvent& event, Instant now);
  void opened_by_gateway(const mux::MuxEvent& event);
  LocalRelay& add_relay(InterceptId intercept);
  LocalRelay* find_relay(RelayId id);
  void relay_event(LocalRelay& relay, const mux::MuxEvent& event);
  ClientEvent& emit_relay(ClientEvent::Kind kind, RelayId relay);
  void remove(LocalRelay& relay, bool close_socket, bool reset);
  void note_writable(LocalRelay& relay);
  void finish_if_drained(LocalRelay& relay);
  void lend_writable_relays();
  void end_reset_relays();
  void close_relays();
  void count_failure(InterceptId intercept, link::Reason why);

  // client_direct.cpp
  struct OwnRouter final : intercept::Router {
    OwnRouter(const Impl& client, const packet::Endpoint& to) : impl(client), endpoint(to) {}
    intercept::Route route(const http::Head& request) override;
    const Impl& impl;
    const packet::Endpoint endpoint;
  };
  struct Direct {
    RelayId process = 0;           // the local process, where everything is intercepted
    std::unique_ptr<OwnRouter> router;  // where some requests are
    link::StreamId original = 0;   // open to the cluster, and not used yet
    OutQueue to_app;
    std::size_t unconsumed = 0;    // bytes of the app that the stack may not replace yet
    bool finish_due = false;       // FIN towards the app, once to_app is empty
    bool push_noted = false;
  };
  struct DirectStream {
    FlowHandle flow = 0;
    intercept::ConnectionId upstream = intercept::kClient;  // kClient: not used yet
    bool discard = false;                                   // nobody's any more
  };
  void know_shortcuts();
  std::span<const InterceptId> shortcuts_to(const packet::Endpoint& to) const;
  bool is_told_apart(const packet::Endpoint& to) const;
  bool go_direct(Flow& flow);
  RelayId dial_process(InterceptId id, QueuedSockets::Use use, FlowHandle flow, intercept::ConnectionId upstream);
  void begin_plain(Flow& flow, RelayId process);
  void begin_http(Flow& flow, link::StreamId stream, Instant now);
  void push_later(FlowHandle handle, Direct& direct);
  bool push_directs(Instant now);
  void push_direct(Flow& flow, Instant now);
  void direct_event(Flow& flow, StackEvent& event, Instant now);
  void consume(const Flow& flow, Direct& direct);
  void leave_original(Direct& direct);
  void process_dialled(RelayId id, Instant now);
  void process_failed(RelayId id, link::Reason why, Instant now);
  MutableBytes process_space(RelayId id);
  void process_received(RelayId id, std::size_t n, Instant now);
  void process_finished(RelayId id, Instant now);
  void process_transmitted(RelayId id, std::size_t n, Instant now);
  bool direct_stream_event(const mux::MuxEvent& event, Instant now);
  Instant direct_deadline() const;
  void advance_directs(Instant now);
  void lose_direct_streams();

  // QueuedSockets::Host
  RelayId new_relay() override { return next_relay_++; }
  void close_relay(RelayId relay, bool reset) override;
  void finish_relay(RelayId relay) override { emit_relay(ClientEvent::Kind::kFinishRelay, relay); }
  void resume_relay(RelayId relay) override { emit_relay(ClientEvent::Kind::kResumeReading, relay); }
  void note_writable(RelayId relay) override { noted_relays_.push_back(relay); }
  void reset_once_offered(RelayId relay) override { resets_.push_back(relay); }

  // HttpConnections::Host: client_direct.cpp
  void send_to_client(HttpConnections::Key key, Slice bytes) override;
  void finish_client(HttpConnections::Key key) override;
  void close_client(HttpConnections::Key key, bool reset, Instant now) override;
  void resume_client(HttpConnections::Key key) override;
  std::size_t first_bytes(HttpConnections::Key key, intercept::InterceptId target) override;
  HttpConnections::Way way_to(HttpConnections::Key key, intercept::ConnectionId upstream, intercept::InterceptId target,
                              const Slice& first) override;
  mux::Mux* mux_of(CarrierId carrier) override;
  void stream_left(CarrierId carrier, link::StreamId stream, bool reset, Instant now) override;
  void happened(HttpConnections::Key key, const intercept::ProxyEvent& event, Instant now) override;
  void http_over(HttpConnections::Key key) override;

  enum class Phase : std::uint8_t { kStopped, kPausing, kDialling, kHandshake, kUp };

  ClientConfig config_;
  Random& random_;
  Instant started_;
  Phase phase_ = Phase::kStopped;
  Instant dial_at_ = kNever;
  Redial redial_;
  std::uint64_t hello_number_;
  packet::RoutedPrefixes routes_;
  std::string last_error_;
  std::uint64_t links_ = 0;
  bool icmp_echo_ = false;
  std::uint64_t carrier_in_ = 0, carrier_out_ = 0;

  packet::Reassembly reassembly_;
  AddressMap none_virtual_;
  AddressMap& addresses_;
  FlowTable flows_;
  std::size_t half_open_ = 0;
  std::size_t connections_ = 0;
  std::size_t probes_ = 0;
  Instant sweep_at_ = kNever;
  std::vector<StackSegment> segments_;
  std::vector<Slice> lent_;  // payload of packets_

  std::vector<mux::MuxEvent> mux_events_;
  std::vector<StackEvent> stack_events_;
  std::vector<DnsAction> dns_actions_;
  std::vector<link::Link::Echo> echoes_;
  ClientCounters counters_;

  std::map<InterceptId, OwnIntercept> intercepts_;
  InterceptId next_intercept_ = 1;
  Instant intercepts_due_ = kNever;  // something is asked for again, or was asked for too long ago
  std::unordered_map<link::ListenId, InterceptId> listens_;
  std::map<link::StreamId, Question> questions_;
  std::unordered_map<RelayId, LocalRelay> relays_;
  std::unordered_map<link::StreamId, RelayId> relay_of_;
  RelayId next_relay_ = 1;
  std::vector<RelayId> noted_relays_;  // writable_relays_ of the next flush()
  std::vector<RelayId> resets_;        // relays whose last bytes the next flush() offers to the driver
  std::vector<RelayId> resets_due_;    // they were offered
  ReadBlock read_;                     // where sockets are read into

  QueuedSockets sockets_;  // to local processes, from connections of this machine
  HttpConnections http_;
  std::unordered_map<packet::Endpoint, std::vector<InterceptId>> shortcuts_;  // in the order in which they are asked
  std::unordered_map<FlowHandle, Direct> directs_;
  std::unordered_map<link::StreamId, DirectStream> direct_streams_;
  std::unordered_map<RelayId, InterceptId> socket_of_;
  std::vector<FlowHandle> pushes_;                                    // directs with something for their apps
  std::deque<std::pair<Instant, FlowHandle>> lingering_;              // whose apps are to close by then
  std::deque<std::pair<Instant, link::StreamId>> discarded_;          // and streams that are to end

  friend class Client;
};

}  // namespace causeway::engine

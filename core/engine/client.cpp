#include "core/engine/client.h"

#include <algorithm>

#include "core/engine/client_impl.h"

namespace causeway::engine {
namespace {

constexpr Duration kSweep = std::chrono::seconds(1);
// An app's kernel gives up on a SYN after 127 s; a held one that is older has nobody waiting.
constexpr Duration kSynMemory = std::chrono::seconds(130);
constexpr Duration kAskLimit = std::chrono::seconds(10);

}  // namespace

Client::Impl::Impl(const ClientConfig& config, BufferPool& pool, Random& random, Stack& stack, NameService& names,
                   Instant now)
    : pool_(pool),
      stack_(stack),
      names_(names),
      config_(config),
      random_(random),
      started_(now),
      hello_number_(config.hello_floor),
      routes_(config.routes, config.exclude),
      reassembly_(pool),
      addresses_(config.addresses ? *config.addresses : none_virtual_),
      flows_(addresses_),
      read_(pool),
      sockets_(*this, pool),
      http_(*this, sockets_, pool) {}

void Client::Impl::emit(ClientEvent::Kind kind, Error error) {
  ClientEvent event{};
  event.kind = kind;
  event.error = std::move(error);
  events_.push_back(std::move(event));
}

// A packet that comes from the cluster's addresses and goes to them would come back to us from the gateway for ever. Where they are
// virtual here, the real ones are the machine's own.
bool Client::Impl::from_cluster(const packet::Address& source) const {
  if (!routes_.routed(source) || addresses_.covers(source)) return false;
  return std::find(config_.own.begin(), config_.own.end(), source) == config_.own.end();
}

void Client::Impl::end_hidden_flows(Instant now) {
  std::vector<FlowHandle> hidden;
  flows_.for_each([&](Flow& flow) {
    bool outward = flow.kind == Flow::Kind::kTcp || flow.kind == Flow::Kind::kUdp || flow.kind == Flow::Kind::kEcho;
    if (outward && addresses_.covers(flow.tuple.destination.address)) hidden.push_back(flow.handle);
  });
  for (FlowHandle handle : hidden) {
    Flow* flow = flows_.find(handle);
    if (!flow) continue;
    if (flow->kind == Flow::Kind::kTcp) {
      tcp_reset(*flow, now);
    } else {
      datagram_ended(*flow, link::Reason::kNetworkUnreachable, now);
    }
  }
  pump(now);
}

void Client::Impl::device_received(std::span<packet::Incoming> batch, Instant now) {
  for (packet::Incoming& incoming : batch) packet_received(incoming, now);
  if (!segments_.empty()) {
    stack_.input(segments_, now);
    segments_.clear();
  }
  pump(now);
}

void Client::Impl::packet_received(const packet::Incoming& incoming, Instant now) {
  ++counters_.packets_in;
  counters_.bytes_in += incoming.packet.size();
  auto parsed = packet::parse(incoming.packet, incoming.checksum_trusted);
  if (!parsed) {
    ++counters_.malformed[std::size_t(parsed.error())];
    return;
  }
  if (!parsed->is_fragment) {
    dispatch(*parsed, incoming.owner, now);
    return;
  }
  std::optional<Slice> whole = reassembly_.add(*parsed, now);
  if (!whole) return;
  auto again = packet::parse(whole->bytes(), false);
  if (again) {
    dispatch(*again, whole->owner, now);
  } else {
    ++counters_.malformed[std::size_t(again.error())];
  }
}

void Client::Impl::dispatch(const packet::Parsed& packet, const Buffer& owner, Instant now) {
  const packet::Address& to = packet.tuple.destination.address;
  bool stub = std::find(config_.dns.begin(), config_.dns.end(), to) != config_.dns.end();
  bool own = std::find(config_.own.begin(), config_.own.end(), to) != config_.own.end();
  bool tcp = packet.protocol() == packet::kTcp;
  if (stub && tcp) return tcp_received(packet, owner, now);
  if (stub || own) return stub_received(packet, owner, now);
  if (!tcp && packet.protocol() != packet::kUdp && !packet.is_echo_request()) {
    ++counters_.drop_protocol;
    return;
  }
  const std::optional<packet::Address> real = addresses_.to_real(to);
  using Verdict = packet::RoutedPrefixes::Verdict;
  const Verdict verdict = real ? routes_.verdict(*real) : Verdict::kOutside;
  bool prohibited = verdict == Verdict::kExcluded || from_cluster(packet.tuple.source.address);
  if (verdict == Verdict::kRouted && !prohibited)
    return tcp ? tcp_received(packet, owner, now) : datagram_received(packet, owner, now);
  packet::Unreachable why = packet::Unreachable::kNetwork;
  if (prohibited) {
    why = packet::Unreachable::kProhibited;
    ++counters_.drop_excluded;
  } else if (!real) {
    why = packet::Unreachable::kHost;
    ++counters_.drop_not_virtual;
  } else {
    ++counters_.drop_no_route;
  }
  packet::build_unreachable(packets_, lend({owner, packet.packet.data(), packet.packet.size()}), why);
}

// What the gateway is to be asked for. The destination of a flow always means something: the flow pins it.
packet::Endpoint Client::Impl::real(const packet::Endpoint& to) const {
  const std::optional<packet::Address> address = addresses_.to_real(to.address);
  CAUSEWAY_ASSERT(address);
  return {*address, to.port};
}

// For a packet that is begun next, so an empty batch means that everything lent before has been written.
Bytes Client::Impl::lend(Slice slice) {
  if (packets_.empty()) lent_.clear();
  lent_.push_back(std::move(slice));
  return lent_.back().bytes();
}

// Events lead to calls that lead to events; each round hands something on, so this ends.
void Client::Impl::pump(Instant now) {
  while (take_mux_events(now) || take_stack_events(now) || take_dns_actions(now) || push_directs(now)) {
  }
}

bool Client::Impl::take_mux_events(Instant now) {
  if (!session_) return false;
  mux_events_.clear();
  session_->mux.take_events(mux_events_);
  for (mux::MuxEvent& event : mux_events_) mux_event(event, now);
  return !mux_events_.empty();
}

bool Client::Impl::take_stack_events(Instant now) {
  stack_events_.clear();
  stack_.take_events(stack_events_);
  for (StackEvent& event : stack_events_) stack_event(event, now);
  bool any = !stack_events_.empty();
  stack_events_.clear();
  return any;
}

bool Client::Impl::take_dns_actions(Instant now) {
  dns_actions_.clear();
  names_.take_actions(dns_actions_);
  for (DnsAction& action : dns_actions_) dns_action(action, now);
  return !dns_actions_.empty();
}

void Client::Impl::mux_event(mux::MuxEvent& event, Instant now) {
  using Kind = mux::MuxEvent::Kind;
  Flow* flow = flows_.find_stream(event.stream);
  if (!flow) return other_event(event, now);
  if (flow->kind == Flow::Kind::kDial) return probe_event(*flow, event, now);
  bool tcp = flow->kind == Flow::Kind::kTcp;
  switch (event.kind) {
    case Kind::kOpened:
      if (tcp) opened(*flow, now);
      break;
    case Kind::kRefused:
      flows_.clear_stream(*flow);
      tcp ? refused(*flow, event.reason, now) : datagram_ended(*flow, event.reason, now);
      break;
    case Kind::kReadable:
      if (tcp) push(*flow);
      break;
    case Kind::kSent: {
      std::uint64_t n = session_->mux.take_sent(event.stream);
      if (flow->connection) stack_.consumed(flow->connection, std::size_t(n));
      break;
    }
    case Kind::kReset:
      // What came before the reset is the app's to read. A stream that was lost with the link is not known any more, and must
      // not look like one that was read to its end.
      if (tcp && session_->mux.has_readable(event.stream)) push(*flow);
      session_->mux.forget(event.stream);
      flows_.clear_stream(*flow);
      if (!tcp) {
        datagram_ended(*flow, event.reason, now);
      } else if (flow->half_open) {
        refused(*flow, event.reason, now);  // accepted and reset before the word of either came here
      } else {
        tcp_reset(*flow, now);
      }
      break;
    case Kind::kClosed:
      flows_.clear_stream(*flow);
      if (tcp) remove_if_done(*flow, now);
      break;
    case Kind::kDatagram:
      datagram_arrived(*flow, std::move(event.data), now);
      break;
    case Kind::kOpen:
    case Kind::kListen:
    case Kind::kListening:
    case Kind::kUnlisten:
      break;
  }
}

// Half-open connections and datagram flows end by age; both lists are bounded, connections are not in them.
void Client::Impl::sweep(Instant now) {
  addresses_.expire(now);
  for (std::size_t i = flows_.swept().size(); i-- > 0;) {
    if (i >= flows_.swept().size()) continue;
    Flow& flow = *flows_.find(flows_.swept()[i]);
    switch (flow.kind) {
      case Flow::Kind::kTcp:
        if (flow.stream == 0 && now - flow.since >= config_.syn_wait) {
          refused(flow, link::Reason::kHostUnreachable, now);
        } else if (now - flow.last >= kSynMemory) {
          refused(flow, link::Reason::kTimedOut, now);
        }
        break;
      case Flow::Kind::kUdp:
      case Flow::Kind::kEcho:
        if (now - flow.last >= config_.udp_idle) datagram_ended(flow, link::Reason::kNone, now);
        break;
      case Flow::Kind::kAsk:
      case Flow::Kind::kProbe:
        if (now - flow.since >= kAskLimit) datagram_ended(flow, link::Reason::kTimedOut, now);
        break;
      case Flow::Kind::kDial:
        if (now - flow.since >= kProbeLimit) probe_ended(flow, link::Reason::kTimedOut, now);
        break;
      case Flow::Kind::kStub:
      case Flow::Kind::kDirect:
        break;
    }
  }
}

Instant Client::Impl::deadline() const {
  if (!resets_due_.empty()) return Instant{};
  Instant at = std::min({stack_.deadline(), names_.deadline(), reassembly_.deadline(), dial_at_, intercepts_due_, direct_deadline()});
  if (carrier_ && phase_ >= Phase::kHandshake) at = std::min(at, carrier_->deadline());
  if (session_) at = std::min(at, session_->link.deadline());
  return flows_.swept().empty() ? at : std::min(at, sweep_at_);
}

void Client::Impl::advance(Instant now) {
  stack_.advance(now);
  names_.advance(now);
  reassembly_.advance(now);
  if (carrier_ && phase_ >= Phase::kHandshake) {
    carrier_->advance(now);
    if (session_) session_->link.advance(now);
    carrier_state_changed(now);
  }
  if (dial_at_ <= now) {
    dial_at_ = kNever;
    phase_ = Phase::kDialling;
    emit(ClientEvent::Kind::kDial);
  }
  advance_intercepts(now);
  advance_directs(now);
  if (sweep_at_ <= now) sweep(now);
  if (sweep_at_ <= now || sweep_at_ == kNever) sweep_at_ = now + kSweep;
  pump(now);
}

void Client::Impl::flush_device(Instant now) {
  if (packets_.empty()) lent_.clear();
  pump(now);
  stack_.flush(packets_, now);
  take_stack_events(now);  // connections that were aborted are gone now; nothing else is left
}

void Client::Impl::flush(Instant now) {
  if (packets_.empty()) lent_.clear();
  end_reset_relays();
  pump(now);
  if (session_) {
    session_->link.flush(now);
    link_moved(now);
    pump(now);
  }
  flush_device(now);
  lend_writable_relays();
}

ClientStatus Client::Impl::status() {
  ClientStatus s;
  switch (phase_) {
    case Phase::kStopped: s.link = ClientStatus::Link::kStopped; break;
    case Phase::kPausing: s.link = ClientStatus::Link::kDown; break;
    case Phase::kDialling: s.link = ClientStatus::Link::kDialling; break;
    case Phase::kHandshake: s.link = ClientStatus::Link::kHandshake; break;
    case Phase::kUp: s.link = ClientStatus::Link::kUp; break;
  }
  s.last_error = last_error_;
  if (session_) s.round_trip = session_->link.round_trip();
  s.tcp_flows = connections_;
  s.half_open = half_open_;
  s.datagram_flows = flows_.swept().size() - half_open_;
  for (FlowHandle handle : flows_.swept()) {
    const Flow::Kind kind = flows_.find(handle)->kind;
    if (kind == Flow::Kind::kUdp) ++s.udp_flows;
    if (kind == Flow::Kind::kEcho) ++s.echo_flows;
  }
  s.memory = pool_.in_use();
  s.icmp_echo = icmp_echo_;
  s.carrier_bytes_in = carrier_in_;
  s.carrier_bytes_out = carrier_out_;
  s.rekeys = carrier_ ? carrier_->rekeys() : 0;
  s.links = links_;
  s.counters = counters_;
  if (session_) {
    s.counters.drop_queue += session_->mux.counters().datagrams_dropped;
    s.counters.drop_late += session_->mux.counters().late_frames;
  }
  return s;
}

Client::Client(const ClientConfig& config, BufferPool& pool, Random& random, Stack& stack, NameService& names, Instant now)
    : impl_(std::make_unique<Impl>(config, pool, random, stack, names, now)) {}
Client::~Client() = default;

void Client::start(Instant now) { impl_->start(now); }
void Client::stop(Instant now) { impl_->stop(now); }
void Client::device_received(std::span<packet::Incoming> batch, Instant now) { impl_->device_received(batch, now); }
void Client::carrier_connected(Instant now) { impl_->carrier_connected(now); }
void Client::dial_failed(const Error& error, Instant now) { impl_->dial_failed(error, now); }
MutableBytes Client::receive_space() { return impl_->carrier_ ? impl_->carrier_->receive_space() : MutableBytes(); }
void Client::received(std::size_t n, Instant now) { impl_->received(n, now); }
void Client::carrier_closed(const Error& error, Instant now) { impl_->carrier_closed(error, now); }
void Client::carrier_progressed(Instant now) {
  if (impl_->session_) impl_->session_->link.progressed(now);
}
void Client::set_carrier_room(std::size_t bytes) {
  if (impl_->session_) impl_->session_->link.set_room(bytes);
}
void Client::machine_answered(DnsRequestId request, Bytes message, Instant now) {
  impl_->names_.machine_answered(request, message, now);
}
void Client::machine_failed(DnsRequestId request, DnsFailure why, Instant now) {
  impl_->names_.machine_failed(request, why, now);
}
void Client::ask_names(DnsRequestId request, Bytes message, Instant now) {
  impl_->names_.asked(request, message, now);
}
void Client::end_hidden_flows(Instant now) { impl_->end_hidden_flows(now); }
void Client::echo(std::uint64_t token, Instant now) { impl_->echo(token, now); }
void Client::ask_cluster(std::uint64_t token, Bytes message, Instant now) { impl_->ask_cluster(token, message, now); }
void Client::probe(std::uint64_t token, const packet::Endpoint& to, Instant now) { impl_->probe(token, to, now); }
void Client::ask_catalogue(std::uint64_t token, const std::string& service, Instant now) {
  impl_->ask_catalogue(token, service, now);
}
InterceptId Client::intercept(const InterceptRequest& request, Instant now) { return impl_->intercept(request, now); }
void Client::leave(InterceptId intercept, Instant) { impl_->leave(intercept); }
std::vector<InterceptStatus> Client::intercepts() const { return impl_->intercepts(); }
void Client::dialled(RelayId relay, Instant now) { impl_->dialled(relay, now); }
void Client::dial_failed(RelayId relay, link::Reason why, Instant now) { impl_->dial_failed(relay, why, now); }
MutableBytes Client::relay_space(RelayId relay) { return impl_->relay_space(relay); }
void Client::relay_received(RelayId relay, std::size_t n, Instant now) { impl_->relay_received(relay, n, now); }
void Client::relay_finished(RelayId relay, Instant now) { impl_->relay_finished(relay, now); }
void Client::relay_failed(RelayId relay, link::Reason why, Instant now) { impl_->relay_failed(relay, why, now); }
std::size_t Client::relay_transmit(RelayId relay, std::span<Bytes> pieces) { return impl_->relay_transmit(relay, pieces); }
void Client::relay_transmitted(RelayId relay, std::size_t n, Instant now) { impl_->relay_transmitted(relay, n, now); }
Instant Client::deadline() const { return impl_->deadline(); }
void Client::advance(Instant now) { impl_->advance(now); }
void Client::flush_device(Instant now) { impl_->flush_device(now); }
void Client::flush(Instant now) { impl_->flush(now); }
packet::PacketBatch& Client::packets() { return impl_->packets_; }
std::span<const RelayId> Client::writable_relays() const { return impl_->writable_relays_; }
void Client::settle() { impl_->settle(); }
std::size_t Client::transmit(std::array<Bytes, 2>& pieces) {
  return impl_->carrier_ ? impl_->carrier_->transmit(pieces) : 0;
}
void Client::transmitted(std::size_t n, Instant) {
  if (!impl_->carrier_) return;
  impl_->carrier_out_ += n;
  impl_->carrier_->transmitted(n);
}
void Client::take_machine_questions(std::vector<DnsAction>& out) { out.swap(impl_->machine_questions_); }
void Client::take_events(std::vector<ClientEvent>& out) { out.swap(impl_->events_); }
ClientStatus Client::status() const { return impl_->status(); }

}  // namespace causeway::engine

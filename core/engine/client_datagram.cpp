// Datagrams: UDP, echo requests, and questions to the cluster's DNS. Each conversation is a stream without bytes.
#include <algorithm>

#include "core/engine/client_impl.h"

namespace causeway::engine {
namespace {

// A first datagram up to this rides on its OPEN.
constexpr std::size_t kRides = 1400;

DnsFailure dns_failure(link::Reason reason) {
  switch (reason) {
    case link::Reason::kLinkLost: return DnsFailure::kNoLink;
    case link::Reason::kConnectionRefused: return DnsFailure::kRefused;
    case link::Reason::kTimedOut: return DnsFailure::kTimedOut;
    default: return DnsFailure::kUnreachable;
  }
}

}  // namespace

// Something for an address of our own: DNS for the stub, and pings.
void Client::Impl::stub_received(const packet::Parsed& packet, const Buffer& owner, Instant now) {
  const packet::FiveTuple& tuple = packet.tuple;
  if (packet.protocol() == packet::kUdp && tuple.destination.port == 53) {
    names_.datagram(tuple.source, tuple.destination, packet.payload, now);
  } else if (packet.is_echo_request()) {
    packet::build_echo_reply(packets_, tuple.destination.address, tuple.source.address, tuple.source.port,
                             packet.echo_sequence, lend({owner, packet.payload.data(), packet.payload.size()}));
  } else if (packet.protocol() == packet::kUdp) {
    packet::build_unreachable(packets_, lend({owner, packet.packet.data(), packet.packet.size()}),
                              packet::Unreachable::kPort);
  } else {
    ++counters_.drop_protocol;
  }
}

void Client::Impl::datagram_received(const packet::Parsed& packet, const Buffer& owner, Instant now) {
  if (!up()) {
    ++counters_.drop_queue;
    return;
  }
  Slice data{owner, packet.payload.data(), packet.payload.size()};
  bool echo = packet.protocol() != packet::kUdp;
  if (echo) {
    Slice numbered{pool_.take(2 + data.size), nullptr, 2 + data.size};
    store16(numbered.owner.data(), packet.echo_sequence);
    copy_bytes(numbered.owner.bytes().subspan(2), data.bytes());
    numbered.data = numbered.owner.data();
    data = std::move(numbered);
  }
  Flow* flow = flows_.find(packet.tuple);
  if (!flow) {
    flow::Destination destination;
    destination.protocol = echo ? flow::Protocol::kEcho : flow::Protocol::kUdp;
    destination.endpoint = real(packet.tuple.destination);
    if (echo) destination.endpoint.port = 0;
    bool rides = data.size > 0 && data.size <= kRides;
    link::StreamId stream = 0;
    if (flows_.size() < config_.max_flows) {
      stream = session_->mux.open(destination, packet.tuple.source, 0, rides ? data : Slice());
    }
    if (stream == 0) {
      ++counters_.drop_limit;
      return;
    }
    flow = &flows_.add(echo ? Flow::Kind::kEcho : Flow::Kind::kUdp, &packet.tuple, now);
    ++(echo ? counters_.echo_opened : counters_.udp_opened);
    flows_.set_stream(*flow, stream);
    flows_.sweep(*flow);
    if (rides) return;
  }
  flow->last = now;
  session_->mux.send_datagram(flow->stream, std::move(data), now);
}

void Client::Impl::datagram_arrived(Flow& flow, Slice data, Instant now) {
  flow.last = now;
  const packet::FiveTuple& tuple = flow.tuple;
  switch (flow.kind) {
    case Flow::Kind::kUdp:
      packet::build_udp(packets_, tuple.destination, tuple.source, lend(std::move(data)));
      break;
    case Flow::Kind::kEcho: {
      if (data.size < 2) break;
      std::uint16_t sequence = load16(data.data);
      data.remove_prefix(2);
      packet::build_echo_reply(packets_, tuple.destination.address, tuple.source.address, tuple.source.port, sequence,
                               lend(std::move(data)));
      break;
    }
    case Flow::Kind::kAsk:
    case Flow::Kind::kProbe: {
      Flow::Kind kind = flow.kind;
      std::uint64_t request = flow.request;
      session_->mux.reset(flow.stream, link::Reason::kNone);
      flows_.remove(flow, now);
      if (kind == Flow::Kind::kAsk) {
        names_.cluster_answered(request, data.bytes(), now);
        break;
      }
      ClientEvent event{};
      event.kind = ClientEvent::Kind::kClusterAnswer;
      event.token = request;
      event.message.assign(data.bytes().begin(), data.bytes().end());
      events_.push_back(std::move(event));
      break;
    }
    default:
      break;
  }
}

// The flow is over: the gateway ended it, or its age did. The app hears of a refusal as it would from the network.
void Client::Impl::datagram_ended(Flow& flow, link::Reason reason, Instant now) {
  if (flow.stream != 0 && session_) session_->mux.reset(flow.stream, link::Reason::kNone);
  Flow::Kind kind = flow.kind;
  std::uint64_t request = flow.request;
  packet::FiveTuple tuple = flow.tuple;
  flows_.remove(flow, now);
  if (kind == Flow::Kind::kAsk || kind == Flow::Kind::kProbe) {
    ask_failed(kind, request, reason, now);
    return;
  }
  packet::Unreachable why;
  switch (reason) {
    case link::Reason::kConnectionRefused: why = packet::Unreachable::kPort; break;
    case link::Reason::kHostUnreachable: why = packet::Unreachable::kHost; break;
    case link::Reason::kNetworkUnreachable: why = packet::Unreachable::kNetwork; break;
    case link::Reason::kForbidden: why = packet::Unreachable::kProhibited; break;
    default: return;
  }
  // The kernel finds the app's socket by the packet that is quoted; its headers are enough.
  packet::PacketBatch quoted;
  if (kind == Flow::Kind::kUdp) {
    packet::build_udp(quoted, tuple.source, tuple.destination, {});
  } else {
    packet::build_echo_request(quoted, tuple.source.address, tuple.destination.address, tuple.source.port, 0, {});
  }
  packet::build_unreachable(packets_, lend(pool_.copy(quoted.header(quoted.packets().front()))), why);
}

void Client::Impl::dns_action(DnsAction& action, Instant now) {
  switch (action.kind) {
    case DnsAction::Kind::kAnswerDatagram:
      packet::build_udp(packets_, action.local, action.peer, lend(pool_.copy(action.message)));
      break;
    case DnsAction::Kind::kAnswerStream:
      if (Flow* flow = flows_.find(FlowHandle(action.stream)); flow && flow->kind == Flow::Kind::kStub) {
        stub_answer(*flow, pool_.copy(action.message));
      }
      break;
    case DnsAction::Kind::kCloseStream:
      if (Flow* flow = flows_.find(FlowHandle(action.stream)); flow && flow->kind == Flow::Kind::kStub) {
        flow->peer_finished = true;
        push_answers(*flow);
      }
      break;
    case DnsAction::Kind::kAskCluster:
      ask(Flow::Kind::kAsk, action.request, action.message, now);
      break;
    case DnsAction::Kind::kForget:
      if (Flow* flow = flows_.find_request(action.request)) {
        if (flow->stream != 0 && session_) session_->mux.reset(flow->stream, link::Reason::kNone);
        flows_.remove(*flow, now);
        break;
      }
      [[fallthrough]];
    case DnsAction::Kind::kAskMachine:
    case DnsAction::Kind::kAnswerAsked:
      machine_questions_.push_back(std::move(action));
      break;
  }
}

void Client::Impl::ask_cluster(std::uint64_t token, Bytes message, Instant now) {
  ask(Flow::Kind::kProbe, token, message, now);
}

void Client::Impl::ask(Flow::Kind kind, std::uint64_t id, Bytes message, Instant now) {
  if (!up()) return ask_failed(kind, id, link::Reason::kLinkLost, now);
  flow::Destination destination;
  destination.protocol = flow::Protocol::kDns;
  bool rides = message.size() <= kRides;
  Slice data = pool_.copy(message);
  link::StreamId stream = 0;
  if (flows_.size() < config_.max_flows) stream = session_->mux.open(destination, {}, 0, rides ? data : Slice());
  if (stream == 0) return ask_failed(kind, id, link::Reason::kLimit, now);
  Flow& flow = flows_.add(kind, nullptr, now);
  kind == Flow::Kind::kAsk ? flows_.set_request(flow, id) : void(flow.request = id);
  flows_.set_stream(flow, stream);
  flows_.sweep(flow);
  if (!rides) session_->mux.send_datagram(stream, std::move(data), now);
}

void Client::Impl::ask_failed(Flow::Kind kind, std::uint64_t id, link::Reason reason, Instant now) {
  if (kind == Flow::Kind::kAsk) {
    names_.cluster_failed(id, dns_failure(reason), now);
    return;
  }
  ClientEvent event{};
  event.kind = ClientEvent::Kind::kClusterAnswer;
  event.token = id;
  event.error = {ErrorCode::kUnavailable, std::string("the cluster's DNS did not answer: ") + link::reason_name(reason), {}};
  events_.push_back(std::move(event));
}

}  // namespace causeway::engine

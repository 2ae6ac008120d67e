// TCP: a SYN is held until the gateway's dial has answered, then the stack and a stream are joined.
//
//   SYN > held > OPEN sent > OPENED   > the stack answers the SYN, bytes flow both ways
//                          > REFUSED  > RST, ICMP or silence, as the reason says
//         held for 10 s without a link > host unreachable
#include <algorithm>

#include "core/engine/client_impl.h"

namespace causeway::engine {
namespace {

// Answers of the stub to one program that its socket has not taken.
constexpr std::size_t kMaxStubAnswers = 1024 * 1024;

}  // namespace

void Client::Impl::tcp_received(const packet::Parsed& packet, const Buffer& owner, Instant now) {
  Flow* flow = flows_.find(packet.tuple);
  if (flow && flow->connection != 0) {
    segments_.push_back({flow->connection, packet, owner});
    return;
  }
  bool syn = (packet.flags & (packet::kSyn | packet::kAck | packet::kRst | packet::kFin)) == packet::kSyn;
  if (flow) {
    if (packet.flags & packet::kRst) {
      tcp_reset(*flow, now);
    } else if (syn) {
      flow->last = now;  // repeated: it joins the first
    }
    return;
  }
  if (syn) {
    syn_received(packet, now);
  } else if (!(packet.flags & packet::kRst)) {
    ++counters_.drop_no_flow;
    packet::build_reset(packets_, packet);
  }
}

void Client::Impl::syn_received(const packet::Parsed& packet, Instant now) {
  const packet::Endpoint& to = packet.tuple.destination;
  bool stub = std::find(config_.dns.begin(), config_.dns.end(), to.address) != config_.dns.end();
  if (stub && to.port != 53) {
    packet::build_reset(packets_, packet);
    return;
  }
  if (flows_.size() >= config_.max_flows || (!stub && half_open_ >= config_.max_half_open)) {
    ++counters_.drop_limit;
    return;
  }
  Flow& flow = flows_.add(stub ? Flow::Kind::kStub : Flow::Kind::kTcp, &packet.tuple, now);
  if (stub) {
    flow.connection = stack_.accept(packet, flow.handle, now);
    if (flow.connection == 0) {
      ++counters_.drop_limit;
      flows_.remove(flow, now);
      return;
    }
    names_.stream_opened(flow.handle, now);
    return;
  }
  flow.syn = pool_.copy(packet.packet);
  flow.half_open = true;
  ++half_open_;
  flows_.sweep(flow);
  if (!go_direct(flow) && up()) open_held(flow, now);
}

void Client::Impl::open_held(Flow& flow, Instant now) {
  flow::Destination destination;
  destination.protocol = flow::Protocol::kTcp;
  destination.endpoint = real(flow.tuple.destination);
  link::StreamId stream = session_->mux.open(destination, flow.tuple.source, 0, {});
  if (stream == 0) {
    ++counters_.drop_limit;
    refused(flow, link::Reason::kLimit, now);
    return;
  }
  flows_.set_stream(flow, stream);
}

void Client::Impl::open_all_held(Instant now) {
  std::vector<FlowHandle> held = flows_.swept();
  for (FlowHandle handle : held) {
    Flow* flow = flows_.find(handle);
    if (flow && flow->half_open && !flow->direct && flow->stream == 0) open_held(*flow, now);
  }
}

void Client::Impl::opened(Flow& flow, Instant now) {
  const link::StreamId stream = flow.stream;
  if (accept(flow, now) && is_told_apart(real(flow.tuple.destination))) begin_http(flow, stream, now);
}

// Has the stack answer the held SYN. False: it cannot, and the flow is gone.
bool Client::Impl::accept(Flow& flow, Instant now) {
  auto syn = packet::parse(flow.syn.bytes(), true);
  CAUSEWAY_ASSERT(syn);
  flow.connection = stack_.accept(*syn, flow.handle, now);
  if (flow.connection == 0) {
    ++counters_.drop_limit;
    if (flow.stream != 0) session_->mux.reset(flow.stream, link::Reason::kLimit);
    flows_.clear_stream(flow);
    refused(flow, link::Reason::kLimit, now);
    return false;
  }
  ++counters_.tcp_opened;
  ++connections_;
  not_half_open(flow);
  flow.syn = Slice();
  return true;
}

void Client::Impl::not_half_open(Flow& flow) {
  if (!flow.half_open) return;
  flow.half_open = false;
  --half_open_;
  flows_.stop_sweeping(flow);
}

// The SYN is answered with what the gateway met, or not at all.
void Client::Impl::refused(Flow& flow, link::Reason reason, Instant now) {
  if (reason == link::Reason::kLinkLost && phase_ != Phase::kStopped) {
    flow.since = now;  // waits for the next link
    return;
  }
  ++counters_.tcp_refused;
  answer_syn_with(flow, reason);
  if (flow.stream != 0 && session_) session_->mux.reset(flow.stream, link::Reason::kTimedOut);
  not_half_open(flow);
  flows_.remove(flow, now);
}

void Client::Impl::answer_syn_with(const Flow& flow, link::Reason reason) {
  using packet::Unreachable;
  auto unreachable = [&](Unreachable why) { packet::build_unreachable(packets_, lend(flow.syn), why); };
  switch (reason) {
    case link::Reason::kTimedOut:
      return;  // the app's own timer will say so
    case link::Reason::kConnectionRefused:
    case link::Reason::kConnectionReset: {
      auto syn = packet::parse(flow.syn.bytes(), true);
      CAUSEWAY_ASSERT(syn);
      packet::build_reset(packets_, *syn);
      return;
    }
    case link::Reason::kNetworkUnreachable:
      return unreachable(Unreachable::kNetwork);
    case link::Reason::kForbidden:
      return unreachable(Unreachable::kProhibited);
    default:
      return unreachable(Unreachable::kHost);
  }
}

void Client::Impl::stack_event(StackEvent& event, Instant now) {
  Flow* flow = flows_.find(FlowHandle(event.cookie));
  if (!flow || flow->connection != event.connection) return;
  if (flow->kind == Flow::Kind::kDirect) return direct_event(*flow, event, now);
  bool stub = flow->kind == Flow::Kind::kStub;
  switch (event.kind) {
    case StackEvent::Kind::kEstablished:
    case StackEvent::Kind::kWritable:
      stub ? push_answers(*flow) : push(*flow);
      break;
    case StackEvent::Kind::kReceived:
      if (stub) {
        stack_.consumed(flow->connection, event.data.size);
        names_.stream_received(flow->handle, event.data.bytes(), now);
      } else if (flow->stream != 0) {
        session_->mux.write(flow->stream, std::move(event.data));
      }
      break;
    case StackEvent::Kind::kFinished:
      flow->app_finished = true;
      if (stub) {
        names_.stream_finished(flow->handle, now);
      } else if (flow->stream != 0) {
        session_->mux.finish(flow->stream);
      }
      break;
    case StackEvent::Kind::kReset:
      if (stub) {
        names_.stream_finished(flow->handle, now);
      } else if (flow->stream != 0) {
        session_->mux.reset(flow->stream, link::Reason::kConnectionReset);
        flows_.clear_stream(*flow);
      }
      break;
    case StackEvent::Kind::kClosed:
      flow->connection = 0;
      if (stub) {
        names_.stream_finished(flow->handle, now);
        flows_.remove(*flow, now);
        break;
      }
      --connections_;
      flows_.clear_tuple(*flow);
      if (flow->stream != 0 && !(flow->app_finished && flow->peer_finished)) {
        session_->mux.reset(flow->stream, link::Reason::kConnectionReset);
        flows_.clear_stream(*flow);
      }
      remove_if_done(*flow, now);
      break;
  }
}

// Hands the stack what has come for the app, as far as it takes it.
void Client::Impl::push(Flow& flow) {
  if (flow.connection == 0 || flow.stream == 0 || flow.peer_finished) return;
  mux::Mux& mux = session_->mux;
  while (mux.has_readable(flow.stream)) {
    const Slice& slice = mux.readable(flow.stream);
    std::size_t size = slice.size;
    std::size_t n = stack_.write(flow.connection, slice);
    if (n > 0) mux.consume(flow.stream, n);
    if (n < size) return;
  }
  if (!mux.read_done(flow.stream)) return;
  flow.peer_finished = true;
  stack_.finish(flow.connection);
}

// A program that asks on and on and does not listen is cut off.
void Client::Impl::stub_answer(Flow& flow, Slice answer) {
  if (!flow.answers) flow.answers = std::make_unique<Answers>();
  if (flow.answers->bytes + answer.cost() > kMaxStubAnswers) {
    ++counters_.drop_limit;
    return stack_.abort(flow.connection);
  }
  flow.answers->bytes += answer.cost();
  flow.answers->queue.push_back(std::move(answer));
  push_answers(flow);
}

void Client::Impl::push_answers(Flow& flow) {
  while (flow.answers && !flow.answers->queue.empty() && flow.connection != 0) {
    Slice& front = flow.answers->queue.front();
    std::size_t n = stack_.write(flow.connection, front);
    if (n < front.size) {
      front.remove_prefix(n);
      return;
    }
    flow.answers->bytes -= flow.answers->queue.pop_front().cost();
  }
  if (flow.peer_finished && flow.connection != 0) stack_.finish(flow.connection);
}

// The other side is gone: the app gets RST, after what was written before.
void Client::Impl::tcp_reset(Flow& flow, Instant now) {
  if (flow.stream != 0) {
    session_->mux.reset(flow.stream, link::Reason::kConnectionReset);
    flows_.clear_stream(flow);
  }
  if (flow.connection != 0) {
    stack_.abort(flow.connection);
    return;
  }
  not_half_open(flow);
  flows_.remove(flow, now);
}

void Client::Impl::remove_if_done(Flow& flow, Instant now) {
  if (flow.connection == 0 && flow.stream == 0) flows_.remove(flow, now);
}

}  // namespace causeway::engine

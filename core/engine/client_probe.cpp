// Dials for people who ask how far a connection would get: an OPEN as any other, whose stream ends as soon as its fate is known. No
// byte is sent on it, and no program of this machine has a part in it.
#include "core/engine/client_impl.h"

namespace causeway::engine {

void Client::Impl::probe(std::uint64_t token, const packet::Endpoint& to, Instant now) {
  if (!up()) return probed(token, link::Reason::kLinkLost, {});
  const std::optional<packet::Address> real = addresses_.to_real(to.address);
  if (!real) return probed(token, link::Reason::kHostUnreachable, {});
  link::StreamId stream = 0;
  if (probes_ < kMaxProbes && flows_.size() < config_.max_flows) {
    flow::Destination destination;
    destination.protocol = flow::Protocol::kTcp;
    destination.endpoint = {*real, to.port};
    stream = session_->mux.open(destination, {}, 0, {});
  }
  if (stream == 0) return probed(token, link::Reason::kLimit, {});
  Flow& flow = flows_.add(Flow::Kind::kDial, nullptr, now);
  flow.request = token;
  flows_.set_stream(flow, stream);
  flows_.sweep(flow);
  ++probes_;
}

void Client::Impl::probe_event(Flow& flow, const mux::MuxEvent& event, Instant now) {
  using Kind = mux::MuxEvent::Kind;
  switch (event.kind) {
    case Kind::kOpened: return probe_ended(flow, link::Reason::kNone, now);
    case Kind::kRefused:
      flows_.clear_stream(flow);
      return probe_ended(flow, event.reason, now);
    case Kind::kReset:
      session_->mux.forget(event.stream);
      flows_.clear_stream(flow);
      return probe_ended(flow, event.reason, now);
    default: return;
  }
}

// `reason` kNone: the gateway is connected.
void Client::Impl::probe_ended(Flow& flow, link::Reason reason, Instant now) {
  if (flow.stream != 0 && session_) session_->mux.reset(flow.stream, link::Reason::kNone);
  const std::uint64_t token = flow.request;
  const Duration elapsed = now - flow.since;
  flows_.remove(flow, now);
  --probes_;
  probed(token, reason, elapsed);
}

void Client::Impl::probed(std::uint64_t token, link::Reason reason, Duration elapsed) {
  ClientEvent event{};
  event.kind = ClientEvent::Kind::kProbed;
  event.token = token;
  event.reason = reason;
  event.elapsed = elapsed;
  events_.push_back(std::move(event));
}

}  // namespace causeway::engine

// HTTP connections to services: their client is an accepted socket, the original another, and intercepts are streams.
#include "core/engine/services.h"

namespace causeway::engine {

using intercept::kOriginal;
using Key = HttpConnections::Key;

void Services::begin_http(RelayId front, ServiceId service, const packet::Endpoint& source, Instant now) {
  ++services_[service].connections;
  https_[front] = {service, source};
  intercept::HttpProxy::Settings settings;
  settings.client = source;
  settings.grace = grace_;
  http_.begin(front, *services_[service].router, settings, now);
}

void Services::send_to_client(Key key, Slice bytes) {
  if (Socket* accepted = sockets_.find(RelayId(key))) sockets_.send(*accepted, std::move(bytes));
}

void Services::finish_client(Key key) {
  if (Socket* accepted = sockets_.find(RelayId(key))) sockets_.finish(*accepted);
}

void Services::close_client(Key key, bool reset, Instant now) {
  Socket* accepted = sockets_.find(RelayId(key));
  if (!accepted) return;
  reset ? sockets_.close(*accepted, true) : sockets_.close_when_written(*accepted, now);
}

void Services::resume_client(Key key) {
  if (Socket* accepted = sockets_.find(RelayId(key))) sockets_.resume(*accepted);
}

std::size_t Services::first_bytes(Key, intercept::InterceptId target) {
  const Listening* listening = find_listening(target);
  const mux::Mux* mux = listening ? host_.mux(listening->carrier) : nullptr;
  return mux ? mux->first_bytes() : 0;
}

HttpConnections::Way Services::way_to(Key key, intercept::ConnectionId upstream, intercept::InterceptId target,
                                      const Slice& first) {
  const Http& http = https_.at(RelayId(key));
  HttpConnections::Way way;
  if (target == kOriginal) {
    way.socket = dial_original(http.service, http.source, Use::kHttp, RelayId(key), upstream);
    return way;
  }
  if (find_listening(target)) way.why = link::Reason::kLimit;
  way.stream = open_stream(target, http.source, first, 0, {StreamUse::Kind::kUpstream, RelayId(key), upstream, target},
                           way.carrier);
  return way;
}

void Services::stream_left(CarrierId carrier, link::StreamId stream, bool reset, Instant now) {
  Listener* listener = find_listener(carrier);
  if (!listener) return;
  if (reset) {
    listener->streams.erase(stream);
    return;
  }
  listener->streams[stream].kind = StreamUse::Kind::kDiscard;
  discarded_.push_back({now + kLinger, carrier, stream});
}

void Services::happened(Key, const intercept::ProxyEvent& event, Instant now) {
  using Kind = intercept::ProxyEvent::Kind;
  if (event.target == kOriginal) return;
  if (event.kind == Kind::kHandedOver) table_.count_request(event.target);
  if (event.kind == Kind::kAnswered) table_.count_answer(event.target, now);
  if (event.kind == Kind::kFailed) table_.count_failure(event.target, event.text);
}

void Services::http_over(Key key) {
  auto it = https_.find(RelayId(key));
  --services_[it->second.service].connections;
  https_.erase(it);
}

void Services::upstream_event(CarrierId carrier, const StreamUse& use, mux::MuxEvent event, Instant now) {
  if (event.kind == mux::MuxEvent::Kind::kRefused && engine_said_no(event.reason))
    event.reason = link::Reason::kLinkLost;
  if (!http_.stream_event(use.connection, use.upstream, event, now)) return;
  if (Listener* listener = find_listener(carrier)) listener->streams.erase(event.stream);
}

}  // namespace causeway::engine

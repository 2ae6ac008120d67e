// Who intercepts what: LISTEN, the proof that it works, and what happens to it when a session falls silent or ends.
#include <algorithm>

#include "core/engine/services.h"
#include "core/intercept/request.h"

namespace causeway::engine {
namespace {

link::Reason reason_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound: return link::Reason::kNameNotFound;
    case ErrorCode::kConflict: return link::Reason::kConflict;
    case ErrorCode::kLimit: return link::Reason::kLimit;
    default: return link::Reason::kForbidden;
  }
}

}  // namespace

std::string Services::described(const intercept::Intercept& intercept) {
  return intercept.match.everything() ? intercept.service : intercept.service + " (" + intercept.match.text() + ")";
}

void Services::log(const std::string& owner, std::string text) {
  GatewayEvent& event = host_.emit(GatewayEvent::Kind::kIntercept);
  event.client = owner;
  event.text = std::move(text);
}

Services::Listener* Services::find_listener(CarrierId carrier) {
  auto it = listeners_.find(carrier);
  return it == listeners_.end() ? nullptr : &it->second;
}

const Services::Listening* Services::find_listening(intercept::InterceptId intercept) const {
  auto it = listening_.find(intercept);
  return it == listening_.end() ? nullptr : &it->second;
}

void Services::listen(CarrierId carrier, const std::string& owner, const mux::MuxEvent& event, Instant now) {
  mux::Mux& mux = *host_.mux(carrier);
  auto request = intercept::parse_request(event.data.bytes());
  if (!request) return mux.unlisten(event.listen, link::Reason::kForbidden, request.error().message);
  auto service = std::find_if(services_.begin(), services_.end(),
                              [&](const Service& each) { return each.config.name == request->service; });
  auto added = table_.add(request->service, request->match, owner, carrier, now);
  if (!added) {
    log(owner, "may not intercept: " + added.error().message);
    return mux.unlisten(event.listen, reason_of(added.error().code), added.error().message);
  }
  told_over(added->ended, link::Reason::kConflict, now);
  lease_due_ = table_.deadline();
  listeners_[carrier].listens[event.listen] = added->id;
  listening_[added->id] = {carrier, event.listen, ServiceId(service - services_.begin())};
  if (listeners_[carrier].cut_at != kNever) table_.session_answers(carrier, false);
  probe(added->id, ServiceId(service - services_.begin()), now);
}

void Services::unlisten(CarrierId carrier, link::ListenId listen, Instant now) {
  Listener* listener = find_listener(carrier);
  auto it = listener ? listener->listens.find(listen) : decltype(listener->listens.end()){};
  if (!listener || it == listener->listens.end()) return;
  const intercept::InterceptId id = it->second;
  listener->listens.erase(it);
  if (const intercept::Intercept* known = table_.find(id)) log(known->owner, "leaves " + described(*known));
  listening_.erase(id);
  table_.remove(id);
  over(id, carrier, now);
}

// Tells the sessions of intercepts that ended without their doing.
void Services::told_over(const std::vector<intercept::EndedIntercept>& ended, link::Reason reason, Instant now) {
  for (const intercept::EndedIntercept& each : ended) {
    log(each.owner, "no longer intercepts " + each.service + ": " + each.why);
    const CarrierId carrier = CarrierId(each.session);
    Listener* listener = each.session != 0 ? find_listener(carrier) : nullptr;
    if (!listener) continue;
    auto it = std::find_if(listener->listens.begin(), listener->listens.end(),
                           [&](const auto& entry) { return entry.second == each.id; });
    if (it == listener->listens.end()) continue;
    if (mux::Mux* mux = host_.mux(carrier)) mux->unlisten(it->first, reason, each.why);
    listener->listens.erase(it);
    listening_.erase(each.id);
    // Taken up by the owner's newest session: what the older one had is as good as lost.
    table_.find(each.id) ? lose_streams(carrier, listener->streams, each.id, now) : over(each.id, carrier, now);
  }
}

// Nothing new goes there. What is under way has a while to end.
void Services::over(intercept::InterceptId intercept, CarrierId carrier, Instant now) {
  over_.push_back({now + grace_, carrier, intercept});
  end_probes_of(intercept, now);
  std::vector<RelayId> fronts;
  for (const auto& [stream, use] : listeners_.at(carrier).streams) {
    if (use.kind == StreamUse::Kind::kUpstream && use.intercept == intercept) fronts.push_back(use.connection);
  }
  for (RelayId front : fronts) {
    if (http_.contains(front)) http_.silent(front, intercept, now);
  }
}

std::size_t Services::free(std::string_view service, std::string_view owner, Instant now) {
  const auto ended = table_.free(service, owner);
  told_over(ended, link::Reason::kNone, now);
  lease_due_ = table_.deadline();
  return ended.size();
}

// --- streams and sessions

void Services::stream_event(CarrierId carrier, const mux::MuxEvent& event, Instant now) {
  using Kind = mux::MuxEvent::Kind;
  Listener* listener = find_listener(carrier);
  auto it = listener ? listener->streams.find(event.stream) : decltype(listener->streams.end()){};
  if (!listener || it == listener->streams.end()) {
    if (event.kind == Kind::kReset) host_.mux(carrier)->forget(event.stream);
    return;
  }
  const StreamUse use = it->second;
  const bool over = event.kind == Kind::kRefused || event.kind == Kind::kReset;
  switch (use.kind) {
    case StreamUse::Kind::kProbe: probe_event(carrier, use.connection, event, now); break;
    case StreamUse::Kind::kPlain:
      if (event.kind == Kind::kOpened) {
        it->second.kind = StreamUse::Kind::kJoined;
        offer_taken(use.connection);
      } else if (over) {
        if (event.kind == Kind::kReset) host_.mux(carrier)->forget(event.stream);
        listener->streams.erase(it);
        offer_refused(use.connection, event.reason);
      }
      break;
    case StreamUse::Kind::kUpstream: upstream_event(carrier, use, event, now); break;
    case StreamUse::Kind::kDiscard: discard_event(carrier, event); break;
    case StreamUse::Kind::kJoined: break;
  }
}

void Services::discard_event(CarrierId carrier, const mux::MuxEvent& event) {
  using Kind = mux::MuxEvent::Kind;
  mux::Mux& mux = *host_.mux(carrier);
  switch (event.kind) {
    case Kind::kReadable:
      while (mux.has_readable(event.stream)) mux.consume(event.stream, mux.readable(event.stream).size);
      break;
    case Kind::kSent: mux.take_sent(event.stream); break;
    case Kind::kReset: mux.forget(event.stream); [[fallthrough]];
    case Kind::kClosed: listeners_.at(carrier).streams.erase(event.stream); break;
    default: break;
  }
}

void Services::joined_over(CarrierId carrier, link::StreamId stream) {
  if (Listener* listener = find_listener(carrier)) listener->streams.erase(stream);
}

void Services::session_answers(CarrierId carrier, bool answers, Instant now) {
  Listener* listener = find_listener(carrier);
  if (!listener) return;
  table_.session_answers(carrier, answers);
  listener->cut_at = answers ? kNever : now + grace_;
  cut_due_ = std::min(cut_due_, listener->cut_at);
  std::vector<std::pair<link::StreamId, StreamUse>> concerned;
  for (const auto& [stream, use] : listener->streams) {
    const bool offered = use.kind == StreamUse::Kind::kPlain && !answers;
    if (offered || use.kind == StreamUse::Kind::kUpstream) concerned.emplace_back(stream, use);
  }
  for (const auto& [stream, use] : concerned) {
    if (use.kind == StreamUse::Kind::kPlain) {
      forget_stream(carrier, *host_.mux(carrier), stream);  // nothing was sent on it yet
      offer_refused(use.connection, link::Reason::kTimedOut);
      continue;
    }
    if (!http_.contains(use.connection)) continue;
    answers ? http_.answering(use.connection, use.intercept, now) : http_.silent(use.connection, use.intercept, now);
  }
}

void Services::session_ended(CarrierId carrier, Instant now) {
  auto node = listeners_.extract(carrier);
  if (node.empty()) return;
  const Listener& listener = node.mapped();
  table_.session_ended(carrier, now);
  lease_due_ = table_.deadline();
  for (const auto& [listen, id] : listener.listens) {
    listening_.erase(id);
    end_probes_of(id, now);
  }
  lose_streams(carrier, listener.streams, 0, now);
}

bool Services::waits_for(CarrierId carrier) const {
  auto it = listeners_.find(carrier);
  return it != listeners_.end() && !it->second.streams.empty();
}

// Of one intercept, or all: nothing more comes of them.
void Services::lose_streams(CarrierId carrier, std::unordered_map<link::StreamId, StreamUse> streams,
                            intercept::InterceptId only, Instant now) {
  for (const auto& [stream, use] : streams) {
    if (only != 0 && use.intercept != only) continue;
    mux::Mux* mux = host_.mux(carrier);  // none where the session is over
    switch (use.kind) {
      case StreamUse::Kind::kPlain:
        if (mux) forget_stream(carrier, *mux, stream);
        offer_refused(use.connection, link::Reason::kLinkLost);
        break;
      case StreamUse::Kind::kJoined:
        if (mux) host_.cut(use.connection);
        break;
      case StreamUse::Kind::kUpstream:
        if (mux) forget_stream(carrier, *mux, stream);
        if (http_.contains(use.connection)) http_.failed(use.connection, use.upstream, link::Reason::kLinkLost, now);
        break;
      default: break;
    }
  }
}

void Services::forget_stream(CarrierId carrier, mux::Mux& mux, link::StreamId stream) {
  listeners_.at(carrier).streams.erase(stream);
  mux.reset(stream, link::Reason::kLinkLost);
}

// What was joined to a laptop that stopped answering, or whose intercept is over, has had its while.
void Services::cut_overdue(Instant now) {
  std::vector<RelayId> cut;
  auto cut_all = [&](Listener& listener, intercept::InterceptId only) {
    for (const auto& [stream, use] : listener.streams) {
      if (use.kind == StreamUse::Kind::kJoined && (only == 0 || use.intercept == only)) cut.push_back(use.connection);
    }
  };
  for (; !over_.empty() && over_.front().at <= now; over_.pop_front()) {
    if (Listener* listener = find_listener(over_.front().carrier)) cut_all(*listener, over_.front().what);
  }
  if (cut_due_ <= now) {
    cut_due_ = kNever;
    for (auto& [carrier, listener] : listeners_) {
      if (listener.cut_at > now) {
        cut_due_ = std::min(cut_due_, listener.cut_at);
        continue;
      }
      cut_all(listener, 0);
    }
  }
  for (RelayId relay : cut) host_.cut(relay);
}

}  // namespace causeway::engine

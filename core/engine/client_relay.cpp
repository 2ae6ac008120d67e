// Streams that the gateway opened, and the local processes they are joined to. Nothing is dialled that no intercept declared.
#include <algorithm>

#include "core/engine/client_impl.h"

namespace causeway::engine {

// Events of streams that are no flow of this machine.
void Client::Impl::other_event(mux::MuxEvent& event, Instant now) {
  using Kind = mux::MuxEvent::Kind;
  switch (event.kind) {
    case Kind::kOpen: return opened_by_gateway(event);
    case Kind::kListening: return listening(event);
    case Kind::kUnlisten: return unlistened(event, now);
    default: break;
  }
  if (auto it = relay_of_.find(event.stream); it != relay_of_.end()) {
    relay_event(*find_relay(it->second), event);
  } else if (questions_.contains(event.stream)) {
    question_event(event);
  } else if (direct_stream_event(event, now)) {
    return;
  } else if (event.kind == Kind::kReset) {
    session_->mux.forget(event.stream);
  }
}

void Client::Impl::opened_by_gateway(const mux::MuxEvent& event) {
  mux::Mux& mux = session_->mux;
  OwnIntercept* own = find_listen(event.listen);
  if (!own || event.destination.protocol != flow::Protocol::kTcp) {
    mux.refuse(event.stream, link::Reason::kNotAvailable);
    return;
  }
  if (event.flags & link::kProbe) {
    mux.accept(event.stream);
    if (mux.writable(event.stream)) mux.finish(event.stream);  // it may have been reset meanwhile
    return;
  }
  ++own->status.connections;
  LocalRelay& relay = add_relay(own->status.id);
  relay.stream = event.stream;
  relay_of_[event.stream] = relay.id;
  ClientEvent& dial = emit_intercept(ClientEvent::Kind::kDialLocal, own->status.id);
  dial.relay = relay.id;
  dial.local = own->status.request.local;
}

Client::Impl::LocalRelay& Client::Impl::add_relay(InterceptId intercept) {
  const RelayId id = next_relay_++;
  LocalRelay& relay = relays_[id];
  relay.id = id;
  relay.intercept = intercept;
  return relay;
}

Client::Impl::LocalRelay* Client::Impl::find_relay(RelayId id) {
  auto it = relays_.find(id);
  return it == relays_.end() ? nullptr : &it->second;
}

void Client::Impl::relay_event(LocalRelay& relay, const mux::MuxEvent& event) {
  using Kind = mux::MuxEvent::Kind;
  mux::Mux& mux = session_->mux;
  switch (event.kind) {
    case Kind::kReadable:
      note_writable(relay);
      finish_if_drained(relay);
      break;
    case Kind::kSent:
      mux.take_sent(event.stream);
      if (relay.resumes(mux)) resume_relay(relay.id);
      break;
    case Kind::kReset:
      if (!relay.dialling && mux.has_readable(relay.stream)) {
        // What came before the reset is still the process's to read: it is offered once, then the socket is reset.
        relay.ending = true;
        note_writable(relay);
        resets_.push_back(relay.id);
      } else {
        mux.forget(relay.stream);
        remove(relay, true, true);
      }
      break;
    case Kind::kClosed: remove(relay, true, false); break;
    default: break;
  }
}

ClientEvent& Client::Impl::emit_relay(ClientEvent::Kind kind, RelayId relay) {
  emit(kind);
  events_.back().relay = relay;
  return events_.back();
}

void Client::Impl::close_relay(RelayId relay, bool reset) {
  emit_relay(ClientEvent::Kind::kCloseRelay, relay).reset = reset;
  socket_of_.erase(relay);
}

void Client::Impl::remove(LocalRelay& relay, bool close_socket, bool reset) {
  if (close_socket) close_relay(relay.id, reset);
  relay_of_.erase(relay.stream);
  relays_.erase(relay.id);
}

void Client::Impl::note_writable(LocalRelay& relay) {
  if (relay.writable_noted || relay.dialling) return;
  relay.writable_noted = true;
  noted_relays_.push_back(relay.id);
}

void Client::Impl::finish_if_drained(LocalRelay& relay) {
  if (relay.drained(session_->mux)) finish_relay(relay.id);
}

void Client::Impl::lend_writable_relays() {
  writable_relays_.clear();
  writable_relays_.swap(noted_relays_);
  for (RelayId id : writable_relays_) {
    if (LocalRelay* relay = find_relay(id)) {
      relay->writable_noted = false;
    } else {
      sockets_.lent(id);
    }
  }
}

// What came before the reset was offered in the last turn: what the socket did not take then is lost, as with any reset.
void Client::Impl::end_reset_relays() {
  for (RelayId id : resets_due_) {
    LocalRelay* relay = find_relay(id);
    if (!relay) {
      sockets_.end_offered(id);
      continue;
    }
    session_->mux.forget(relay->stream);
    remove(*relay, true, true);
  }
  resets_due_.clear();
  resets_due_.swap(resets_);
}

// The mux has forgotten its streams with the link; none of them may be asked for any more.
void Client::Impl::close_relays() {
  while (!relays_.empty()) remove(relays_.begin()->second, true, true);
}

void Client::Impl::dialled(RelayId id, Instant now) {
  LocalRelay* relay = find_relay(id);
  if (!relay) return process_dialled(id, now);
  if (!relay->dialling) return;
  relay->dialling = false;
  session_->mux.accept(relay->stream);
  note_writable(*relay);
}

void Client::Impl::dial_failed(RelayId id, link::Reason why, Instant now) {
  LocalRelay* relay = find_relay(id);
  if (!relay) return process_failed(id, why, now);
  if (!relay->dialling) return;
  count_failure(relay->intercept, why);
  session_->mux.refuse(relay->stream, why);
  remove(*relay, false, false);
}

void Client::Impl::count_failure(InterceptId intercept, link::Reason why) {
  auto it = intercepts_.find(intercept);
  if (it == intercepts_.end()) return;
  InterceptStatus& status = it->second.status;
  ++status.failures;
  status.last_error = status.request.local.text() + ": " + link::reason_name(why);
}

MutableBytes Client::Impl::relay_space(RelayId id) {
  LocalRelay* relay = find_relay(id);
  if (!relay) return process_space(id);
  return relay->reads(session_->mux) ? read_.space() : MutableBytes();
}

void Client::Impl::relay_received(RelayId id, std::size_t n, Instant now) {
  LocalRelay* relay = find_relay(id);
  if (!relay) return process_received(id, n, now);
  if (n == 0 || relay->ending) return;
  if (auto it = intercepts_.find(relay->intercept); it != intercepts_.end()) it->second.status.last_answer = now;
  session_->mux.write(relay->stream, read_.taken(n));
}

void Client::Impl::relay_finished(RelayId id, Instant now) {
  LocalRelay* relay = find_relay(id);
  if (!relay) return process_finished(id, now);
  relay->finished(session_->mux);
}

void Client::Impl::relay_failed(RelayId id, link::Reason why, Instant now) {
  LocalRelay* relay = find_relay(id);
  if (!relay) return process_failed(id, why, now);
  session_->mux.reset(relay->stream, why);
  session_->mux.forget(relay->stream);
  remove(*relay, false, false);
}

std::size_t Client::Impl::relay_transmit(RelayId id, std::span<Bytes> pieces) {
  LocalRelay* relay = find_relay(id);
  if (!relay) return sockets_.transmit(id, pieces);
  return relay->dialling ? 0 : session_->mux.readable(relay->stream, pieces);
}

void Client::Impl::relay_transmitted(RelayId id, std::size_t n, Instant now) {
  LocalRelay* relay = find_relay(id);
  if (!relay) return process_transmitted(id, n, now);
  if (n == 0) return;
  session_->mux.consume(relay->stream, n);
  finish_if_drained(*relay);
}

void Client::Impl::settle() {
  if (session_) session_->mux.settle();
  sockets_.settle();
}

}  // namespace causeway::engine

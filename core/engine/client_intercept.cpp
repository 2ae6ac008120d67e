// What this end asks of the gateway's services: intercepts, which outlive links, and the catalogue.
#include <algorithm>

#include "core/engine/client_impl.h"
#include "core/intercept/request.h"

namespace causeway::engine {
namespace {

constexpr Duration kAskAgain = std::chrono::seconds(5);
constexpr Duration kCatalogueLimit = std::chrono::seconds(10);
constexpr std::size_t kMaxCatalogue = 4 * 1024 * 1024;

ErrorCode code_of(link::Reason reason) {
  switch (reason) {
    case link::Reason::kConflict: return ErrorCode::kConflict;
    case link::Reason::kForbidden: return ErrorCode::kPermission;
    case link::Reason::kNameNotFound: return ErrorCode::kNotFound;
    case link::Reason::kLimit: return ErrorCode::kLimit;
    case link::Reason::kTimedOut: return ErrorCode::kTimedOut;
    case link::Reason::kNotAvailable:
    case link::Reason::kLinkLost: return ErrorCode::kUnavailable;
    default: return ErrorCode::kRefused;
  }
}

// The gateway's words, for people.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (std::uint8_t(c) < ' ' || c == 0x7f) c = '?';
  }
  return out;
}

}  // namespace

ClientEvent& Client::Impl::emit_intercept(ClientEvent::Kind kind, InterceptId id) {
  emit(kind);
  events_.back().intercept = id;
  return events_.back();
}

InterceptId Client::Impl::intercept(const InterceptRequest& request, Instant now) {
  const InterceptId id = next_intercept_++;
  auto parameters = intercept::encode(intercept::Request{request.service, request.match});
  if (!parameters) {
    emit_intercept(ClientEvent::Kind::kInterceptEnded, id).error = parameters.error();
    return id;
  }
  OwnIntercept& own = intercepts_[id];
  own.status.id = id;
  own.status.request = request;
  own.parameters = std::move(*parameters);
  if (up()) ask_for(own, now);
  return id;
}

void Client::Impl::ask_for(OwnIntercept& own, Instant now) {
  own.ask_again_at = kNever;
  own.listen = session_->mux.listen(own.parameters);
  if (own.listen == 0) {
    own.status.last_error = "too many intercepts at once";
    ask_again(own, now);
    return;
  }
  own.status.state = InterceptStatus::State::kAsking;
  listens_[own.listen] = own.status.id;
}

void Client::Impl::ask_again(OwnIntercept& own, Instant now) {
  own.ask_again_at = now + kAskAgain;
  intercepts_due_ = std::min(intercepts_due_, own.ask_again_at);
}

void Client::Impl::ask_for_all(Instant now) {
  for (auto& [id, own] : intercepts_) ask_for(own, now);
}

void Client::Impl::leave(InterceptId id) {
  auto it = intercepts_.find(id);
  if (it == intercepts_.end()) return;
  if (it->second.listen != 0) {
    session_->mux.unlisten(it->second.listen, link::Reason::kNone, {});
    listens_.erase(it->second.listen);
  }
  intercepts_.erase(it);
  know_shortcuts();
}

Client::Impl::OwnIntercept* Client::Impl::find_listen(link::ListenId listen) {
  auto it = listens_.find(listen);
  return it == listens_.end() ? nullptr : &intercepts_.at(it->second);
}

void Client::Impl::listening(const mux::MuxEvent& event) {
  OwnIntercept* own = find_listen(event.listen);
  if (!own) return;
  auto accepted = intercept::parse_accepted(event.data.bytes());
  if (!accepted) {
    const InterceptId id = own->status.id;
    leave(id);
    emit_intercept(ClientEvent::Kind::kInterceptEnded, id).error = {
        ErrorCode::kProtocol, "the gateway's answer makes no sense", {}};
    return;
  }
  own->was_ready = true;
  own->status.state = InterceptStatus::State::kReady;
  own->status.http = accepted->http;
  own->status.endpoints = std::move(accepted->endpoints);
  own->status.round_trip = accepted->round_trip;
  know_shortcuts();
  emit_intercept(ClientEvent::Kind::kInterceptReady, own->status.id).elapsed = accepted->round_trip;
}

void Client::Impl::unlistened(const mux::MuxEvent& event, Instant now) {
  OwnIntercept* own = find_listen(event.listen);
  if (!own) return;
  listens_.erase(event.listen);
  own->listen = 0;
  Error error{code_of(event.reason), printable(event.text), {}};
  if (error.message.empty()) error.message = link::reason_name(event.reason);
  const bool passes = event.reason == link::Reason::kNotAvailable || event.reason == link::Reason::kTimedOut;
  if (passes && own->was_ready) {
    ask_again(*own, now);
    return wait(*own, std::move(error));
  }
  const InterceptId id = own->status.id;
  intercepts_.erase(id);
  know_shortcuts();
  emit_intercept(ClientEvent::Kind::kInterceptEnded, id).error = std::move(error);
}

void Client::Impl::wait(OwnIntercept& own, Error error) {
  const bool was_ready = own.status.state == InterceptStatus::State::kReady;
  own.status.state = InterceptStatus::State::kWaiting;
  own.status.last_error = error.message;
  if (was_ready) emit_intercept(ClientEvent::Kind::kInterceptWaiting, own.status.id).error = std::move(error);
}

// The link is lost: what was asked for is asked for again on the next.
void Client::Impl::intercepts_wait() {
  listens_.clear();
  for (auto& [id, own] : intercepts_) {
    own.listen = 0;
    own.ask_again_at = kNever;
    wait(own, {ErrorCode::kUnavailable, "the link is down: " + last_error_, {}});
  }
}

std::vector<InterceptStatus> Client::Impl::intercepts() const {
  std::vector<InterceptStatus> all;
  for (const auto& [id, own] : intercepts_) all.push_back(own.status);
  return all;
}

void Client::Impl::advance_intercepts(Instant now) {
  if (now < intercepts_due_) return;
  intercepts_due_ = kNever;
  for (auto& [id, own] : intercepts_) {
    if (own.ask_again_at <= now) ask_for(own, now);
    intercepts_due_ = std::min(intercepts_due_, own.ask_again_at);
  }
  std::vector<link::StreamId> late;
  for (const auto& [stream, question] : questions_) {
    const Instant due = question.since + kCatalogueLimit;
    due <= now ? late.push_back(stream) : void(intercepts_due_ = std::min(intercepts_due_, due));
  }
  for (link::StreamId stream : late) {
    session_->mux.reset(stream, link::Reason::kTimedOut);
    answer_question(stream,
                    Error{ErrorCode::kTimedOut, "the gateway did not say what services it has within 10 s", {}});
  }
}

void Client::Impl::ask_catalogue(std::uint64_t token, const std::string& service, Instant now) {
  flow::Destination destination;
  destination.protocol = flow::Protocol::kCatalogue;
  destination.name = service;
  link::StreamId stream = 0;
  const bool possible = up() && service.size() <= link::kMaxText;
  if (possible) stream = session_->mux.open(destination, {}, 0, {});
  if (stream != 0) {
    questions_[stream] = {token, now, {}};
    intercepts_due_ = std::min(intercepts_due_, now + kCatalogueLimit);
    return;
  }
  emit(ClientEvent::Kind::kCatalogue);
  events_.back().token = token;
  events_.back().error = up() ? Error{ErrorCode::kLimit, "too many flows are open, or the name is too long", {}}
                              : Error{ErrorCode::kUnavailable, "the link is down: " + last_error_, {}};
}

void Client::Impl::question_event(const mux::MuxEvent& event) {
  Question& question = questions_.at(event.stream);
  mux::Mux& mux = session_->mux;
  switch (event.kind) {
    case mux::MuxEvent::Kind::kOpened:
      if (mux.writable(event.stream)) mux.finish(event.stream);  // it may have been reset meanwhile
      break;
    case mux::MuxEvent::Kind::kReadable:
      while (mux.has_readable(event.stream)) {
        const Bytes piece = mux.readable(event.stream).bytes();
        question.document.insert(question.document.end(), piece.begin(), piece.end());
        mux.consume(event.stream, piece.size());
      }
      if (question.document.size() > kMaxCatalogue) {
        mux.reset(event.stream, link::Reason::kLimit);
        return answer_question(
            event.stream,
            Error{ErrorCode::kProtocol, "the gateway has more to say of its services than is listened to", {}});
      }
      if (mux.read_done(event.stream)) answer_question(event.stream, std::nullopt);
      break;
    case mux::MuxEvent::Kind::kRefused:
    case mux::MuxEvent::Kind::kReset:
      mux.forget(event.stream);
      answer_question(event.stream, Error{code_of(event.reason),
                                          std::string("the gateway does not say what services it has: ") +
                                              link::reason_name(event.reason),
                                          {}});
      break;
    default: break;
  }
}

void Client::Impl::answer_question(link::StreamId stream, std::optional<Error> error) {
  Question question = std::move(questions_.extract(stream).mapped());
  emit(ClientEvent::Kind::kCatalogue);
  events_.back().token = question.token;
  if (error) {
    events_.back().error = std::move(*error);
  } else {
    events_.back().message = std::move(question.document);
  }
}

}  // namespace causeway::engine

// Intercepts: what the program asks for becomes the engine's, and what the engine says is told.
#include "platform/client/tunnel_inside.h"
#include "platform/log.h"
#include "platform/loop/clock.h"

namespace causeway {
namespace {

const char* kStep = "intercept";

Result<engine::InterceptRequest> request_of(const InterceptSpec& spec) {
  engine::InterceptRequest request;
  request.service = spec.service;
  std::vector<intercept::HeaderCondition> headers;
  for (const auto& [name, value] : spec.headers) headers.push_back({name, value});
  auto match = intercept::Match::create(std::move(headers), spec.path_prefix);
  if (!match) return tl::make_unexpected(match.error());
  request.match = std::move(*match);
  auto address = packet::Address::parse(spec.local_address);
  if (!address) return fail(ErrorCode::kInvalid, "\"" + spec.local_address + "\" is no IP address", {});
  if (spec.local_port == 0) return fail(ErrorCode::kInvalid, "the local process needs a port", {});
  request.local = {*address, spec.local_port};
  request.shortcut = spec.shortcut;
  return request;
}

InterceptStatus status_of(const engine::InterceptStatus& from) {
  InterceptStatus to;
  to.id = from.id;
  to.spec.service = from.request.service;
  for (const intercept::HeaderCondition& header : from.request.match.headers())
    to.spec.headers.emplace_back(header.name, header.value);
  to.spec.path_prefix = from.request.match.path_prefix();
  to.spec.local_address = from.request.local.address.text();
  to.spec.local_port = from.request.local.port;
  to.spec.shortcut = from.request.shortcut;
  switch (from.state) {
    case engine::InterceptStatus::State::kAsking: to.state = InterceptState::kAsking; break;
    case engine::InterceptStatus::State::kReady: to.state = InterceptState::kReady; break;
    case engine::InterceptStatus::State::kWaiting: to.state = InterceptState::kWaiting; break;
  }
  if (from.round_trip > Duration::zero()) {
    to.protocol = from.http ? "http" : "tcp";
    to.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(from.round_trip);
  }
  for (const packet::Endpoint& endpoint : from.endpoints) to.endpoints.push_back(endpoint.text());
  to.connections = from.connections;
  to.failures = from.failures;
  to.last_error = from.last_error;
  if (from.last_answer != kNever)
    to.last_answer = std::chrono::duration_cast<std::chrono::seconds>(platform::boot_now() - from.last_answer);
  return to;
}

}  // namespace

std::uint64_t Tunnel::intercept(const InterceptSpec& spec, InterceptTold told, Failure& failure) {
  return inside_->intercept(spec, std::move(told), failure);
}
void Tunnel::leave(std::uint64_t intercept) { inside_->leave(intercept); }
std::vector<InterceptStatus> Tunnel::intercepts() const { return inside_->intercepts(); }
void Tunnel::ask_catalogue(const std::string& service, CatalogueTold done) {
  inside_->ask_catalogue(service, std::move(done));
}

std::uint64_t Tunnel::Inside::intercept(const InterceptSpec& spec, InterceptTold told, Failure& failure) {
  if (state_ != TunnelState::kUp && state_ != TunnelState::kReconnecting) {
    failure = to_failure({ErrorCode::kUnavailable, profile_.name + " is not up", "bring it up first"}, kStep);
    return 0;
  }
  auto request = request_of(spec);
  if (!request) {
    failure = to_failure(request.error(), kStep);
    return 0;
  }
  request->shortcut = spec.shortcut && profile_.intercept_shortcut;
  const engine::InterceptId id = driver_->intercept(*request);
  intercepts_[id] = std::move(told);
  return id;
}

void Tunnel::Inside::leave(std::uint64_t intercept) {
  if (intercepts_.erase(intercept) > 0 && driver_) driver_->leave(intercept);
}

std::vector<InterceptStatus> Tunnel::Inside::intercepts() const {
  std::vector<InterceptStatus> all;
  if (!driver_) return all;
  for (const engine::InterceptStatus& each : driver_->intercepts()) all.push_back(status_of(each));
  return all;
}

void Tunnel::Inside::ask_catalogue(const std::string& service, CatalogueTold done) {
  if (state_ != TunnelState::kUp) {
    Failure failure = to_failure({ErrorCode::kUnavailable, profile_.name + " is not up", {}}, kStep);
    return tell([done = std::move(done), failure] { done({}, failure); });
  }
  const std::uint64_t token = next_catalogue_++;
  catalogues_[token] = std::move(done);
  driver_->ask_catalogue(token, service);
}

void Tunnel::Inside::intercept_event(const engine::ClientEvent& event) {
  using Kind = engine::ClientEvent::Kind;
  if (event.kind == Kind::kCatalogue) {
    auto node = catalogues_.extract(event.token);
    if (node.empty()) return;
    std::optional<Failure> failure;
    if (!event.error.message.empty()) failure = to_failure(event.error, kStep);
    return tell([done = std::move(node.mapped()), document = std::string(as_text(event.message)), failure] {
      done(document, failure);
    });
  }
  if (event.kind == Kind::kInterceptEnded) {
    auto node = intercepts_.extract(event.intercept);
    if (node.empty()) return;
    spdlog::info("{}: an intercept ended: {}", profile_.name, platform::printable(event.error.message));
    return tell([ended = std::move(node.mapped().ended), failure = to_failure(event.error, kStep)] {
      if (ended) ended(failure);
    });
  }
  auto found = intercepts_.find(event.intercept);
  if (found == intercepts_.end() || !found->second.changed) return;
  for (const engine::InterceptStatus& each : driver_->intercepts()) {
    if (each.id == event.intercept)
      tell([changed = found->second.changed, status = status_of(each)] { changed(status); });
  }
}

// The tunnel went down, and its intercepts with it.
void Tunnel::Inside::end_intercepts() {
  Failure failure = to_failure({ErrorCode::kUnavailable, profile_.name + " went down", {}}, kStep);
  for (auto& [id, told] : std::exchange(intercepts_, {})) {
    if (told.ended) tell([ended = std::move(told.ended), failure] { ended(failure); });
  }
  for (auto& [token, done] : std::exchange(catalogues_, {})) {
    tell([done = std::move(done), failure] { done({}, failure); });
  }
}

}  // namespace causeway

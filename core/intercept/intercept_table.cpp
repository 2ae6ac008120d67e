#include "core/intercept/intercept_table.h"

#include <algorithm>

#include "core/base/assert.h"

namespace causeway::intercept {
namespace {

std::string ago(Duration since) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds / 3600) + " h";
}

Error conflict(const Intercept& other, const Match& wanted, Instant now) {
  std::string text = other.service + " is intercepted by " + other.owner + " (" + other.match.text() + ") since " +
                     ago(now - other.since);
  if (other.state() == Intercept::State::kAway)
    text += ", whose laptop is away; its lease runs for another " + ago(other.until - now);
  return {ErrorCode::kConflict, std::move(text),
          wanted.everything() || other.match.everything()
              ? "intercepts with headers that differ can share a service; this one cannot be shared"
              : "take a header value or a path of your own"};
}

}  // namespace

Intercept::State Intercept::state() const {
  if (session == 0) return State::kAway;
  if (!proven) return State::kProving;
  return answering ? State::kActive : State::kSilent;
}

std::vector<EndedIntercept> InterceptTable::set_services(std::vector<Service> services) {
  std::map<std::string, Entry, std::less<>> fresh;
  for (Service& service : services) {
    std::string name = service.name;
    fresh[std::move(name)].service = std::move(service);
  }
  std::vector<EndedIntercept> ended;
  for (auto& [name, entry] : services_) {
    auto kept = fresh.find(name);
    for (Intercept* intercept : std::vector<Intercept*>(entry.order)) {
      if (kept == fresh.end()) {
        ended.push_back(end(*intercept, "the gateway has no service " + name + " any more"));
      } else if (!kept->second.service.http && !intercept->match.everything()) {
        ended.push_back(end(*intercept, name + " is not HTTP any more, requests cannot be told apart"));
      }
    }
    if (kept == fresh.end()) continue;
    kept->second.order = std::move(entry.order);
    for (Intercept* intercept : kept->second.order)
      intercept->original_when_down = kept->second.service.original_when_down;
  }
  services_ = std::move(fresh);
  return ended;
}

Result<InterceptTable::Added> InterceptTable::add(std::string_view service, Match match, std::string_view owner,
                                                  SessionId session, Instant now) {
  CAUSEWAY_ASSERT(session != 0);
  auto found = services_.find(service);
  if (found == services_.end())
    return fail(ErrorCode::kNotFound, "the gateway has no service \"" + std::string(service) + "\"",
                "tunctl list shows those it has");
  Entry& entry = found->second;
  if (!entry.service.http && !match.everything())
    return fail(ErrorCode::kInvalid, entry.service.name + " is not an HTTP service, its requests cannot be told apart",
                "leave out headers and path, or have it configured as HTTP on the gateway");
  Added added;
  Intercept* same = nullptr;
  std::vector<Intercept*> in_the_way;
  for (Intercept* other : entry.order) {
    if (!other->match.conflicts_with(match)) continue;
    const bool own = other->owner == owner;
    if (own && other->match == match) {
      same = other;
    } else if (own && other->state() == Intercept::State::kAway) {
      in_the_way.push_back(other);
    } else {
      return tl::make_unexpected(conflict(*other, match, now));
    }
  }
  if (!same && entry.order.size() - in_the_way.size() >= kMaxPerService)
    return fail(ErrorCode::kLimit, entry.service.name + " has as many intercepts as the gateway keeps");
  for (Intercept* other : in_the_way)
    added.ended.push_back(end(*other, "replaced by " + std::string(owner) + " with " + match.text()));

  if (same) {
    added.id = same->id;
    added.resumed = true;
    if (same->session != 0)
      added.ended.push_back(
          {same->id, same->service, same->owner, same->session, "taken up by another session of " + same->owner});
    same->session = session;
    same->proven = false;
    same->answering = true;
    same->until = kNever;
    return added;
  }
  added.id = next_++;
  Intercept& fresh = intercepts_[added.id];
  fresh.id = added.id;
  fresh.service = entry.service.name;
  fresh.match = std::move(match);
  fresh.original_when_down = entry.service.original_when_down;
  fresh.owner = owner;
  fresh.session = session;
  fresh.since = now;
  place(entry, fresh);
  return added;
}

void InterceptTable::place(Entry& entry, Intercept& intercept) {
  // Behind those of as many conditions, as they are older.
  auto at = std::find_if(entry.order.begin(), entry.order.end(), [&](const Intercept* other) {
    return other->match.conditions() < intercept.match.conditions();
  });
  entry.order.insert(at, &intercept);
}

EndedIntercept InterceptTable::end(Intercept& intercept, std::string why) {
  EndedIntercept ended{intercept.id, intercept.service, intercept.owner, intercept.session, std::move(why)};
  std::erase(services_.find(intercept.service)->second.order, &intercept);
  intercepts_.erase(intercept.id);
  return ended;
}

void InterceptTable::proven(InterceptId id) {
  auto found = intercepts_.find(id);
  if (found != intercepts_.end()) found->second.proven = true;
}

void InterceptTable::remove(InterceptId id) {
  auto found = intercepts_.find(id);
  if (found != intercepts_.end()) end(found->second, {});
}

std::vector<EndedIntercept> InterceptTable::free(std::string_view service, std::string_view owner) {
  std::vector<EndedIntercept> ended;
  const Entry* found = entry(service);
  if (!found) return ended;
  for (Intercept* intercept : std::vector<Intercept*>(found->order)) {
    if (owner.empty() || intercept->owner == owner)
      ended.push_back(end(*intercept, "freed by the gateway's administrator"));
  }
  return ended;
}

void InterceptTable::session_answers(SessionId session, bool answers) {
  for (auto& [id, intercept] : intercepts_)
    if (intercept.session == session) intercept.answering = answers;
}

void InterceptTable::session_ended(SessionId session, Instant now) {
  for (auto& [id, intercept] : intercepts_) {
    if (intercept.session != session) continue;
    intercept.session = 0;
    intercept.proven = false;
    intercept.until = now + lease_;
  }
}

std::vector<EndedIntercept> InterceptTable::expire(Instant now) {
  std::vector<Intercept*> due;
  for (auto& [id, intercept] : intercepts_)
    if (intercept.until <= now) due.push_back(&intercept);
  std::vector<EndedIntercept> ended;
  for (Intercept* intercept : due)
    ended.push_back(end(*intercept, "its laptop did not come back before the lease ran out"));
  return ended;
}

Instant InterceptTable::deadline() const {
  Instant first = kNever;
  for (const auto& [id, intercept] : intercepts_) first = std::min(first, intercept.until);
  return first;
}

Route InterceptTable::route(std::string_view service, const http::Head& request) const {
  const Entry* found = entry(service);
  if (!found) return {};
  for (const Intercept* intercept : found->order) {
    if (intercept->state() == Intercept::State::kActive && intercept->match.accepts(request))
      return {intercept->id, intercept->original_when_down};
  }
  return {};
}

std::optional<Route> InterceptTable::route_all(std::string_view service) const {
  const Entry* found = entry(service);
  if (!found) return std::nullopt;
  for (const Intercept* intercept : found->order) {
    if (intercept->match.everything() && intercept->state() == Intercept::State::kActive)
      return Route{intercept->id, intercept->original_when_down};
  }
  return std::nullopt;
}

bool InterceptTable::filtered(std::string_view service) const {
  const Entry* found = entry(service);
  return found && std::any_of(found->order.begin(), found->order.end(),
                              [](const Intercept* intercept) { return !intercept->match.everything(); });
}

void InterceptTable::count_request(InterceptId id) {
  auto found = intercepts_.find(id);
  if (found != intercepts_.end()) ++found->second.counters.requests;
}

void InterceptTable::count_answer(InterceptId id, Instant now) {
  auto found = intercepts_.find(id);
  if (found != intercepts_.end()) found->second.counters.last_answer = now;
}

void InterceptTable::count_failure(InterceptId id, std::string_view error) {
  auto found = intercepts_.find(id);
  if (found == intercepts_.end()) return;
  ++found->second.counters.failures;
  found->second.counters.last_error = error;
}

const Intercept* InterceptTable::find(InterceptId id) const {
  auto found = intercepts_.find(id);
  return found == intercepts_.end() ? nullptr : &found->second;
}

std::vector<const Intercept*> InterceptTable::of_service(std::string_view service) const {
  std::vector<const Intercept*> out;
  if (const Entry* found = entry(service)) out.assign(found->order.begin(), found->order.end());
  return out;
}

const InterceptTable::Entry* InterceptTable::entry(std::string_view service) const {
  auto found = services_.find(service);
  return found == services_.end() ? nullptr : &found->second;
}

}  // namespace causeway::intercept

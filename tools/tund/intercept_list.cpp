// What there is to intercept, and who does: the gateway's list and our own, put together.
#include <algorithm>
#include <utility>

#include "platform/control/user_name.h"
#include "platform/log.h"
#include "tools/tund/answers.h"
#include "tools/tund/intercepts.h"

namespace causeway::tund {
namespace {

const char* state_text(InterceptState state) {
  switch (state) {
    case InterceptState::kAsking: return "asking";
    case InterceptState::kReady: return "ready";
    case InterceptState::kWaiting: break;
  }
  return "waiting";
}

Error error_of(const Failure& failure) {
  control::ErrorAnswer answer = to_answer(failure);
  return {answer.kind, answer.message, answer.advice};
}

control::InterceptedAnswer::AtGateway at_gateway(const control::CatalogueIntercept& intercept) {
  return {intercept.owner,    intercept.own,        intercept.state,       intercept.age,       intercept.requests,
          intercept.failures, intercept.last_error, intercept.last_answer, intercept.lease_left};
}

bool is(const control::CatalogueIntercept& intercept, const intercept::Match& match) {
  std::vector<intercept::HeaderCondition> conditions;
  for (const auto& [name, value] : intercept.headers) conditions.push_back({name, value});
  auto theirs = intercept::Match::create(std::move(conditions), intercept.path_prefix);
  return intercept.own && theirs && *theirs == match;
}

intercept::Match match_of(const InterceptSpec& spec) {
  std::vector<intercept::HeaderCondition> conditions;
  for (const auto& [name, value] : spec.headers) conditions.push_back({name, value});
  return intercept::Match::create(std::move(conditions), spec.path_prefix).value_or(intercept::Match());
}

}  // namespace

void Intercepts::ask(const std::string& service, Known done) {
  tunnel_.ask_catalogue(service, [alive = std::weak_ptr<int>(alive_), done = std::move(done)](
                                     const std::string& document, const std::optional<Failure>& failure) {
    if (alive.expired()) return;
    if (failure) return done(nullptr, error_of(*failure));
    auto catalogue = control::parse_catalogue(document);
    if (!catalogue) return done(nullptr, catalogue.error());
    done(&*catalogue, {});
  });
}

void Intercepts::ask_service(const std::string& name,
                             std::function<void(const control::CatalogueService*, const Error&)> done) {
  ask(name, [name, done = std::move(done)](const control::Catalogue* catalogue, const Error& error) {
    if (!catalogue) return done(nullptr, error);
    for (const control::CatalogueService& service : catalogue->services) {
      if (service.name == name) return done(&service, {});
    }
    done(nullptr,
         {ErrorCode::kNotFound, "the gateway has no service '" + name + "'", "`tunctl list` shows those it has"});
  });
}

void Intercepts::environment(platform::CallerId caller, const control::EnvironmentRequest& request) {
  ask_service(request.service, [this, caller](const control::CatalogueService* service, const Error& error) {
    if (!service) return refuse(caller, error, "service");
    if (!service->environment) {
      return refuse(caller, {ErrorCode::kProtocol, "the gateway does not tell the environment of " + service->name, ""},
                    "service");
    }
    send_service(caller, *service);
    for (const auto& variable : control::variable_answers(*service->environment)) send_(caller, variable);
    send_(caller, control::EnvironmentAnswer{profile_, service->name});
  });
}

void Intercepts::list(platform::CallerId caller, const control::Asker& asker,
                      std::function<void(const std::string& note)> done) {
  ask("", [this, caller, asker, done = std::move(done)](const control::Catalogue* catalogue, const Error& error) {
    std::string note = what_ended();
    if (!catalogue) {
      note = profile_ + ": only what is intercepted from here is shown: " + error.message + (note.empty() ? "" : "; ") +
             note;
    }
    send_all(caller, asker, catalogue ? *catalogue : control::Catalogue{});
    done(note);
  });
}

void Intercepts::send_all(platform::CallerId caller, const control::Asker& asker, const control::Catalogue& catalogue) {
  auto send = [&](control::InterceptedAnswer answer) {
    control::cut(answer, control::view_of(asker, owner_of(answer)));
    send_(caller, answer);
  };
  std::vector<InterceptStatus> own = tunnel_.intercepts();
  for (const control::CatalogueService& service : catalogue.services) {
    send_service(caller, service);
    for (const control::CatalogueIntercept& intercept : service.intercepts) {
      control::InterceptedAnswer answer{profile_, service.name,         intercept.headers, intercept.path_prefix,
                                        {},       at_gateway(intercept)};
      auto here = std::find_if(own.begin(), own.end(), [&](const InterceptStatus& each) {
        return each.spec.service == service.name && is(intercept, match_of(each.spec));
      });
      if (here != own.end()) {
        answer.here = answer_of(*here).here;
        own.erase(here);
      }
      send(std::move(answer));
    }
  }
  for (const InterceptStatus& each : own) send(answer_of(each));
}

void Intercepts::send_service(platform::CallerId caller, const control::CatalogueService& service) {
  send_(caller, control::ServiceAnswer{profile_, service.name, service.http ? "http" : "tcp", service.listen,
                                       service.original, service.refuse_when_local_down ? "refuse" : "original",
                                       service.connections, service.more_intercepts});
}

control::InterceptedAnswer Intercepts::answer_of(const InterceptStatus& status) const {
  control::InterceptedAnswer answer{profile_, status.spec.service, status.spec.headers, status.spec.path_prefix, {},
                                    {}};
  auto found = own_.find(status.id);
  answer.here = control::InterceptedAnswer::Here{status.id,
                                                 found == own_.end() ? "" : found->second->local,
                                                 state_text(status.state),
                                                 found != own_.end() && found->second->tied,
                                                 status.connections,
                                                 status.failures,
                                                 status.last_error,
                                                 status.round_trip,
                                                 status.last_answer,
                                                 found == own_.end() ? "" : platform::user_name(found->second->owner)};
  return answer;
}

control::Owner Intercepts::owner_of(const control::InterceptedAnswer& intercept) const {
  auto found = intercept.here ? own_.find(intercept.here->id) : own_.end();
  return found == own_.end() ? std::nullopt : control::Owner(found->second->owner);
}

std::string Intercepts::what_ended() const {
  std::string text;
  for (const auto& [service, why] : over_) {
    text += (text.empty() ? "" : "; ") + service + " is not intercepted from here any more: " + why;
  }
  return text;
}

std::vector<std::string> Intercepts::lines(const control::Asker& asker) const {
  std::vector<std::string> out;
  for (const InterceptStatus& status : tunnel_.intercepts()) {
    auto found = own_.find(status.id);
    if (found == own_.end()) continue;
    if (control::view_of(asker, found->second->owner) != control::View::kWhole) {
      out.push_back(status.spec.service + ", by " + platform::user_name(found->second->owner) + ", " +
                    state_text(status.state));
      continue;
    }
    std::string which = found->second->match.everything() ? "" : " (" + found->second->match.text() + ")";
    out.push_back(status.spec.service + which + " > " + found->second->local + ", " + state_text(status.state));
  }
  if (!asker.may_change()) return out;
  for (const auto& [service, why] : over_) out.push_back(service + " no more: " + why);
  return out;
}

}  // namespace causeway::tund

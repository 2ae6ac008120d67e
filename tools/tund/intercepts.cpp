#include "tools/tund/intercepts.h"

#include <algorithm>
#include <utility>

#include "core/packet/address.h"
#include "platform/control/user_name.h"
#include "platform/log.h"
#include "platform/loop/clock.h"
#include "tools/tund/answers.h"

namespace causeway::tund {
namespace {

// How long the gateway may take to prove an intercept; it asks again by itself within that.
constexpr Duration kPatience = std::chrono::seconds(15);
constexpr std::size_t kMaxOver = 8;

std::chrono::microseconds since(Instant began) {
  return std::chrono::duration_cast<std::chrono::microseconds>(platform::boot_now() - began);
}

intercept::Match match_of(const control::Headers& headers, const std::string& path_prefix) {
  std::vector<intercept::HeaderCondition> conditions;
  for (const auto& [name, value] : headers) conditions.push_back({name, value});
  auto match = intercept::Match::create(std::move(conditions), path_prefix);
  CAUSEWAY_ASSERT(match);  // the control protocol takes no other
  return *match;
}

std::string local_text(const InterceptSpec& spec) {
  auto address = packet::Address::parse(spec.local_address);
  return address ? packet::Endpoint{*address, spec.local_port}.text() : spec.local_address;
}

// The port of what the cluster calls.
std::uint16_t own_port(const control::CatalogueService& service) {
  if (service.listen.empty()) return 0;
  auto endpoint = packet::Endpoint::parse(service.listen.front());
  return endpoint ? endpoint->port : std::uint16_t(0);
}

std::string step_detail(const control::CatalogueService& service) {
  std::string at;
  for (const std::string& endpoint : service.listen) at += (at.empty() ? ", at " : ", ") + endpoint;
  return service.name + (service.http ? ", HTTP" : ", TCP") + at + "; its original is " + service.original;
}

}  // namespace

Intercepts::Intercepts(Runtime& runtime, Tunnel& tunnel, std::string profile, Send send)
    : runtime_(runtime), tunnel_(tunnel), profile_(std::move(profile)), send_(std::move(send)) {}

Intercepts::~Intercepts() = default;

void Intercepts::intercept(platform::CallerId caller, const control::Asker& asker,
                           const control::InterceptRequest& request) {
  Asked asked{request, asker, match_of(request.headers, request.path_prefix), platform::boot_now()};
  if (!packet::Address::parse(request.address)) {
    return refuse(caller, {ErrorCode::kInvalid, "'" + request.address + "' is no IP address", ""}, "local");
  }
  asked_[caller] = std::move(asked);
  ask_service(request.service, [this, caller](const control::CatalogueService* service, const Error& error) {
    auto node = asked_.extract(caller);
    if (node.empty()) return;  // given up meanwhile
    if (!service) return refuse(caller, error, "service");
    known(caller, node.mapped(), *service);
  });
}

void Intercepts::known(platform::CallerId caller, const Asked& asked, const control::CatalogueService& service) {
  const control::InterceptRequest& request = asked.request;
  if (!service.http && !asked.match.everything()) {
    return refuse(caller,
                  {ErrorCode::kInvalid, service.name + " is not HTTP: its requests cannot be told apart",
                   "leave the conditions out, and everything is intercepted"},
                  "service");
  }
  InterceptSpec spec;
  spec.service = request.service;
  for (const auto& header : asked.match.headers()) spec.headers.emplace_back(header.name, header.value);
  spec.path_prefix = asked.match.path_prefix();
  spec.local_address = request.address;
  spec.local_port = request.port ? request.port : own_port(service);
  if (spec.local_port == 0) {
    return refuse(caller,
                  {ErrorCode::kInvalid, "it is not known on which port the local process listens", "--port says it"},
                  "local");
  }
  send_service(caller, service);
  send_(caller, control::StepAnswer{"service", since(asked.began), step_detail(service)});

  if (Own* there = equal(spec.service, asked.match)) {
    auto status = status_of(there->id);
    bool may = control::may_end(asked.asker, there->owner);
    bool same = may && there->proven && !there->tied && !request.tied && there->local == local_text(spec) && status;
    if (!may) {
      std::string owner = platform::user_name(there->owner);
      return refuse(caller,
                    {ErrorCode::kConflict,
                     spec.service + " is intercepted from here already, with " + there->match.text() + ", by " + owner,
                     "ask " + owner + " to leave it, or intercept with a condition of your own (--http-header)"},
                    "path");
    }
    if (!same) {
      return refuse(
          caller,
          {ErrorCode::kConflict,
           spec.service + " is intercepted from here already, with " + there->match.text() + ", by " + there->local,
           there->tied ? "end the tunctl that does" : "`tunctl leave " + spec.service + "` ends that"},
          "path");
    }
    send_(caller, answer_of(*status));
    return send_(caller, control::InterceptAnswer{profile_, spec.service, there->id, "already", since(asked.began)});
  }
  begin(caller, asked, spec, asked.match);
}

void Intercepts::begin(platform::CallerId caller, const Asked& asked, const InterceptSpec& spec,
                       intercept::Match match) {
  Failure failure;
  auto id = std::make_shared<std::uint64_t>(0);
  Tunnel::InterceptTold told;
  std::weak_ptr<int> alive = alive_;
  told.changed = [this, alive, id](const InterceptStatus& status) {
    if (!alive.expired()) changed(*id, status);
  };
  told.ended = [this, alive, id](const Failure& why) {
    if (!alive.expired()) ended(*id, why);
  };
  *id = tunnel_.intercept(spec, std::move(told), failure);
  if (*id == 0) {
    failure.step = "path";
    return send_(caller, to_answer(failure));
  }
  auto own = std::make_unique<Own>(runtime_.loop(), [this, id] { give_up(*id); });
  own->id = *id;
  own->service = spec.service;
  own->match = std::move(match);
  own->local = local_text(spec);
  own->owner = asked.asker.user;
  own->tied = asked.request.tied;
  own->caller = caller;
  own->began = platform::boot_now();
  own->asked = asked.began;
  own->patience.set(own->began + kPatience);
  over_.erase(spec.service);
  own_.emplace(*id, std::move(own));
}

void Intercepts::changed(std::uint64_t id, const InterceptStatus& status) {
  auto found = own_.find(id);
  if (found == own_.end()) return;
  Own& own = *found->second;
  if (status.state == InterceptState::kReady && !own.proven) return ready(own, status);
  spdlog::info("{}: {} {}", profile_, own.service,
               status.state == InterceptState::kReady ? "is intercepted again"
                                                      : "waits: " + platform::printable(status.last_error));
  if (own.tied && own.proven) send_(own.caller, answer_of(status));
}

void Intercepts::ready(Own& own, const InterceptStatus& status) {
  own.proven = true;
  own.patience.set(kNever);
  spdlog::info("{}: {} is intercepted: {} by {}", profile_, own.service, platform::printable(own.match.text()),
               own.local);
  send_(own.caller,
        control::StepAnswer{"path", since(own.began), "the gateway's listener > gateway > link > here, and back"});
  send_(own.caller, answer_of(status));
  if (own.tied) return;
  send_(std::exchange(own.caller, 0),
        control::InterceptAnswer{profile_, own.service, own.id, "ready", since(own.asked)});
}

void Intercepts::ended(std::uint64_t id, const Failure& failure) {
  auto node = own_.extract(id);
  if (node.empty()) return;
  const Own& own = *node.mapped();
  spdlog::warn("{}: {} is not intercepted{}: {}", profile_, own.service, own.proven ? " any more" : "",
               platform::printable(failure.message));
  if (own.proven && over_.size() < kMaxOver) over_[own.service] = failure.message;
  if (own.caller == 0) return;
  control::ErrorAnswer answer = to_answer(failure);
  answer.step = "path";
  send_(own.caller, answer);
}

void Intercepts::give_up(std::uint64_t id) {
  auto node = own_.extract(id);
  if (node.empty()) return;
  auto status = status_of(id);
  tunnel_.leave(id);
  std::string why = status && !status->last_error.empty() ? ": " + status->last_error : "";
  refuse(node.mapped()->caller,
         {ErrorCode::kTimedOut,
          "the gateway has not proven within 15 s that " + node.mapped()->service + " reaches this machine" + why,
          "see the gateway's log"},
         "path");
}

void Intercepts::leave(platform::CallerId caller, const control::Asker& asker, const control::LeaveRequest& request) {
  intercept::Match match = match_of(request.headers, request.path_prefix);
  std::vector<std::uint64_t> meant;
  control::Owner somebody_else;
  for (const auto& [id, own] : own_) {
    bool is_meant = own->service == request.service && (request.id == 0 || request.id == id) &&
                    (match.everything() || match == own->match);
    bool may = control::may_end(asker, own->owner);
    if (is_meant && may) meant.push_back(id);
    if (is_meant && !may) somebody_else = own->owner;
  }
  if (meant.empty() && somebody_else) {
    return refuse(caller,
                  control::not_yours(request.service + " is intercepted", platform::user_name(*somebody_else),
                                     "`tunctl leave " + request.service + '`'),
                  "");
  }
  over_.erase(request.service);
  if (meant.empty()) {
    std::string how = match.everything() ? "" : " with " + match.text();
    return refuse(
        caller,
        {ErrorCode::kNotFound, request.service + " is not intercepted from here" + how, "`tunctl list` shows what is"},
        "leave");
  }
  for (std::uint64_t id : meant) {
    auto own = std::move(own_.extract(id).mapped());
    tunnel_.leave(id);
    spdlog::info("{}: {} is left: {} by {}", profile_, own->service, platform::printable(own->match.text()),
                 own->local);
    if (own->caller)
      send_(own->caller, control::InterceptAnswer{profile_, own->service, id, "left", since(own->asked)});
  }
  send_(caller, control::LeaveAnswer{profile_, request.service, meant.size()});
}

void Intercepts::forget(platform::CallerId caller) {
  asked_.erase(caller);
  for (auto each = own_.begin(); each != own_.end();) {
    Own& own = *each->second;
    if (own.caller != caller) {
      ++each;
      continue;
    }
    spdlog::info("{}: {} is left, as who asked for it is gone", profile_, own.service);
    tunnel_.leave(own.id);
    each = own_.erase(each);
  }
}

void Intercepts::end(const std::string& last_error) {
  Error down{ErrorCode::kUnavailable, profile_ + " has gone down" + (last_error.empty() ? "" : ": " + last_error),
             "`tunctl up " + profile_ + "` brings it up again"};
  for (const auto& [caller, asked] : std::exchange(asked_, {})) refuse(caller, down, "tunnel");
  for (const auto& [id, own] : std::exchange(own_, {})) {
    if (own->caller) refuse(own->caller, down, "tunnel");
  }
}

Intercepts::Own* Intercepts::equal(const std::string& service, const intercept::Match& match) {
  for (const auto& [id, own] : own_) {
    if (own->service == service && own->match == match) return own.get();
  }
  return nullptr;
}

std::optional<InterceptStatus> Intercepts::status_of(std::uint64_t id) const {
  for (InterceptStatus& status : tunnel_.intercepts()) {
    if (status.id == id) return std::move(status);
  }
  return std::nullopt;
}

void Intercepts::refuse(platform::CallerId caller, Error error, const char* step) {
  send_(caller, control::error_answer(error, step));
}

}  // namespace causeway::tund

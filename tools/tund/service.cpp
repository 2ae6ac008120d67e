#include "tools/tund/service.h"

#include <set>
#include <utility>

#include "platform/log.h"
#include "tools/tund/answers.h"

namespace causeway::tund {

Service::Service(Runtime& runtime, ProfileFolder folder, platform::Descriptor listening,
                 const platform::ControlServer::Options& options)
    : runtime_(runtime), folder_(std::move(folder)), server_(runtime.loop(), std::move(listening), options, *this) {}

Service::~Service() = default;

void Service::stop(std::function<void()> done) {
  if (stopped_) return;
  stopped_ = std::move(done);
  if (sessions_.empty()) return stopped_();
  for (auto& [name, session] : sessions_) session->down();
}

void Service::asked(platform::CallerId caller, const Asker& asker, const control::Request& request) {
  if (stopped_) return send_error(caller, {ErrorCode::kUnavailable, "tund is about to end", ""});
  std::visit([&](const auto& each) { answer(caller, asker, each); }, request);
}

void Service::left(platform::CallerId caller) {
  for (auto& [name, waiting] : waiting_)
    std::erase_if(waiting, [&](const Waiting& each) { return each.caller == caller; });
  for (auto& [name, session] : sessions_) session->forget(caller);
}

void Service::answer(platform::CallerId caller, const Asker&, const control::VersionRequest&) {
  server_.send(caller, control::VersionAnswer{version()});
}

void Service::answer(platform::CallerId caller, const Asker& asker, const control::UpRequest& request) {
  auto profile = profile_of(request);
  if (!profile) return send_error(caller, profile.error(), "profile");
  spdlog::info("{}: up asked for by user {}", profile->name, asker.user);
  auto found = sessions_.find(profile->name);
  if (found == sessions_.end()) return begin(caller, asker, *profile);
  if (found->second->going_down()) {
    waiting_[profile->name].push_back({caller, asker, request});
    return;
  }
  found->second->up(caller, asker, profile->toml);
}

void Service::answer(platform::CallerId caller, const Asker& asker, const control::DownRequest& request) {
  auto name = name_of_running(asker, request.profile, "down");
  if (!name) return send_error(caller, name.error());
  auto found = sessions_.find(*name);
  if (found == sessions_.end()) return server_.send(caller, control::DownAnswer{*name, false, {}});
  if (!control::may_end(asker, found->second->owner())) {
    return send_error(caller, control::not_yours(*name + " was brought up", found->second->owner_name(),
                                                 "`tunctl down " + *name + '`'));
  }
  spdlog::info("{}: down asked for by user {}", *name, asker.user);
  found->second->down(caller);
}

void Service::answer(platform::CallerId caller, const Asker& asker, const control::StatusRequest& request) {
  std::set<std::string> names{request.profile};
  if (request.profile.empty()) {
    std::vector<std::string> all = folder_.names();
    names = {all.begin(), all.end()};
    for (const auto& [name, session] : sessions_) names.insert(name);
  }
  for (const std::string& name : names) send_status(caller, asker, name);
  server_.send(caller, control::StatusAnswer{});
}

void Service::answer(platform::CallerId caller, const Asker& asker, const control::InterceptRequest& request) {
  Session* session = session_for(caller, asker, request.profile, "intercept", true);
  if (!session) return;
  spdlog::info("{}: intercept of {} asked for by user {}", session->status().profile, request.service, asker.user);
  session->intercepts().intercept(caller, asker, request);
}

void Service::answer(platform::CallerId caller, const Asker& asker, const control::LeaveRequest& request) {
  Session* session = session_for(caller, asker, request.profile, "leave", false);
  if (!session) return;
  spdlog::info("{}: leave of {} asked for by user {}", session->status().profile, request.service, asker.user);
  session->intercepts().leave(caller, asker, request);
}

void Service::answer(platform::CallerId caller, const Asker& asker, const control::EnvironmentRequest& request) {
  Session* session = session_for(caller, asker, request.profile, "intercept", true);
  if (session) session->intercepts().environment(caller, request);
}

void Service::answer(platform::CallerId caller, const Asker& asker, const control::ListRequest& request) {
  std::vector<Session*> meant;
  if (request.profile.empty()) {
    for (const auto& [name, session] : sessions_) {
      TunnelState state = session->status().state;
      if (state == TunnelState::kUp || state == TunnelState::kReconnecting) meant.push_back(session.get());
    }
  }
  if (meant.empty()) {
    Session* session = session_for(caller, asker, request.profile, "list", false);
    if (!session) return;
    meant.push_back(session);
  }
  struct Listing {
    std::size_t open;
    std::string note;
  };
  auto listing = std::make_shared<Listing>(Listing{meant.size(), ""});
  for (Session* session : meant) {
    session->intercepts().list(caller, asker, [this, caller, listing](const std::string& note) {
      if (!note.empty()) listing->note += (listing->note.empty() ? "" : "; ") + note;
      if (--listing->open == 0) server_.send(caller, control::ListAnswer{listing->note});
    });
  }
}

Result<Tunnel::Profile> Service::profile_of(const control::UpRequest& request) const {
  if (request.contents) {
    const auto& contents = *request.contents;
    Tunnel::Profile profile{request.profile, contents.toml, contents.source, contents.key, std::nullopt};
    if (!contents.psk.empty()) profile.psk = contents.psk;
    return profile;
  }
  std::string name = request.profile;
  if (name.empty()) {
    auto chosen = folder_.default_name();
    if (!chosen) return tl::make_unexpected(chosen.error());
    name = std::move(*chosen);
  }
  auto toml = folder_.read(name);
  if (!toml) return tl::make_unexpected(toml.error());
  return Tunnel::Profile{name, std::move(*toml), folder_.source(name), std::nullopt, std::nullopt};
}

Result<std::string> Service::name_of_running(const Asker& asker, const std::string& asked,
                                             const std::string& verb) const {
  if (!asked.empty() || sessions_.empty()) return asked;
  if (sessions_.size() == 1) return sessions_.begin()->first;
  std::string all;
  std::vector<std::string> own;
  for (const auto& [name, session] : sessions_) {
    all += (all.empty() ? "" : ", ") + name;
    if (session->owner() == asker.user) own.push_back(name);
  }
  if (own.size() == 1) return own.front();
  return fail(ErrorCode::kInvalid, "several are up: " + all,
              "say which: `tunctl " + verb + ' ' + sessions_.begin()->first + "`");
}

Session* Service::session_for(platform::CallerId caller, const Asker& asker, const std::string& profile,
                              const std::string& verb, bool needs_link) {
  auto name = name_of_running(asker, profile, verb + " … --profile");
  if (!name) return send_error(caller, name.error()), nullptr;
  auto found = sessions_.find(*name);
  TunnelState state = found == sessions_.end() ? TunnelState::kDown : found->second->status().state;
  if (state == TunnelState::kUp || (state == TunnelState::kReconnecting && !needs_link)) return found->second.get();
  if (state == TunnelState::kReconnecting) {
    send_error(caller,
               {ErrorCode::kUnavailable, *name + " is up, but its link is down: " + found->second->status().last_error,
                "it is dialled again by itself: try again when `tunctl status` says that it is up"},
               "gateway");
  } else {
    send_error(caller,
               {ErrorCode::kUnavailable, name->empty() ? "nothing is up" : *name + " is not up",
                "`tunctl up" + (name->empty() ? "" : ' ' + *name) + "` brings it up"},
               "tunnel");
  }
  return nullptr;
}

void Service::begin(platform::CallerId caller, const Asker& asker, const Tunnel::Profile& profile) {
  if (sessions_.size() >= kMaxSessions) {
    return send_error(caller, {ErrorCode::kLimit, std::to_string(kMaxSessions) + " tunnels are up, which is the most",
                               "take one down first"});
  }
  Failure failure;
  auto tunnel = Tunnel::create(runtime_, profile, failure);
  if (!tunnel) {
    spdlog::warn("{}: not up: {}", profile.name, platform::printable(failure.message));
    return server_.send(caller, to_answer(failure));
  }
  failures_.erase(profile.name);
  auto session = std::make_unique<Session>(
      runtime_, std::move(tunnel), profile, asker.user,
      [this](platform::CallerId to, const control::Answer& answer) { server_.send(to, answer); },
      [this, name = profile.name](const std::string& last_error) { gone(name, last_error); });
  sessions_.emplace(profile.name, std::move(session)).first->second->up(caller, asker, profile.toml);
}

void Service::gone(const std::string& name_of_session, const std::string& last_error) {
  std::string name = name_of_session;  // the session's own goes with it
  sessions_.erase(name);
  if (failures_.size() < kMaxFailures && !last_error.empty()) failures_[name] = last_error;
  auto waiting = waiting_.extract(name);
  if (!waiting.empty()) {
    for (const Waiting& each : waiting.mapped()) asked(each.caller, each.asker, control::Request(each.request));
  }
  if (stopped_ && sessions_.empty()) stopped_();
}

void Service::send_status(platform::CallerId caller, const Asker& asker, const std::string& name) {
  auto found = sessions_.find(name);
  if (found != sessions_.end()) {
    control::TunnelAnswer answer = to_answer(found->second->status());
    answer.owner = found->second->owner_name();
    answer.intercepts = found->second->intercepts().lines(asker);
    control::cut(answer, control::view_of(asker, found->second->owner()));
    return server_.send(caller, answer);
  }
  control::TunnelAnswer down;
  down.profile = name;
  down.state = "down";
  auto why = failures_.find(name);
  if (why != failures_.end()) down.last_error = why->second;
  server_.send(caller, down);
}

void Service::send_error(platform::CallerId caller, const Error& error, std::string step) {
  server_.send(caller, control::error_answer(error, std::move(step)));
}

}  // namespace causeway::tund

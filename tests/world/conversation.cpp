#include "tests/world/conversation.h"

#include <algorithm>

namespace causeway::world {
namespace {

using TalkerEnd = Talker::End;

std::uint64_t of_app(const Conversation::Plan& plan) { return plan.app.echo ? plan.flow * 2 + 1 : plan.flow * 2; }
std::uint64_t of_service(const Conversation::Plan& plan) {
  return plan.service.echo ? plan.flow * 2 : plan.flow * 2 + 1;
}

bool total_is(const Script& script, const Talker& sender, std::uint64_t received) {
  return received == (script.echo ? sender.sent() : script.send);
}

}  // namespace

Conversation::Conversation(World& world, const Plan& plan)
    : world_(world),
      plan_(plan),
      app_(world.time, plan.app, of_app(plan), of_service(plan)),
      service_(world.cluster.add_tcp(plan.to)) {
  service_.script = plan.service;
  service_.sends = of_service(plan);
  service_.expects = of_app(plan);
  service_.refuses = plan.refuses;
  service_.silent = plan.silent;
  service_.answers_after = plan.answers_after;
}

void Conversation::start() {
  tcp_ = &world_.laptop.connect(plan_.to, plan_.tcp, [this](AppTcp& tcp) { changed(tcp); });
}

void Conversation::changed(AppTcp& tcp) {
  if (tcp.state() == AppTcp::State::kSynSent) return;
  if (tcp.state() == AppTcp::State::kOpen && !connected_) {
    connected_ = true;
    app_.connected(tcp);
    return;
  }
  if (tcp.state() == AppTcp::State::kOpen || tcp.end() == AppTcp::End::kClosed) return app_.pump();
  if (tcp.end() == AppTcp::End::kReset) return app_.socket_reset();
  if (tcp.end() != AppTcp::End::kOwnReset) app_.failed();
}

bool Conversation::services_ended() const {
  return std::all_of(service_.talkers.begin(), service_.talkers.end(),
                     [](const auto& talker) { return talker->end() != TalkerEnd::kNone; });
}

std::string Conversation::fault(bool disturbed) {
  std::string who = "flow " + std::to_string(plan_.flow) + " (" + plan_.to.text() + "): ";
  if (!ended())
    return who + "the app hangs, with " + std::to_string(app_.sent()) + " bytes sent and " +
           std::to_string(app_.received()) + " read";
  if (!tcp_->fault().empty()) return who + "TCP: " + tcp_->fault();
  if (!app_.fault().empty()) return who + "the app read " + app_.fault();
  // A SYN whose answer was lost with the link is held for the next one: only the last connection counts.
  if (service_.talkers.size() > 1 && !disturbed) return who + "one connect became several";
  if (!services_ended()) return who + "the service hangs";
  if (Talker* s = service(); s && !s->fault().empty()) return who + "the service read " + s->fault();
  std::string end = fault_of_end(disturbed);
  return end.empty() ? end : who + end;
}

// Both ends must have come to the same, by the one's script or the other's, or by what happened to the carrier.
std::string Conversation::fault_of_end(bool disturbed) {
  Talker* service = this->service();
  if (app_.end() == TalkerEnd::kFailed) {
    // A service that resets at once may be known to have done so before it is known to have accepted.
    bool reset_at_once = service && service->end() == TalkerEnd::kOwnReset;
    if (disturbed || plan_.refuses || plan_.silent || reset_at_once) return {};
    return "it could not connect";
  }
  if (!service) return disturbed ? "" : "it connected to nobody";

  // An orderly end is never seen before all has been.
  if (app_.saw_end() && !total_is(plan_.service, *service, app_.received())) {
    return "the app saw the end after " + std::to_string(app_.received()) + " bytes";
  }
  if (service->saw_end() && !total_is(plan_.app, app_, service->received())) {
    return "the service saw the end after " + std::to_string(service->received()) + " bytes";
  }
  if (app_.received() > service->sent() || service->received() > app_.sent()) return "more was read than was sent";
  bool both = app_.end() == TalkerEnd::kComplete && service->end() == TalkerEnd::kComplete;
  if (both || disturbed) return {};
  bool app_reset = app_.end() == TalkerEnd::kOwnReset;
  bool service_reset = service->end() == TalkerEnd::kOwnReset;
  if (!app_reset && !service_reset) return "it was reset, and nobody did it";
  if (app_reset && service->end() == TalkerEnd::kComplete && !service->saw_end())
    return "the service did not see the reset";
  return {};
}

}  // namespace causeway::world

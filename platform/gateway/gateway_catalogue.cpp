// What is told of the services: to clients that ask, and to the administrator.
#include "platform/gateway/catalogue_relay.h"
#include "platform/gateway/gateway_driver.h"

namespace causeway::platform {
namespace {

using Seconds = std::chrono::seconds;

Seconds since(Instant then, Instant now) { return std::chrono::duration_cast<Seconds>(now - then); }

const char* state_name(intercept::Intercept::State state) {
  switch (state) {
    case intercept::Intercept::State::kProving: return "proving";
    case intercept::Intercept::State::kActive: return "active";
    case intercept::Intercept::State::kSilent: return "silent";
    case intercept::Intercept::State::kAway: return "away";
  }
  return "";
}

control::CatalogueIntercept told(const intercept::Intercept& from, const std::string& asker, Instant now) {
  control::CatalogueIntercept to;
  to.owner = from.owner;
  to.own = !asker.empty() && from.owner == asker;
  for (const intercept::HeaderCondition& header : from.match.headers())
    to.headers.emplace_back(header.name, header.value);
  to.path_prefix = from.match.path_prefix();
  to.state = state_name(from.state());
  to.age = since(from.since, now);
  to.requests = from.counters.requests;
  to.failures = from.counters.failures;
  to.last_error = from.counters.last_error;
  if (from.counters.last_answer != kNever) to.last_answer = since(from.counters.last_answer, now);
  if (from.until != kNever) to.lease_left = since(now, from.until);
  return to;
}

}  // namespace

control::Catalogue GatewayDriver::catalogue(std::string_view service, const std::string& asker) const {
  control::Catalogue all;
  const Instant now = boot_now();
  const std::vector<engine::ServiceStatus> services = engine_.services();
  for (std::size_t i = 0; i < services.size(); ++i) {
    const engine::ServiceStatus& from = services[i];
    if (!service.empty() && from.config.name != service) continue;
    control::CatalogueService& to = all.services.emplace_back();
    to.name = from.config.name;
    to.http = from.config.http;
    for (const packet::Endpoint& endpoint : from.endpoints) {
      if (to.listen.size() < control::kMaxServiceEndpoints) to.listen.push_back(endpoint.text());
    }
    const flow::Destination& original = from.config.original;
    to.original =
        original.name.empty() ? original.endpoint.text() : original.name + ":" + std::to_string(original.endpoint.port);
    to.refuse_when_local_down = !from.config.original_when_down;
    to.connections = from.connections;
    for (const intercept::Intercept& each : from.intercepts) to.intercepts.push_back(told(each, asker, now));
    if (!service.empty()) to.environment = settings_.services[i].environment;
  }
  return all;
}

void GatewayDriver::answer_catalogue(const engine::GatewayEvent& event) {
  if (relays_.size() >= settings_.max_relays) return dial_failed(event.relay, link::Reason::kLimit);
  std::string document = control::encode(catalogue(event.destination.name, event.client));
  start_relay(event.relay, std::make_unique<CatalogueRelay>(relay_host(), event.relay, std::move(document)));
}

}  // namespace causeway::platform

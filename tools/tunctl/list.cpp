// `tunctl list [--json]`: what can be intercepted, and who does.
#include <fmt/format.h>

#include "core/intercept/match.h"
#include "tools/tunctl/call.h"
#include "tools/tunctl/verbs.h"
#include "tools/tunctl/words.h"

namespace causeway::tunctl {
namespace {

std::string counted(std::uint64_t number, const char* one) {
  return fmt::format("{} {}{}", number, one, number == 1 ? "" : "s");
}

std::string what_of(const control::InterceptedAnswer& intercept) {
  std::vector<intercept::HeaderCondition> conditions;
  for (const auto& [name, value] : intercept.headers) conditions.push_back({name, value});
  auto match = intercept::Match::create(std::move(conditions), intercept.path_prefix);
  return match ? match->text() : "conditions that are not understood";
}

void print(const control::ServiceAnswer& service) {
  fmt::print("{}: {}, {} at {}; its original is {}\n", service.profile, service.name, service.protocol,
             fmt::join(service.listen, ", "), service.original);
}

void print_error(const std::string& error) {
  if (!error.empty()) fmt::print("    last error: {}\n", error);
}

// Ours: with what this end knows of it too.
void print_own(const control::InterceptedAnswer& intercept) {
  const auto& here = *intercept.here;
  // Where it goes is shown to its owner.
  std::string to = here.local.empty() ? ", by " + here.owner : " > " + here.local;
  std::string line = fmt::format("  {}{}: {}", what_of(intercept), to, here.state);
  if (intercept.at_gateway) {
    line += ", " + counted(intercept.at_gateway->requests, "request") + ", " +
            counted(intercept.at_gateway->failures, "failure");
    line += ", for " + span_text(intercept.at_gateway->age);
  }
  if (here.round_trip) line += ", " + time_text(*here.round_trip) + " there and back";
  line += here.last_answer ? ", the process last answered " + span_text(*here.last_answer) + " ago"
                           : ", the process has not answered yet";
  fmt::print("{}{}\n", line, here.tied ? ", as long as its command runs" : "");
  print_error(!here.last_error.empty() || !intercept.at_gateway ? here.last_error : intercept.at_gateway->last_error);
}

void print_others(const control::InterceptedAnswer& intercept) {
  const auto& there = *intercept.at_gateway;
  std::string line = fmt::format("  {}, by {}{}: {}", what_of(intercept), there.owner,
                                 there.own ? " (your key, from elsewhere)" : "", there.state);
  line += ", " + counted(there.requests, "request") + ", " + counted(there.failures, "failure") + ", for " +
          span_text(there.age);
  if (there.lease_left) line += ", kept for " + span_text(*there.lease_left) + " more";
  fmt::print("{}\n", line);
  print_error(there.last_error);
}

void print(const control::InterceptedAnswer& intercept) {
  if (intercept.here) return print_own(intercept);
  if (intercept.at_gateway) print_others(intercept);
}

bool of(const control::ServiceAnswer& service, const control::InterceptedAnswer& intercept) {
  return service.profile == intercept.profile && service.name == intercept.service;
}

void print(const std::vector<control::ServiceAnswer>& services,
           const std::vector<control::InterceptedAnswer>& intercepts) {
  for (const auto& service : services) {
    print(service);
    for (const auto& intercept : intercepts) {
      if (of(service, intercept)) print(intercept);
    }
    if (service.more_intercepts) fmt::print("  and {} more\n", service.more_intercepts);
  }
  for (const auto& intercept : intercepts) {
    bool listed =
        std::any_of(services.begin(), services.end(), [&](const auto& service) { return of(service, intercept); });
    if (listed) continue;
    fmt::print("{}: {}\n", intercept.profile, intercept.service);
    print(intercept);
  }
}

}  // namespace

ExitCode list(const std::string& socket, const std::string& profile, bool json) {
  std::vector<control::ServiceAnswer> services;
  std::vector<control::InterceptedAnswer> intercepts;
  return call(socket, control::ListRequest{profile}, std::chrono::seconds(15), [&](const control::Answer& answer) {
    if (const auto* service = std::get_if<control::ServiceAnswer>(&answer)) services.push_back(*service);
    if (const auto* intercept = std::get_if<control::InterceptedAnswer>(&answer)) intercepts.push_back(*intercept);
    const auto* done = std::get_if<control::ListAnswer>(&answer);
    if (!done) return ExitCode::kDone;
    if (json) {
      fmt::print("{}\n", control::list_json(services, intercepts));
    } else if (services.empty() && intercepts.empty() && done->note.empty()) {
      fmt::print("the gateway has no services that can be intercepted\n");
    } else {
      print(services, intercepts);
    }
    if (!done->note.empty()) fmt::print(stderr, "note: {}\n", done->note);
    return ExitCode::kDone;
  });
}

}  // namespace causeway::tunctl

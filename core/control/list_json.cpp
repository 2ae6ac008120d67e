// `tunctl list --json`: the fields of `service` and `intercepted` answers, each intercept with its service.
#include <algorithm>

#include "core/control/intercept_json.h"

namespace causeway::control {
namespace {

using json::Ordered;

template <class Time>
Ordered number_or_null(const std::optional<Time>& time) {
  return time ? Ordered(time->count()) : Ordered(nullptr);
}

Ordered to_ordered(const InterceptedAnswer::Here& here) {
  return {{"id", here.id},
          {"owner", here.owner},
          {"local", here.local},
          {"state", here.state},
          {"tied", here.tied},
          {"round_trip_us", number_or_null(here.round_trip)},
          {"connections", here.connections},
          {"failures", here.failures},
          {"last_error", here.last_error},
          {"last_answer_s", number_or_null(here.last_answer)}};
}

Ordered to_ordered(const InterceptedAnswer::AtGateway& there) {
  return {{"owner", there.owner},
          {"own", there.own},
          {"state", there.state},
          {"age_s", there.age.count()},
          {"requests", there.requests},
          {"failures", there.failures},
          {"last_error", there.last_error},
          {"last_answer_s", number_or_null(there.last_answer)},
          {"lease_left_s", number_or_null(there.lease_left)}};
}

Ordered to_ordered(const InterceptedAnswer& intercept) {
  Ordered headers = Ordered::array();
  for (const auto& [name, value] : intercept.headers) headers.push_back(Ordered::array({name, value}));
  return {{"headers", std::move(headers)},
          {"path_prefix", intercept.path_prefix},
          {"here", intercept.here ? to_ordered(*intercept.here) : Ordered(nullptr)},
          {"at_gateway", intercept.at_gateway ? to_ordered(*intercept.at_gateway) : Ordered(nullptr)}};
}

}  // namespace

std::string list_json(const std::vector<ServiceAnswer>& services, const std::vector<InterceptedAnswer>& intercepts) {
  Ordered list = Ordered::array();
  for (const ServiceAnswer& service : services) {
    list.push_back({{"profile", service.profile},
                    {"name", service.name},
                    {"protocol", service.protocol},
                    {"listen", service.listen},
                    {"original", service.original},
                    {"local_down", service.local_down},
                    {"connections", service.connections},
                    {"intercepts", Ordered::array()},
                    {"more_intercepts", service.more_intercepts}});
  }
  for (const InterceptedAnswer& intercept : intercepts) {
    auto its = [&](const Ordered& each) {
      return each["profile"] == intercept.profile && each["name"] == intercept.service;
    };
    auto found = std::find_if(list.begin(), list.end(), its);
    if (found == list.end()) {
      // The gateway could not be asked.
      list.push_back({{"profile", intercept.profile}, {"name", intercept.service}, {"intercepts", Ordered::array()}});
      found = std::prev(list.end());
    }
    (*found)["intercepts"].push_back(to_ordered(intercept));
  }
  return json::indented(Ordered{{"services", std::move(list)}});
}

}  // namespace causeway::control

// The messages of intercept_message.h as JSON. Inside core/control only.
#pragma once

#include <optional>
#include <string>

#include "core/control/json.h"

namespace causeway::control {

Json to_json(const InterceptRequest& request);
Json to_json(const LeaveRequest& request);
Json to_json(const ListRequest& request);
Json to_json(const EnvironmentRequest& request);
// Nothing where `kind` is none of them.
std::optional<Request> read_intercept_request(const std::string& kind, Reader& reader);

Json to_json(const ServiceAnswer& service);
Json to_json(const InterceptedAnswer& intercept);
Json to_json(const VariableAnswer& variable);
Json to_json(const InterceptAnswer& answer);
Json to_json(const LeaveAnswer& answer);
Json to_json(const ListAnswer& answer);
Json to_json(const EnvironmentAnswer& answer);
std::optional<Answer> read_intercept_answer(const std::string& kind, Reader& reader);

}  // namespace causeway::control

// Lines on the control socket: any user of the machine can write one.
#include "core/control/message.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace control;

// What any answer of ours must be: one line that the other side reads, whatever words of a caller are in it.
void check(const Answer& answer) {
  std::string line = encode(answer);
  CAUSEWAY_ASSERT(line.size() <= kMaxLine && line.find('\n') == line.size() - 1);
  Result<Answer> again = parse_answer(line);
  CAUSEWAY_ASSERT(again && again->index() == answer.index());
  CAUSEWAY_ASSERT(encode(*again) == line);
}

bool run(Bytes input) {
  std::string_view line = as_text(input);
  Result<Request> request = parse_request(line);
  if (request) {
    std::string again = encode(*request);
    Result<Request> second = parse_request(again);
    CAUSEWAY_ASSERT(second && encode(*second) == again);
  } else {
    CAUSEWAY_ASSERT(request.error().message.find('\n') == std::string::npos);
    check(error_answer(request.error(), "step"));
  }
  Result<Answer> answer = parse_answer(line);
  if (answer) {
    check(*answer);
    if (const auto* tunnel = std::get_if<TunnelAnswer>(&*answer)) status_json({*tunnel});
    if (const auto* service = std::get_if<ServiceAnswer>(&*answer)) list_json({*service}, {});
    if (const auto* intercept = std::get_if<InterceptedAnswer>(&*answer)) list_json({}, {*intercept});
  }
  return request || answer;
}

std::vector<Seed> seeds() {
  UpRequest up;
  up.profile = "demo";
  up.contents = ProfileContents{"routes = []\n", "/home/me/demo.toml", "key", "psk"};
  TunnelAnswer tunnel;
  tunnel.profile = "demo";
  tunnel.state = "up";
  tunnel.device = "cw-demo";
  tunnel.round_trip = std::chrono::microseconds(1234);
  tunnel.routes = {"10.96.0.0/12"};
  tunnel.counters = {{"packets_in", 7}};
  tunnel.intercepts = {"orders > 127.0.0.1:8080, ready"};
  Headers headers{{"x-user", "anna"}};
  InterceptedAnswer intercepted{"demo", "orders", headers, "/api", {}, {}};
  intercepted.here =
      InterceptedAnswer::Here{7, "127.0.0.1:80", "ready", true, 1, 2, "x", std::chrono::microseconds(5), {}};
  intercepted.at_gateway = InterceptedAnswer::AtGateway{
      "anna", true, "away", {}, 1, 2, "x", std::chrono::seconds(1), std::chrono::seconds(2)};
  std::vector<Seed> out;
  for (const Request& request :
       {Request(VersionRequest{}), Request(up), Request(DownRequest{"demo"}), Request(StatusRequest{}),
        Request(InterceptRequest{"demo", "orders", headers, "/api", "::1", 8080, true}),
        Request(LeaveRequest{"demo", "orders", headers, "/api", 7}), Request(ListRequest{"demo"}),
        Request(EnvironmentRequest{"demo", "orders"})}) {
    out.push_back({blob(encode(request))});
  }
  for (const Answer& answer :
       {Answer(StepAnswer{"dial", std::chrono::microseconds(5), "x"}), Answer(tunnel), Answer(VersionAnswer{"1"}),
        Answer(UpAnswer{"demo", UpOutcome::kJoined, {}, "note"}), Answer(DownAnswer{"demo", true, {"line"}}),
        Answer(StatusAnswer{}), Answer(ErrorAnswer{ErrorCode::kRefused, "dial", "no", "do"}),
        Answer(ServiceAnswer{"demo", "orders", "http", {"10.96.0.10:80"}, "x:1", "original", 3, 1}),
        Answer(intercepted), Answer(VariableAnswer{"A", "x\n", true}),
        Answer(InterceptAnswer{"demo", "orders", 7, "ready", {}}), Answer(LeaveAnswer{"demo", "orders", 1}),
        Answer(ListAnswer{"note"}), Answer(EnvironmentAnswer{"demo", "orders"})}) {
    out.push_back({blob(encode(answer))});
  }
  out.push_back({blob("{\"version\":1,\"request\":\"no\\u0000such\\n\"}"), false});
  out.push_back({blob("[[[[[[[[[[[[[[[["), false});
  out.push_back({blob("{\"version\":1e999}"), false});
  return out;
}

const Registration kRegistration({"control", run, seeds});

}  // namespace
}  // namespace causeway::fuzz

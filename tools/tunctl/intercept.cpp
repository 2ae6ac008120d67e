// `tunctl intercept NAME`: a process of this machine answers for a service of the cluster, until `leave` or `down`.
#include <fmt/format.h>

#include "tools/tunctl/call.h"
#include "tools/tunctl/intercepted_command.h"
#include "tools/tunctl/local_process.h"
#include "tools/tunctl/service_environment.h"
#include "tools/tunctl/verbs.h"

namespace causeway::tunctl {
namespace {

using namespace std::chrono_literals;

// What a caller sees while the process is not there.
std::string until_then(const control::ServiceAnswer& service) {
  return service.local_down == "refuse" ? "until something does, requests are refused"
                                        : "until something does, " + service.original + " answers";
}

ExitCode intercept_until_left(const std::string& socket, const InterceptOptions& options) {
  std::FILE* out = options.env_file == "-" ? stderr : stdout;  // the environment is alone on standard output
  control::InterceptRequest request = request_of(options, usual_place(options, options.port));
  // Where the port is the service's own, tund knows it first.
  if (auto place = options.port ? listening_place(options, options.port) : std::nullopt)
    request.address = place->address.text();
  control::ServiceAnswer service;
  std::string local;
  ExitCode code = call(socket, request, 60s, [&](const control::Answer& answer) {
    if (const auto* told = std::get_if<control::ServiceAnswer>(&answer)) service = *told;
    if (const auto* step = std::get_if<control::StepAnswer>(&answer)) print(out, *step);
    if (const auto* intercepted = std::get_if<control::InterceptedAnswer>(&answer)) {
      local = intercepted->here ? intercepted->here->local : "";
      fmt::print(out, "{}\n", ready_text(options, service, *intercepted));
    }
    const auto* done = std::get_if<control::InterceptAnswer>(&answer);
    if (done && done->outcome == "left") return complain_that_it_was_left(options);
    if (done && done->outcome == "already") fmt::print(out, "it was already\n");
    return ExitCode::kDone;
  });
  auto place = packet::Endpoint::parse(local);
  if (code == ExitCode::kDone && place && !listening_place(options, place->port)) {
    fmt::print(out, "note: nothing listens on {} yet; {}\n", local, until_then(service));
  }
  return code;
}

}  // namespace

int intercept(const std::string& socket, const InterceptWords& words) {
  auto options = read_options(words);
  if (!options) return int(complain(options.error(), ExitCode::kUsage));
  if (!options->command.empty()) return run_intercepted(socket, *options);
  if (!options->env_file.empty()) {
    ServiceEnvironment environment;
    if (ExitCode code = ask_environment(socket, *options, environment); code != ExitCode::kDone) return int(code);
    auto written = write_environment(environment.variables, *options);
    if (!written) return int(complain(written.error(), ExitCode::kOther));
  }
  return int(intercept_until_left(socket, *options));
}

control::InterceptRequest request_of(const InterceptOptions& options, const packet::Endpoint& local) {
  control::InterceptRequest request;
  request.profile = options.profile;
  request.service = options.service;
  request.headers = options.headers;
  request.path_prefix = options.path_prefix;
  request.address = local.address.text();
  request.port = local.port;
  return request;
}

ExitCode complain_that_it_was_left(const InterceptOptions& options) {
  complain(options.service + " was left before it was proven",
           "somebody else typed `tunctl leave " + options.service + "`");
  return ExitCode::kOther;
}

std::string ready_text(const InterceptOptions& options, const control::ServiceAnswer& service,
                       const control::InterceptedAnswer& intercepted) {
  const auto here = intercepted.here.value_or(control::InterceptedAnswer::Here{});
  std::string what = !options.what.empty()        ? "requests with " + options.what + " go"
                     : service.protocol == "http" ? "all requests go"
                                                  : "all connections go";
  std::string proven = here.round_trip ? ", " + time_text(*here.round_trip) + " there and back" : "";
  return fmt::format("{} is intercepted: {} to {} (proven{})", intercepted.service, what, here.local, proven);
}

}  // namespace causeway::tunctl

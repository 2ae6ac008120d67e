#include "tools/tunctl/intercepted_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "platform/loop/clock.h"
#include "platform/process/foreground_child.h"
#include "tools/tunctl/call.h"
#include "tools/tunctl/local_process.h"
#include "tools/tunctl/service_environment.h"

namespace causeway::tunctl {
namespace {

using namespace std::chrono_literals;
using platform::boot_now;
using platform::ControlClient;
using platform::ForegroundChild;

// Whether it listens is looked at again after a tenth of the time that it has taken so far, within these.
constexpr Duration kLookAgain = 20ms, kLookAgainAtMost = 200ms;
constexpr Duration kSayThatWeWait = 3s;
constexpr Duration kProof = 60s;  // for tund's answer; it gives up before
constexpr Duration kSigtermPatience = 5s;

enum : int { kCannotBeRun = 126, kNoSuchProgram = 127 };

// What the command is run for: its own words are on standard output, ours on standard error.
class Run {
 public:
  Run(const std::string& socket, const InterceptOptions& options, const control::ServiceAnswer& service,
      ForegroundChild child)
      : socket_(socket), options_(options), service_(service), child_(std::move(child)) {}

  int run(std::uint16_t port) {
    auto place = wait_until_it_listens(port);
    if (!place) return platform::end_like(*child_.end());
    if (auto refused = begin(*place)) return give_up(*refused);
    while (child_.wait(client_ ? client_->descriptor() : -1, kNever) == ForegroundChild::Woken::kReadable) hear();
    leave();
    return platform::end_like(*child_.end());
  }

 private:
  // None: it ended before.
  std::optional<packet::Endpoint> wait_until_it_listens(std::uint16_t port) {
    Instant began = boot_now(), say_at = began + kSayThatWeWait;
    for (;;) {
      if (auto place = listening_place(options_, port)) return place;
      if (boot_now() >= say_at) {
        fmt::print(stderr, "tunctl: waiting until {} listens on {}\n", options_.command[0],
                   usual_place(options_, port).text());
        say_at = kNever;
      }
      Duration pause = std::clamp<Duration>((boot_now() - began) / 10, kLookAgain, kLookAgainAtMost);
      if (child_.wait(-1, boot_now() + pause) == ForegroundChild::Woken::kEnded) {
        complain(options_.command[0] + " ended before it listened on " + usual_place(options_, port).text());
        return std::nullopt;
      }
    }
  }

  // The exit code where it is not intercepted; also nothing where the command ended meanwhile.
  std::optional<ExitCode> begin(const packet::Endpoint& place) {
    auto client = ControlClient::connect(socket_);
    if (!client) return complain_of_call(client.error());
    client_ = std::move(*client);
    control::InterceptRequest request = request_of(options_, place);
    request.tied = true;
    if (auto sent = client_->send(request); !sent) return complain_of_call(sent.error());
    Instant until = boot_now() + kProof;
    for (;;) {
      auto answer = client_->take();
      if (!answer) return complain_of_call(answer.error());
      if (*answer) {
        if (const auto* error = std::get_if<control::ErrorAnswer>(&**answer)) return complain(*error);
        if (const auto* step = std::get_if<control::StepAnswer>(&**answer)) print(stderr, *step);
        if (const auto* intercepted = std::get_if<control::InterceptedAnswer>(&**answer)) {
          id_ = intercepted->here ? intercepted->here->id : 0;
          fmt::print(stderr, "{}\n", ready_text(options_, service_, *intercepted));
          return std::nullopt;
        }
        if (std::holds_alternative<control::InterceptAnswer>(**answer)) return complain_that_it_was_left(options_);
        continue;
      }
      switch (child_.wait(client_->descriptor(), until)) {
        case ForegroundChild::Woken::kReadable: break;
        case ForegroundChild::Woken::kEnded: return std::nullopt;
        case ForegroundChild::Woken::kTimedOut:
          return complain_of_call({ErrorCode::kTimedOut, "tund does not answer", "see its log: `journalctl -u tund`"});
      }
    }
  }

  // What becomes of the intercept while the command runs.
  void hear() {
    for (;;) {
      auto answer = client_->take();
      if (!answer) return over(answer.error().message);
      if (!*answer) return;
      if (const auto* error = std::get_if<control::ErrorAnswer>(&**answer)) return over(error->message);
      if (std::holds_alternative<control::InterceptAnswer>(**answer)) return over("it was left");
      const auto* intercepted = std::get_if<control::InterceptedAnswer>(&**answer);
      if (!intercepted || !intercepted->here) continue;
      if (intercepted->here->state == "ready") {
        fmt::print(stderr, "tunctl: {} is intercepted again\n", options_.service);
      } else {
        fmt::print(stderr, "tunctl: {} is not intercepted for now: {}\n", options_.service,
                   intercepted->here->last_error);
      }
    }
  }

  void over(const std::string& why) {
    client_.reset();
    complain(options_.service + " is not intercepted any more: " + why,
             options_.command[0] + " goes on; end it when you like");
  }

  int give_up(ExitCode code) {
    client_.reset();
    child_.terminate(kSigtermPatience);
    child_.wait(-1, kNever);
    return int(code);
  }

  // Its end would do; but so it is over before this process is.
  void leave() {
    if (!client_ || id_ == 0) return;
    auto client = ControlClient::connect(socket_);
    control::LeaveRequest request{service_.profile, options_.service, {}, "", id_};
    if (client && client->send(request)) client->receive(2s);
  }

  const std::string& socket_;
  const InterceptOptions& options_;
  const control::ServiceAnswer& service_;
  ForegroundChild child_;
  std::optional<ControlClient> client_;  // to which the intercept is tied; none once that is over
  std::uint64_t id_ = 0;
};

}  // namespace

int run_intercepted(const std::string& socket, const InterceptOptions& options) {
  ServiceEnvironment environment;
  if (ExitCode code = ask_environment(socket, options, environment); code != ExitCode::kDone) return int(code);
  std::uint16_t port = options.port ? options.port : port_of(environment.service);
  if (port == 0) {
    complain("it is not known on which port " + options.command[0] + " will listen", "--port says it");
    return int(ExitCode::kUsage);
  }
  if (auto taken = listening_place(options, port)) {
    complain("something listens on " + taken->text() + " already",
             "end it, or choose another --port; to have just that answer, leave the command out");
    return int(ExitCode::kMachine);
  }
  if (!options.env_file.empty()) {
    auto written = write_environment(environment.variables, options);
    if (!written) return int(complain(written.error(), ExitCode::kOther));
  }
  std::vector<std::string> left_out;
  environment::Variables variables = for_program(environment.variables, left_out);
  if (!left_out.empty()) {
    fmt::print(stderr, "tunctl: left out of the environment, as they are this machine's own: {}\n",
               fmt::join(left_out, ", "));
  }
  auto child = ForegroundChild::start(options.command, variables);
  if (!child) {
    complain(child.error().message, child.error().advice);
    return child.error().code == ErrorCode::kNotFound ? kNoSuchProgram : kCannotBeRun;
  }
  return Run(socket, options, environment.service, std::move(*child)).run(port);
}

}  // namespace causeway::tunctl

#include "tools/gateway/administrator.h"

#include <fmt/format.h>

#include "core/control/administration.h"
#include "core/intercept/match.h"
#include "platform/control/listen.h"
#include "platform/control/question.h"
#include "platform/log.h"

namespace causeway::gateway {
namespace {

using namespace std::chrono_literals;
using platform::printable;

enum Exit : int { kDone = 0, kFailed = 1, kNone = 3 };

int complain(const Error& error) {
  fmt::print(stderr, "tun-gateway: {}\n", printable(error.message));
  if (!error.advice.empty()) fmt::print(stderr, "  to do: {}\n", error.advice);
  return kFailed;
}

Result<control::AdministratorAnswer> ask(const std::string& socket, const control::AdministratorQuestion& question) {
  auto line = platform::ask_question(socket, control::encode(question), control::kMaxCatalogue, 10s);
  if (line) return control::parse_administrator_answer(*line);
  Error error = line.error();
  if (error.code == ErrorCode::kUnavailable) {
    error.advice =
        "a gateway with a [[service]] listens there; --control-socket, or control_socket in its configuration, is "
        "another place";
  }
  if (error.code == ErrorCode::kPermission) error.advice = "be root, or the user whom the gateway runs as";
  return tl::make_unexpected(std::move(error));
}

std::string counted(std::uint64_t number, const char* one) {
  return fmt::format("{} {}{}", number, one, number == 1 ? "" : "s");
}

std::string what_of(const control::CatalogueIntercept& intercept) {
  std::vector<intercept::HeaderCondition> conditions;
  for (const auto& [name, value] : intercept.headers) conditions.push_back({name, value});
  auto match = intercept::Match::create(std::move(conditions), intercept.path_prefix);
  return match ? printable(match->text()) : "conditions that are not understood";
}

void print(const control::CatalogueService& service) {
  fmt::print("{}, {} at {}; its original is {}; {}\n", service.name, service.http ? "http" : "tcp",
             fmt::join(service.listen, ", "), service.original, counted(service.connections, "connection"));
  for (const control::CatalogueIntercept& each : service.intercepts) {
    fmt::print("  {}, by {}: {}, {}, {}, for {} s{}\n", what_of(each), printable(each.owner), each.state,
               counted(each.requests, "request"), counted(each.failures, "failure"), each.age.count(),
               each.lease_left ? fmt::format(", kept for {} s more", each.lease_left->count()) : "");
    if (!each.last_error.empty()) fmt::print("    last error: {}\n", printable(each.last_error));
  }
  if (service.more_intercepts) fmt::print("  and {} more\n", service.more_intercepts);
}

std::string answer(platform::GatewayDriver& driver, std::string_view line) {
  auto question = control::parse_question(line);
  if (!question) return control::encode(control::AdministratorAnswer(question.error()));
  const auto* free = std::get_if<control::FreeQuestion>(&*question);
  if (!free) return control::encode(driver.catalogue("", ""));
  if (driver.catalogue(free->service, "").services.empty()) {
    return control::encode(control::AdministratorAnswer(
        Error{ErrorCode::kNotFound, "there is no service '" + free->service + "'", ""}));
  }
  std::size_t count = driver.free_intercepts(free->service, free->owner);
  spdlog::info("the administrator freed {} of service {}{}{}", counted(count, "intercept"), free->service,
               free->owner.empty() ? "" : ", owned by ", printable(free->owner));
  return control::encode(control::AdministratorAnswer(control::FreeAnswer{count}));
}

}  // namespace

int show_intercepts(const std::string& socket, bool json) {
  auto answer = ask(socket, control::InterceptsQuestion{});
  if (!answer) return complain(answer.error());
  if (const auto* error = std::get_if<Error>(&*answer)) return complain(*error);
  const auto* catalogue = std::get_if<control::Catalogue>(&*answer);
  if (!catalogue) return complain({ErrorCode::kProtocol, "the gateway's answer is not understood", ""});
  if (json) {
    fmt::print("{}\n", control::catalogue_json(*catalogue));
  } else {
    for (const control::CatalogueService& service : catalogue->services) print(service);
  }
  return kDone;
}

int free_service(const std::string& socket, const std::string& service, const std::string& owner) {
  auto answer = ask(socket, control::FreeQuestion{service, owner});
  if (!answer) return complain(answer.error());
  if (const auto* error = std::get_if<Error>(&*answer)) return complain(*error);
  const auto* free = std::get_if<control::FreeAnswer>(&*answer);
  if (!free) return complain({ErrorCode::kProtocol, "the gateway's answer is not understood", ""});
  std::string whose = owner.empty() ? "" : " by " + owner;
  if (free->count == 0) {
    fmt::print("{} is not intercepted{}\n", service, whose);
    return kNone;
  }
  fmt::print("{} is free: {}{} ended\n", service, counted(free->count, "intercept"), whose);
  return kDone;
}

std::string control_socket_of(const config::GatewayConfig& config) {
  return config.control_socket.empty() ? config::kGatewayControl : config.control_socket;
}

Result<std::unique_ptr<platform::QuestionServer>> serve_administrator(platform::Loop& loop,
                                                                      platform::GatewayDriver& driver,
                                                                      const config::GatewayConfig& config) {
  bool asked_for = !config.control_socket.empty();
  if (!asked_for && config.services.empty()) return nullptr;
  std::string path = control_socket_of(config);
  auto listening = platform::listen_on(path);
  if (!listening && asked_for) return tl::make_unexpected(listening.error());
  if (!listening) {
    spdlog::warn("`tun-gateway intercepts` and `free` are not answered: {}; control_socket names another place",
                 printable(listening.error().message));
    return nullptr;
  }
  platform::QuestionServer::Options options;
  options.max_question = control::kMaxQuestion;
  options.forbidden = control::encode(control::AdministratorAnswer(
      Error{ErrorCode::kPermission, "only root and the user whom the gateway runs as may ask that", ""}));
  return std::make_unique<platform::QuestionServer>(loop, std::move(*listening), std::move(options),
                                                    [&driver](std::string_view line) { return answer(driver, line); });
}

}  // namespace causeway::gateway

// tun-gateway: reads what it is told, then runs the gateway's driver until a signal ends it.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/noise/aead_choice.h"
#include "core/noise/keys.h"
#include "platform/gateway/clients_file.h"
#include "platform/gateway/gateway_driver.h"
#include "platform/log.h"
#include "platform/loop/file_watch.h"
#include "platform/net/secret_file.h"
#include "tools/gateway/administrator.h"
#include "tools/gateway/options.h"
#include "tools/gateway/services.h"

namespace causeway::gateway {
namespace {

enum Exit : int { kDone = 0, kFailed = 1, kMisused = 2 };

// Descriptors kept for listeners, clients' files, DNS and what libraries open.
constexpr std::size_t kOwnDescriptors = 64;

void say(const Error& error) {
  spdlog::error("{}", error.message);
  if (!error.advice.empty()) spdlog::error("  {}", error.advice);
}

// As many descriptors as this process may have at all; how many those are.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return std::size_t(limit.rlim_cur);
}

Duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

platform::GatewaySettings settings_of(const config::GatewayConfig& config, const link::StreamCarrier::Keys& keys) {
  platform::GatewaySettings settings;
  std::size_t descriptors = raise_descriptor_limit();
  engine::GatewayConfig& engine = settings.engine;
  engine.keys = keys;
  // A quarter of the descriptors at most for clients, the rest for what they dial.
  engine.max_carriers = std::min<std::size_t>(config.limits.max_carriers, std::max<std::size_t>(descriptors / 4, 1));
  engine.max_handshakes = std::min<std::size_t>(config.limits.max_handshakes, engine.max_carriers);
  engine.sessions_per_client = config.limits.sessions_per_client;
  engine.streams_per_client = config.limits.streams_per_client;
  engine.dials_per_client = config.limits.dials_per_client;
  engine.refusals_per_second = config.limits.refusals_per_second;
  engine.udp_idle = std::chrono::seconds(config.limits.udp_idle);
  engine.intercept_grace = from_seconds(config.intercept_grace);
  engine.intercept_lease = from_seconds(config.intercept_lease);
  std::size_t taken = engine.max_carriers + kOwnDescriptors;
  settings.max_relays = descriptors > taken ? descriptors - taken : 1;
  settings.listen = config.listen;
  settings.policy = flow::Policy(config.allow, config.deny);
  settings.dns = config.dns;
  return settings;
}

Result<link::StreamCarrier::Keys> read_keys(const std::string& path) {
  auto secret = platform::read_key_file(path);
  if (!secret) return tl::make_unexpected(secret.error());
  noise::KeyPair pair = noise::from_private(*secret);
  return link::StreamCarrier::Keys{pair.private_key, pair.public_key};
}

std::string clients_may_enter(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " client may enter" : " clients may enter");
}

// Takes the list over into the driver, or says why it stays as it was.
bool load_clients(const std::string& path, platform::GatewayDriver& driver) {
  auto list = platform::read_clients_file(path);
  if (!list) {
    spdlog::error("{}; whoever was authorised before still is", list.error().message);
    return false;
  }
  for (const std::string& mistake : list->mistakes) spdlog::error("{}", platform::printable(mistake));
  std::size_t count = list->clients.size();
  driver.set_clients(std::move(list->clients));
  spdlog::info("{}: {}", path, clients_may_enter(count));
  return true;
}

int check(const config::GatewayConfig& config) {
  auto list = platform::read_clients_file(config.clients_file);
  if (!list) {
    say(list.error());
    return kFailed;
  }
  for (const std::string& mistake : list->mistakes) spdlog::error("{}", platform::printable(mistake));
  if (!list->mistakes.empty()) return kFailed;
  if (auto services = read_services(config); !services) {
    say(services.error());
    return kFailed;
  }
  std::printf("the configuration is good; %s\n", clients_may_enter(list->clients.size()).c_str());
  return kDone;
}

int serve(const config::GatewayConfig& config, const link::StreamCarrier::Keys& keys) {
  platform::GatewaySettings settings = settings_of(config, keys);
  auto services = read_services(config);
  if (!services) {
    say(services.error());
    return kFailed;
  }
  settings.services = std::move(*services);
  platform::Loop loop;
  auto started = platform::GatewayDriver::start(loop, std::move(settings));
  if (!started) {
    say(started.error());
    return kFailed;
  }
  platform::GatewayDriver& driver = **started;
  std::string listening;
  for (const packet::Endpoint& at : driver.listening()) listening += (listening.empty() ? "" : ", ") + at.text();
  spdlog::info(
      "tun-gateway {} listens on {}; its public key is {}; it seals with {}; {}", CAUSEWAY_VERSION, listening,
      noise::encode_key(keys.public_key), noise::cipher_name(),
      driver.can_ping() ? "it can ping" : "it cannot ping (net.ipv4.ping_group_range does not have its group)");
  if (!load_clients(config.clients_file, driver)) return kFailed;
  auto administrator = serve_administrator(loop, driver, config);
  if (!administrator) {
    say(administrator.error());
    return kFailed;
  }

  auto reload = [&] { load_clients(config.clients_file, driver); };
  platform::FileWatch watch(loop, config.clients_file, reload);
  platform::SignalWatch hangup(loop, SIGHUP, reload);
  auto stop = [&] {
    spdlog::info("stopping");
    driver.stop([&] { loop.stop(); });
  };
  platform::SignalWatch terminate(loop, SIGTERM, stop), interrupt(loop, SIGINT, stop);
  loop.run();
  if (*administrator) unlink(control_socket_of(config).c_str());
  spdlog::info("stopped");
  return kDone;
}

int run(int argc, char** argv) {
  platform::start_log("tun-gateway", "info");
  signal(SIGPIPE, SIG_IGN);
  auto options = read_options(argc, argv);
  if (!options) {
    say(options.error());
    return kMisused;
  }
  std::string socket = control_socket_of(options->config);
  if (options->verb == Options::Verb::kIntercepts) return show_intercepts(socket, options->json);
  if (options->verb == Options::Verb::kFree) return free_service(socket, options->service, options->owner);
  spdlog::set_level(spdlog::level::from_str(options->config.log_level));
  noise::SodiumRandom initialises_libsodium;
  auto keys = read_keys(options->config.key_file);
  if (!keys) {
    say(keys.error());
    return kFailed;
  }
  return options->check ? check(options->config) : serve(options->config, *keys);
}

}  // namespace
}  // namespace causeway::gateway

int main(int argc, char** argv) { return causeway::gateway::run(argc, argv); }

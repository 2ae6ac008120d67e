#include "tools/gateway/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "platform/net/secret_file.h"

namespace causeway::gateway {
namespace {

using config::GatewayConfig;
using config::GatewayLimits;
using Override = std::function<Result<void>(GatewayConfig&)>;

constexpr const char* kDefaultConfig = "/etc/causeway/gateway.toml";
constexpr std::size_t kMaxConfig = 1024 * 1024;

struct Limit {
  const char* flag;
  std::uint64_t GatewayLimits::*value;
  std::uint64_t most;
  const char* help;
};
constexpr Limit kLimits[] = {
    {"--max-carriers", &GatewayLimits::max_carriers, 65536, "connections of clients in all"},
    {"--max-handshakes", &GatewayLimits::max_handshakes, 65536, "of those, how many have not shown who they are"},
    {"--sessions-per-client", &GatewayLimits::sessions_per_client, 65536, "sessions of one key at once"},
    {"--streams-per-client", &GatewayLimits::streams_per_client, 1000000, "flows of one session at once"},
    {"--dials-per-client", &GatewayLimits::dials_per_client, 1000000,
     "flows of one session that are being opened at once"},
    {"--udp-idle", &GatewayLimits::udp_idle, 86400, "seconds after which a silent UDP flow is closed"},
};

// The flags as they will be applied to what the file says.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  template <class T, class Convert>
  void list(const char* flag, std::vector<T> GatewayConfig::*to, Convert convert, const char* help) {
    app_.add_option_function<std::vector<std::string>>(
        flag,
        [this, flag, to, convert](const std::vector<std::string>& words) {
          overrides_.push_back([=](GatewayConfig& config) -> Result<void> {
            std::vector<T> values;
            for (const std::string& word : words) {
              auto value = convert(word);
              if (!value)
                return fail(ErrorCode::kInvalid, std::string(flag) + ": \"" + word + "\" is not one; see --help");
              values.push_back(*value);
            }
            config.*to = std::move(values);
            return {};
          });
        },
        help);
  }
  void word(const char* flag, std::string GatewayConfig::*to, const char* help) {
    app_.add_option_function<std::string>(
        flag,
        [this, to](const std::string& text) {
          overrides_.push_back([=](GatewayConfig& config) -> Result<void> {
            config.*to = text;
            return {};
          });
        },
        help);
  }
  void limit(const Limit& limit) {
    app_.add_option_function<std::uint64_t>(
            limit.flag,
            [this, to = limit.value](std::uint64_t number) {
              overrides_.push_back([=](GatewayConfig& config) -> Result<void> {
                config.limits.*to = number;
                return {};
              });
            },
            limit.help)
        ->check(CLI::Range(std::uint64_t(1), limit.most));
  }
  Result<void> apply(GatewayConfig& config) const {
    for (const Override& each : overrides_) {
      if (auto applied = each(config); !applied) return applied;
    }
    return {};
  }

 private:
  CLI::App& app_;
  std::vector<Override> overrides_;
};

Result<Options> combine(std::string file, const Flags& flags, Options options) {
  if (file.empty() && access(kDefaultConfig, F_OK) == 0) file = kDefaultConfig;
  if (!file.empty()) {
    auto text = platform::read_text_file(file, kMaxConfig);
    if (!text) return tl::make_unexpected(text.error());
    auto config = config::parse_gateway_config(*text, file);
    if (!config) return tl::make_unexpected(config.error());
    options.config = std::move(*config);
    options.source = file;
  }
  if (auto applied = flags.apply(options.config); !applied) return tl::make_unexpected(applied.error());
  if (options.verb != Options::Verb::kServe) return options;
  if (options.config.key_file.empty()) {
    return fail(ErrorCode::kInvalid, "no key_file is given",
                "set it in the configuration, or with --key-file; tunctl keygen makes a key");
  }
  if (options.config.clients_file.empty()) {
    return fail(ErrorCode::kInvalid, "no clients_file is given",
                "set it in the configuration, or with --clients-file; it has a line KEY NAME for each client");
  }
  return options;
}

}  // namespace

Result<Options> read_options(int argc, char** argv) {
  CLI::App app("The cluster's end of Causeway: lets known clients in and dials services for them.", "tun-gateway");
  app.set_version_flag("--version", "tun-gateway " CAUSEWAY_VERSION);
  std::string file;
  Options options;
  Flags flags(app);
  app.add_option("--config", file, "TOML file (default: " + std::string(kDefaultConfig) + ", where it exists)");
  flags.list("--listen", &GatewayConfig::listen, config::parse_listen,
             "ADDRESS:PORT to listen on (default: port 7700 of all)");
  flags.word("--key-file", &GatewayConfig::key_file, "the gateway's private key, mode 0600 or stricter");
  flags.word("--clients-file", &GatewayConfig::clients_file,
             "who may enter, a line KEY NAME [PSK_FILE] each; followed while running");
  flags.list("--dns", &GatewayConfig::dns, config::parse_dns_server,
             "DNS servers (default: those of /etc/resolv.conf)");
  flags.list("--allow", &GatewayConfig::allow, packet::Cidr::parse,
             "prefixes that may be reached (default: all but loopback, link-local, metadata and multicast)");
  flags.list("--deny", &GatewayConfig::deny, packet::Cidr::parse,
             "prefixes that may not be reached; wins over --allow");
  flags.word("--log-level", &GatewayConfig::log_level, "trace, debug, info, warn, error or off (default: info)");
  for (const Limit& limit : kLimits) flags.limit(limit);
  flags.word("--control-socket", &GatewayConfig::control_socket,
             "where `intercepts` and `free` are answered (default, with services: /run/causeway-gateway/control.sock)");
  app.add_flag("--check", options.check, "look at the configuration, the key and the clients, then exit");
  app.fallthrough();  // --config after the verb, too
  CLI::App* intercepts =
      app.add_subcommand("intercepts", "tell who intercepts which service, of the gateway that runs here");
  intercepts->add_flag("--json", options.json, "for programs");
  CLI::App* free = app.add_subcommand("free", "end intercepts of a service: its original answers again");
  free->add_option("SERVICE", options.service, "as `intercepts` calls it")->required();
  free->add_option("--owner", options.owner, "only those of the client with this name; default: all");
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  if (intercepts->parsed()) options.verb = Options::Verb::kIntercepts;
  if (free->parsed()) options.verb = Options::Verb::kFree;
  auto combined = combine(file, flags, std::move(options));
  if (combined && !config::is_log_level(combined->config.log_level)) {
    return fail(ErrorCode::kInvalid, "--log-level: \"" + combined->config.log_level + "\" is none; see --help");
  }
  return combined;
}

}  // namespace causeway::gateway

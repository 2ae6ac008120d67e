// `tunctl status [--json] [PROFILE]`: what is up, and how it is.
#include <fmt/format.h>

#include "tools/tunctl/call.h"
#include "tools/tunctl/verbs.h"

namespace causeway::tunctl {
namespace {

std::string first_line(const control::TunnelAnswer& tunnel) {
  if (tunnel.state == "up") {
    std::string line = fmt::format("{}: up for {}, by {}", tunnel.profile, span_text(tunnel.up_for), tunnel.gateway);
    return tunnel.round_trip ? line + fmt::format(" ({} there and back)", time_text(*tunnel.round_trip)) : line;
  }
  if (tunnel.state == "reconnecting") {
    return fmt::format("{}: reconnecting to {}; connections wait or end until then", tunnel.profile, tunnel.gateway);
  }
  if (tunnel.state == "coming-up") return tunnel.profile + ": coming up";
  if (tunnel.state == "going-down") return tunnel.profile + ": going down";
  return tunnel.profile + ": down";
}

void row(const char* name, const std::string& value) {
  if (!value.empty()) fmt::print("  {:<12} {}\n", name, value);
}

void row(const char* name, const std::vector<std::string>& values) {
  row(name, fmt::format("{}", fmt::join(values, ", ")));
}

void print(const control::TunnelAnswer& tunnel, bool counters) {
  fmt::print("{}\n", first_line(tunnel));
  row("last error", tunnel.last_error);
  if (tunnel.state == "down") return;
  row("owner", tunnel.owner);
  row("device", tunnel.device);
  row("addresses", tunnel.addresses);
  row("routes", tunnel.routes);
  row("not routed", tunnel.skipped_routes);
  row("DNS", tunnel.dns_servers);
  row("resolver", tunnel.resolver);
  row("ping", tunnel.icmp);
  row("cipher", tunnel.cipher);
  for (const std::string& intercept : tunnel.intercepts) row("intercept", intercept);
  row("gateway key", tunnel.gateway_key);
  row("own key", tunnel.own_key);
  if (!counters) return;
  for (const auto& [name, value] : tunnel.counters) fmt::print("  {:<40} {:>16}\n", name, value);
}

}  // namespace

ExitCode status(const std::string& socket, const std::string& profile, bool json, bool counters) {
  std::vector<control::TunnelAnswer> tunnels;
  return call(socket, control::StatusRequest{profile}, std::chrono::seconds(10), [&](const control::Answer& answer) {
    if (const auto* tunnel = std::get_if<control::TunnelAnswer>(&answer)) tunnels.push_back(*tunnel);
    if (!control::is_final(answer)) return ExitCode::kDone;
    bool up = false;
    for (const auto& tunnel : tunnels) up = up || tunnel.state == "up";
    if (json) {
      fmt::print("{}\n", control::status_json(tunnels));
    } else if (tunnels.empty()) {
      fmt::print("nothing is up, and there are no profiles\n");
    } else {
      for (const auto& tunnel : tunnels) print(tunnel, counters);
    }
    return up ? ExitCode::kDone : ExitCode::kNotUp;
  });
}

}  // namespace causeway::tunctl

// One line for each who came, went or was refused. What a client had a say in is made printable.
#include <algorithm>

#include "core/noise/keys.h"
#include "platform/gateway/gateway_driver.h"
#include "platform/log.h"

namespace causeway::platform {
namespace {

// Strangers cannot fill a disk: so many lines at once, and so many a second later.
constexpr double kRefusalBurst = 50;
constexpr double kRefusalsPerSecond = 2;

std::string who(const engine::GatewayEvent& event) {
  std::string key = event.key == link::PublicKey{} ? "" : "key " + noise::fingerprint(event.key);
  if (event.client.empty()) return key.empty() ? "somebody" : "a stranger (" + key + ")";
  return printable(event.client) + " (" + key + ")";
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void GatewayDriver::log_came(const engine::GatewayEvent& event) {
  spdlog::info("{} came from {}", who(event), event.source.text());
}

void GatewayDriver::log_went(const engine::GatewayEvent& event) {
  const AcceptedCarrier* socket = carrier(event.carrier);
  std::string measure;
  if (socket) {
    measure = fmt::format(", after {:.1f} s, {} bytes in, {} out", seconds(boot_now() - socket->since()),
                          socket->received(), socket->written());
  }
  spdlog::info("{} at {} went{}: {}", who(event), event.source.text(), measure, printable(event.text));
}

void GatewayDriver::log_intercept(const engine::GatewayEvent& event) {
  spdlog::info("{} {}", printable(event.client), printable(event.text));
}

void GatewayDriver::log_refused(const engine::GatewayEvent& event) {
  Instant now = boot_now();
  refusal_lines_ = std::min(kRefusalBurst, refusal_lines_ + seconds(now - refusals_counted_) * kRefusalsPerSecond);
  refusals_counted_ = now;
  if (refusal_lines_ < 1) {
    ++refusals_unsaid_;
    return;
  }
  refusal_lines_ -= 1;
  std::string more =
      refusals_unsaid_ == 0 ? "" : fmt::format(" ({} others were refused and not logged)", refusals_unsaid_);
  refusals_unsaid_ = 0;
  spdlog::warn("{} at {} was refused: {}{}", who(event), event.source.text(), printable(event.text), more);
}

}  // namespace causeway::platform

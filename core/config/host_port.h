// A host by address or name, and a port.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::config {

struct HostPort {
  std::string host;  // an address or a name
  std::uint16_t port = 0;
  std::string text() const;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// "10.0.0.1:7700", "[fd00::1]:7700", "gw.example.org:7700"; where there is a default, each without a port too.
std::optional<HostPort> parse_host_port(std::string_view text,
                                        std::optional<std::uint16_t> default_port = std::nullopt);

}  // namespace causeway::config

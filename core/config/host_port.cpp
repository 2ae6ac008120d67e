#include "core/config/host_port.h"

#include "core/config/domain_name.h"
#include "core/packet/address.h"

namespace causeway::config {
namespace {

std::optional<std::uint16_t> port_number(std::string_view text) {
  unsigned number = 0;
  if (text.empty() || text.size() > 5 || text.front() == '0') return std::nullopt;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + unsigned(c - '0');
  }
  if (number > 65535) return std::nullopt;
  return std::uint16_t(number);
}

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text, std::optional<std::uint16_t> default_port) {
  HostPort out{"", default_port.value_or(0)};
  std::string_view host = text;
  bool has_port = default_port.has_value();
  if (!packet::Address::parse(host)) {  // a bare IPv6 address has colons of its own
    bool bracketed = text.starts_with('[');
    std::size_t colon = bracketed ? text.find("]:") : text.rfind(':');
    if (bracketed && colon != std::string_view::npos) ++colon;
    if (colon != std::string_view::npos) {
      auto port = port_number(text.substr(colon + 1));
      if (!port) return std::nullopt;
      out.port = *port;
      has_port = true;
      host = text.substr(0, colon);
    }
    if (bracketed) {
      if (!host.ends_with(']')) return std::nullopt;
      host = host.substr(1, host.size() - 2);
      auto address = packet::Address::parse(host);
      if (!address || address->is_v4()) return std::nullopt;
    } else if (auto address = packet::Address::parse(host); address && address->is_v6()) {
      return std::nullopt;  // "fd00::1:7700" says two things
    }
  }
  if (!has_port) return std::nullopt;
  if (auto address = packet::Address::parse(host)) {
    if (address->is_unspecified() || address->is_multicast() || address->is_broadcast()) return std::nullopt;
    out.host = address->text();
    return out;
  }
  auto name = domain_name(host);
  // What has digits and dots only is a mistyped address, no name.
  if (!name || name->find_first_not_of("0123456789.") == std::string::npos) return std::nullopt;
  out.host = *name;
  return out;
}

std::string HostPort::text() const {
  bool colons = host.find(':') != std::string::npos;
  return (colons ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

}  // namespace causeway::config

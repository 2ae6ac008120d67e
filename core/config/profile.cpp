#include "core/config/profile.h"

#include <algorithm>
#include <array>

#include "core/config/toml_reader.h"

namespace causeway::config {
namespace {

constexpr std::uint16_t kGatewayPort = 7700;
constexpr std::size_t kMaxGateways = 16;
constexpr std::size_t kMaxRoutes = 1024;
constexpr std::size_t kMaxNamespaces = 1024;
constexpr std::size_t kMaxName = 12;

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

// A name of labels, in lower case and without the dot at its end (RFC 1123, section 2.1; '_' as it is found in use).
std::optional<std::string> domain_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return std::nullopt;
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), lower);
  for (std::size_t at = 0; at <= name.size();) {
    std::size_t end = std::min(name.find('.', at), name.size());
    if (!is_label(std::string_view(name).substr(at, end - at))) return std::nullopt;
    at = end + 1;
  }
  return name;
}

std::optional<std::string> namespace_name(std::string_view text) {
  if (!is_label(text) || text.find('_') != std::string_view::npos) return std::nullopt;
  return std::string(text);
}

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

// "10.0.0.1:7700", "[fd00::1]:7700", "gw.example.org:7700", and each without a port.
std::optional<HostPort> host_port(std::string_view text) {
  HostPort out{"", kGatewayPort};
  std::string_view host = text;
  if (!packet::Address::parse(host)) {  // a bare IPv6 address has colons of its own
    bool bracketed = text.starts_with('[');
    std::size_t colon = bracketed ? text.find("]:") : text.rfind(':');
    if (bracketed && colon != std::string_view::npos) ++colon;
    if (colon != std::string_view::npos) {
      auto port = port_number(text.substr(colon + 1));
      if (!port) return std::nullopt;
      out.port = *port;
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

// What a laptop must never lose to a tunnel; a prefix that swallows everything swallows these.
const char* why_not_routed(const packet::Cidr& route) {
  static const std::array<std::pair<packet::Cidr, const char*>, 8> kOwn{{
      {*packet::Cidr::parse("127.0.0.0/8"), "this machine's loopback"},
      {*packet::Cidr::parse("169.254.0.0/16"), "link-local addresses"},
      {*packet::Cidr::parse("224.0.0.0/4"), "multicast addresses"},
      {*packet::Cidr::parse("255.255.255.255/32"), "the broadcast address"},
      {*packet::Cidr::parse("::1/128"), "this machine's loopback"},
      {*packet::Cidr::parse("fe80::/10"), "link-local addresses"},
      {*packet::Cidr::parse("ff00::/8"), "multicast addresses"},
      {*packet::Cidr::parse("0.0.0.0/8"), "addresses that mean \"this network\""},
  }};
  for (const auto& [cidr, name] : kOwn) {
    if (cidr.overlaps(route)) return name;
  }
  return nullptr;
}

void read_gateways(TomlTable& root, Profile& profile) {
  if (!root.read_list("gateways", profile.gateways, host_port,
                      "an address or name with a port, such as \"gw.example.org:7700\"")) {
    root.require("gateways", "where to reach the gateway, such as [\"gw.example.org:7700\"]");
    return;
  }
  if (profile.gateways.empty()) root.reject("gateways", "at least one is needed");
  if (profile.gateways.size() > kMaxGateways)
    root.reject("gateways", "more than " + std::to_string(kMaxGateways), kMaxGateways);
}

void read_keys(TomlTable& root, Profile& profile) {
  auto key = [](std::string_view text) { return noise::parse_public_key(text); };
  if (!root.read("gateway_key", profile.gateway_key, key,
                 "a key: 44 characters of base64, as `tunctl pubkey` prints them")) {
    root.require("gateway_key", "the gateway's public key, as `tunctl pubkey` prints it there");
  }
  if (!root.read("key_file", profile.key_file)) {
    root.require("key_file", "the file with your private key; `tunctl keygen FILE` makes one");
  } else if (profile.key_file.empty()) {
    root.reject("key_file", "it must not be empty");
  }
  if (root.read("psk_file", profile.psk_file) && profile.psk_file.empty()) {
    root.reject("psk_file", "it must not be empty; leave it out where there is no pre-shared key");
  }
}

void read_routes(TomlTable& root, Profile& profile) {
  if (!root.read_list("routes", profile.routes, packet::Cidr::parse,
                      "a prefix with no bits set beyond its length, such as \"10.96.0.0/16\"")) {
    root.require("routes", "the cluster's prefixes, such as [\"10.96.0.0/16\"]");
    return;
  }
  if (profile.routes.empty()) root.reject("routes", "at least one is needed");
  if (profile.routes.size() > kMaxRoutes) root.reject("routes", "more than " + std::to_string(kMaxRoutes), kMaxRoutes);
  for (std::size_t i = 0; i < profile.routes.size(); ++i) {
    const packet::Cidr& route = profile.routes[i];
    if (const char* why = why_not_routed(route)) root.reject("routes", route.text() + " takes " + why + " with it", i);
  }
  std::sort(profile.routes.begin(), profile.routes.end());
  profile.routes.erase(std::unique(profile.routes.begin(), profile.routes.end()), profile.routes.end());
}

void read_dns(TomlTable dns, DnsProfile& out) {
  dns.read("domain", out.domain, domain_name, "a domain, such as \"cluster.local\"");
  dns.read_list("namespaces", out.namespaces, namespace_name, "a namespace's name: up to 63 of a-z, 0-9 and '-'");
  if (out.namespaces.size() > kMaxNamespaces) {
    dns.reject("namespaces", "more than " + std::to_string(kMaxNamespaces), kMaxNamespaces);
  }
  dns.read("short", out.short_namespace, namespace_name, "a namespace's name: up to 63 of a-z, 0-9 and '-'");
  dns.read("take_over", out.take_over);
}

std::string beside(std::string_view source, const std::string& file) {
  if (file.empty() || file.starts_with('/')) return file;
  std::size_t slash = source.rfind('/');
  return slash == std::string_view::npos ? file : std::string(source.substr(0, slash + 1)) + file;
}

Result<std::string> name_of(std::string_view source) {
  std::string_view name = source.substr(source.rfind('/') + 1);
  bool fine = name.ends_with(".toml");
  if (fine) name.remove_suffix(5);
  fine = fine && !name.empty() && name.size() <= kMaxName &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
  if (fine) return std::string(name);
  return fail(ErrorCode::kInvalid,
              std::string(source) +
                  ": a profile's file is called NAME.toml, NAME being 1 to 12 of a-z, 0-9, "
                  "'-' and '_'",
              "the name becomes part of the device's: rename the file");
}

}  // namespace

std::string HostPort::text() const {
  bool colons = host.find(':') != std::string::npos;
  return (colons ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

Result<Profile> parse_profile(std::string_view toml, std::string_view source) {
  auto name = name_of(source);
  if (!name) return tl::make_unexpected(name.error());
  auto reader = TomlReader::parse(toml, source);
  if (!reader) return tl::make_unexpected(reader.error());
  Profile profile;
  profile.name = *name;
  TomlTable root = reader->root();
  read_gateways(root, profile);
  read_keys(root, profile);
  read_routes(root, profile);
  read_dns(root.table("dns"), profile.dns);
  if (auto read = reader->finish(); !read) return tl::make_unexpected(read.error());
  profile.key_file = beside(source, profile.key_file);
  profile.psk_file = beside(source, profile.psk_file);
  return profile;
}

}  // namespace causeway::config

#include "core/config/profile.h"

#include <algorithm>
#include <array>

#include "core/config/domain_name.h"
#include "core/config/toml_reader.h"

namespace causeway::config {
namespace {

constexpr std::uint16_t kGatewayPort = 7700;
constexpr std::size_t kMaxGateways = 16;
constexpr std::size_t kMaxRoutes = 1024;
constexpr std::size_t kMaxIncluded = 256;
constexpr std::size_t kMaxExcluded = 1024;
constexpr std::size_t kMaxNamespaces = 1024;
constexpr std::size_t kMaxNamePatterns = 1024;
constexpr std::size_t kMaxMappings = 1024;
constexpr std::size_t kMaxName = 12;

std::optional<HostPort> gateway(std::string_view text) { return parse_host_port(text, kGatewayPort); }

std::optional<std::string> namespace_name(std::string_view text) {
  if (!is_label(text) || text.find('_') != std::string_view::npos) return std::nullopt;
  return std::string(text);
}

std::optional<std::string> name_pattern(std::string_view text) {
  bool wild = text.starts_with("*.");
  auto name = domain_name(wild ? text.substr(2) : text);
  if (name && wild) name->insert(0, "*.");
  return name;
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
  if (!root.read_list("gateways", profile.gateways, gateway,
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

using Prefixes = std::vector<packet::Cidr>;

constexpr const char* kPrefixWanted = "a prefix with no bits set beyond its length, such as \"10.96.0.0/16\"";
constexpr const char* kPolicyWanted = "one of \"virtual\", \"fail\" and \"win\"";

void sort_once(Prefixes& prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
}

bool is_metadata(const packet::Cidr& prefix) {
  static const packet::Cidr kMetadata = *packet::Cidr::parse("169.254.169.254/32");
  return prefix == kMetadata;
}

void read_included(TomlTable& root, const char* key, Prefixes& out, std::size_t most, bool metadata) {
  if (out.size() > most) root.reject(key, "more than " + std::to_string(most), most);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* why = metadata && is_metadata(out[i]) ? nullptr : why_not_routed(out[i]);
    if (why) root.reject(key, out[i].text() + " takes " + why + " with it", i);
  }
}

// In the order in which they stand, so that a mistake is found where it is.
void reject_both_ways(TomlTable& root, const Profile& profile) {
  for (std::size_t i = 0; i < profile.exclude.size(); ++i) {
    const packet::Cidr& prefix = profile.exclude[i];
    auto names = [&](const Prefixes& list) { return std::find(list.begin(), list.end(), prefix) != list.end(); };
    const char* other = names(profile.routes) ? "routes" : names(profile.include) ? "include" : nullptr;
    if (!other) continue;
    root.reject("exclude", prefix.text() + " is in '" + other + "' too: it either goes into the tunnel or does not", i);
  }
}

std::optional<ConflictPolicy> policy(std::string_view word) {
  if (word == "virtual") return ConflictPolicy::kVirtual;
  if (word == "fail") return ConflictPolicy::kFail;
  if (word == "win") return ConflictPolicy::kWin;
  return std::nullopt;
}

void read_routes(TomlTable& root, Profile& profile) {
  if (root.read_list("routes", profile.routes, packet::Cidr::parse, kPrefixWanted)) {
    if (profile.routes.empty()) root.reject("routes", "at least one is needed");
    read_included(root, "routes", profile.routes, kMaxRoutes, false);
  } else {
    root.require("routes", "the cluster's prefixes, such as [\"10.96.0.0/16\"]");
  }
  if (root.read_list("include", profile.include, packet::Cidr::parse, kPrefixWanted)) {
    read_included(root, "include", profile.include, kMaxIncluded, true);
  }
  if (root.read_list("exclude", profile.exclude, packet::Cidr::parse, kPrefixWanted)) {
    if (profile.exclude.size() > kMaxExcluded) {
      root.reject("exclude", "more than " + std::to_string(kMaxExcluded), kMaxExcluded);
    }
    reject_both_ways(root, profile);
  }
  root.read("conflict", profile.conflict, policy, kPolicyWanted);
  sort_once(profile.routes);
  sort_once(profile.include);
  sort_once(profile.exclude);
}

void read_name_patterns(TomlTable& dns, std::string_view key, std::vector<std::string>& out) {
  dns.read_list(key, out, name_pattern,
                "a name, such as \"corp.internal\", or \"*.corp.internal\" for what is below it");
  if (out.size() > kMaxNamePatterns) dns.reject(key, "more than " + std::to_string(kMaxNamePatterns), kMaxNamePatterns);
}

DnsMapping read_mapping(TomlTable table) {
  DnsMapping out;
  if (!table.read("name", out.name, domain_name, "a name, such as \"db.shop\"")) {
    table.require("name", "the name that is mapped, such as \"db.shop\"");
  }
  packet::Address address;
  table.read("alias", out.alias, domain_name, "a name, such as \"db.infra\"");
  if (table.read("address", address, packet::Address::parse, "an address, such as \"127.0.0.1\""))
    out.address = address;
  if (table.has("alias") && table.has("address")) table.reject("address", "a name has either an alias or an address");
  if (!table.has("alias") && !table.has("address")) {
    table.require("address", "what the name is mapped to: an address, or an alias");
  }
  return out;
}

void read_mappings(TomlTable& dns, std::vector<DnsMapping>& out) {
  for (TomlTable& table : dns.tables("mappings")) out.push_back(read_mapping(table));
  if (out.size() > kMaxMappings) dns.reject("mappings", "more than " + std::to_string(kMaxMappings), kMaxMappings);
}

void read_dns(TomlTable dns, DnsProfile& out) {
  dns.read("domain", out.domain, domain_name, "a domain, such as \"cluster.local\"");
  dns.read_list("namespaces", out.namespaces, namespace_name, "a namespace's name: up to 63 of a-z, 0-9 and '-'");
  if (out.namespaces.size() > kMaxNamespaces) {
    dns.reject("namespaces", "more than " + std::to_string(kMaxNamespaces), kMaxNamespaces);
  }
  dns.read("short", out.short_namespace, namespace_name, "a namespace's name: up to 63 of a-z, 0-9 and '-'");
  read_name_patterns(dns, "include", out.include);
  read_name_patterns(dns, "exclude", out.exclude);
  read_mappings(dns, out.mappings);
  dns.read("take_over", out.take_over);
  dns.read("timeout_ms", out.timeout_ms, 100, 60000);
  dns.read("cache", out.cache);
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
  root.read("autostart", profile.autostart);
  read_dns(root.table("dns"), profile.dns);
  root.table("intercept").read("shortcut", profile.intercept_shortcut);
  if (auto read = reader->finish(); !read) return tl::make_unexpected(read.error());
  profile.key_file = beside(source, profile.key_file);
  profile.psk_file = beside(source, profile.psk_file);
  return profile;
}

}  // namespace causeway::config

#include "dns/rules.h"

#include <algorithm>
#include <array>

namespace causeway::dns {

namespace {

// Never taken for a namespace unless listed: special names (RFC 6761, 6762, 7686).
constexpr std::string_view kSpecial[] = {"arpa", "invalid", "local", "localhost", "onion"};

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// What Kubernetes allows as a namespace or a service (RFC 1123, section 2.1).
bool is_kubernetes_label(std::string_view label) {
  if (label.empty() || label.size() > Name::kMaxLabel) return false;
  if (!is_letter_or_digit(label.front()) || !is_letter_or_digit(label.back())) return false;
  return std::all_of(label.begin(), label.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_number(std::string_view label) {
  return std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Worth asking the cluster for, though nobody has listed it.
bool may_be_kubernetes(std::string_view label) {
  if (!is_kubernetes_label(label) || is_number(label)) return false;
  return std::none_of(std::begin(kSpecial), std::end(kSpecial), [&](std::string_view s) { return same_label(s, label); });
}

// Names by which programs look for somebody to configure them.
bool is_nobodys(const Name& name) {
  std::size_t labels = name.labels();
  if (labels == 0) return false;
  if (same_label(name.label(0), "wpad") || same_label(name.label(0), "isatap")) return true;
  for (std::size_t i = 0; i + 1 < labels; ++i) {
    if (same_label(name.label(i), "_dns-sd") && name.label(i + 1).starts_with('_')) return true;
  }
  return false;
}

// How many of the first `labels` labels of `name` are `_port._proto`.
std::size_t port_labels(const Name& name, std::size_t labels) {
  std::size_t count = 0;
  while (count < std::min<std::size_t>(labels, 2) && name.label(count).starts_with('_')) ++count;
  return count;
}

std::optional<unsigned> octet(std::string_view label) {
  if (label.empty() || label.size() > 3 || !is_number(label)) return std::nullopt;
  unsigned value = 0;
  for (char c : label) value = value * 10 + unsigned(c - '0');
  if (value > 255) return std::nullopt;
  return value;
}

std::optional<unsigned> nibble(std::string_view label) {
  if (label.size() != 1) return std::nullopt;
  char c = label[0];
  if (c >= '0' && c <= '9') return unsigned(c - '0');
  if (c >= 'a' && c <= 'f') return unsigned(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return unsigned(c - 'A' + 10);
  return std::nullopt;
}

Error bad_name(std::string_view what, const std::string& text) {
  return {ErrorCode::kInvalid, std::string(what) + " '" + text + "' is not a domain name", {}};
}

}  // namespace

Result<Rules> Rules::create(const RulesConfig& config) {
  Rules rules;
  std::optional<Name> domain = Name::parse(config.cluster_domain);
  std::optional<Name> service_domain;
  if (domain && !domain->is_root()) service_domain = Name::parse("svc")->followed_by(*domain);
  if (!service_domain) return tl::make_unexpected(bad_name("the cluster domain", config.cluster_domain));
  rules.domain_ = std::move(*domain);
  rules.service_domain_ = std::move(*service_domain);
  for (const std::string& label : config.namespaces) {
    if (!is_kubernetes_label(label) || !rules.namespace_name(label)) return tl::make_unexpected(bad_name("the namespace", label));
    rules.namespaces_.insert(lower(label));
  }
  if (!config.short_namespace.empty()) {
    if (is_kubernetes_label(config.short_namespace)) rules.short_domain_ = rules.namespace_name(config.short_namespace);
    if (!rules.short_domain_) return tl::make_unexpected(bad_name("the namespace", config.short_namespace));
    rules.namespaces_.insert(lower(config.short_namespace));
  }
  rules.routes_ = config.routes;
  rules.mode_ = config.mode;
  return rules;
}

Decision Rules::decide(const Question& question) const {
  const Name& name = question.name;
  if (is_nobodys(name)) return {Decision::Owner::kNobody, {}, false, {}};
  if (name.under(domain_)) return {Decision::Owner::kCluster, name, false, {}};
  std::size_t labels = name.labels();
  if (labels == 0 || (question.klass != kClassIn && question.klass != kClassAny)) return elsewhere();
  if (same_label(name.label(labels - 1), "arpa")) return reverse(name);
  return service(name);
}

Decision Rules::reverse(const Name& name) const {
  std::optional<packet::Cidr> prefix = reverse_prefix(name);
  if (!prefix) return elsewhere();
  for (const packet::Cidr& route : routes_) {
    if (route.length() <= prefix->length() && route.contains(prefix->network())) {
      return {Decision::Owner::kCluster, name, true, {}};
    }
  }
  return elsewhere();
}

Decision Rules::service(const Name& name) const {
  std::size_t labels = name.labels();
  std::size_t ports = port_labels(name, labels);
  if (labels == ports) return elsewhere();
  if (labels - ports == 1) {
    if (!short_domain_ || ports == 1 || !may_be_kubernetes(name.label(ports))) return elsewhere();
    return cluster(name, *short_domain_);
  }
  bool ends_in_svc = labels - ports >= 3 && same_label(name.label(labels - 1), "svc");
  std::size_t at = labels - (ends_in_svc ? 2 : 1);
  // In front of the namespace and behind the port: `svc` or `pod.svc`.
  if (at - ports > 2) return elsewhere();
  std::string candidate = lower(name.label(at));
  bool listed = namespaces_.contains(candidate);
  bool may_ask = may_be_kubernetes(candidate) && (mode_ == Mode::kStandIn || ends_in_svc);
  if (!listed && !may_ask) return elsewhere();
  Decision out = cluster(name, ends_in_svc ? domain_ : service_domain_);
  if (!listed && out.owner == Decision::Owner::kCluster) {
    out.owner = Decision::Owner::kIfNamespace;
    out.candidate = std::move(candidate);
  }
  return out;
}

Decision Rules::cluster(const Name& prefix, const Name& suffix) const {
  std::optional<Name> full = prefix.followed_by(suffix);
  if (!full) return elsewhere();
  return {Decision::Owner::kCluster, std::move(*full), true, {}};
}

Decision Rules::elsewhere() const {
  return {mode_ == Mode::kSplit ? Decision::Owner::kRefused : Decision::Owner::kMachine, {}, false, {}};
}

std::optional<Name> Rules::namespace_name(std::string_view candidate) const {
  std::optional<Name> label = Name::parse(candidate);
  return label ? label->followed_by(service_domain_) : std::nullopt;
}

std::optional<packet::Cidr> reverse_prefix(const Name& name) {
  std::size_t labels = name.labels();
  if (labels < 3 || !same_label(name.label(labels - 1), "arpa")) return std::nullopt;
  std::array<std::uint8_t, 16> raw{};
  unsigned length = 0;
  if (same_label(name.label(labels - 2), "in-addr")) {
    for (std::size_t at = labels - 2; at-- > 0 && length < 32; length += 8) {
      std::optional<unsigned> value = octet(name.label(at));
      if (!value) break;
      raw[length / 8] = std::uint8_t(*value);
    }
    if (length == 0) return std::nullopt;
    return packet::Cidr(packet::Address::from_bytes(Bytes(raw).first(4)), length);
  }
  if (!same_label(name.label(labels - 2), "ip6")) return std::nullopt;
  for (std::size_t at = labels - 2; at-- > 0 && length < 128; length += 4) {
    std::optional<unsigned> value = nibble(name.label(at));
    if (!value) break;
    raw[length / 8] = std::uint8_t(raw[length / 8] | *value << (length % 8 == 0 ? 4 : 0));
  }
  if (length == 0) return std::nullopt;
  return packet::Cidr(packet::Address::from_bytes(raw), length);
}

}  // namespace causeway::dns

#include "dns/rules.h"

#include <algorithm>

#include "dns/reverse_name.h"

namespace causeway::dns {

namespace {

using Owner = Decision::Owner;
using Rule = Decision::Rule;

// Never taken for a namespace unless listed, and no profile's suffix: special names (RFC 6761, 6762, 7686).
constexpr std::string_view kSpecial[] = {"arpa", "invalid", "local", "localhost", "onion"};

// How programs look for somebody to configure them, by the first label behind any `_port._proto`, ...
constexpr std::string_view kNobodysHosts[] = {"wpad", "isatap"};
// ... or by any label: browsing for services (RFC 6763, section 11) and what belongs to it (RFC 8490, 8764, 8765).
constexpr std::string_view kNobodysServices[] = {
    "_dns-sd", "_dns-llq", "_dns-llq-tls", "_dns-push-tls", "_dns-update", "_dns-update-tls", "_wpad",
};

template <std::size_t n>
bool contains(const std::string_view (&list)[n], std::string_view label) {
  return std::any_of(std::begin(list), std::end(list), [&](std::string_view each) { return same_label(each, label); });
}

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
  return !contains(kSpecial, label);
}

// How many of the first `labels` labels of `name` are `_port._proto`.
std::size_t port_labels(const Name& name, std::size_t labels) {
  std::size_t count = 0;
  while (count < std::min<std::size_t>(labels, 2) && name.label(count).starts_with('_')) ++count;
  return count;
}

bool is_nobodys(const Name& name) {
  std::size_t labels = name.labels();
  std::size_t ports = port_labels(name, labels);
  if (labels > ports && contains(kNobodysHosts, name.label(ports))) return true;
  for (std::size_t i = 0; i < labels; ++i) {
    if (contains(kNobodysServices, name.label(i))) return true;
  }
  return false;
}

Error bad_name(std::string_view what, const std::string& text) {
  return {ErrorCode::kInvalid, std::string(what) + " '" + text + "' is not a domain name", {}};
}

}  // namespace

std::string_view rule_text(Rule rule) {
  switch (rule) {
    case Rule::kOther: return "no name of this cluster";
    case Rule::kClusterDomain: return "below the cluster domain";
    case Rule::kProfile: return "below the profile's name";
    case Rule::kReverse: return "the reverse name of a routed address";
    case Rule::kShort: return "a service of the profile's `short` namespace";
    case Rule::kNamespace: return "a service of a namespace";
    case Rule::kInclude: return "the profile's `include`";
    case Rule::kExclude: return "the profile's `exclude`";
    case Rule::kMapping: return "the profile's `mappings`";
    case Rule::kVirtual: return "the reverse name of a virtual address";
    case Rule::kNobodys: return "a name that lets a network configure this machine";
  }
  return "";
}

Result<Rules> Rules::create(const RulesConfig& config) {
  Rules rules;
  std::optional<Name> domain = Name::parse(config.cluster_domain);
  std::optional<Name> service_domain;
  if (domain && !domain->is_root()) service_domain = Name::parse("svc")->followed_by(*domain);
  if (!service_domain) return tl::make_unexpected(bad_name("the cluster domain", config.cluster_domain));
  rules.domain_ = std::move(*domain);
  rules.service_domain_ = std::move(*service_domain);
  if (!config.profile.empty()) {
    rules.profile_ = Name::parse(config.profile);
    if (!rules.profile_ || rules.profile_->labels() != 1)
      return tl::make_unexpected(bad_name("the profile", config.profile));
    if (contains(kSpecial, config.profile)) rules.profile_.reset();
  }
  for (const std::string& label : config.namespaces) {
    if (!is_kubernetes_label(label) || !rules.namespace_name(label))
      return tl::make_unexpected(bad_name("the namespace", label));
    rules.namespaces_.insert(lower(label));
  }
  if (!config.short_namespace.empty()) {
    if (is_kubernetes_label(config.short_namespace)) rules.short_domain_ = rules.namespace_name(config.short_namespace);
    if (!rules.short_domain_) return tl::make_unexpected(bad_name("the namespace", config.short_namespace));
    rules.namespaces_.insert(lower(config.short_namespace));
  }
  rules.routes_ = config.routes;
  rules.mode_ = config.mode;
  auto lists = NameLists::create(config.include, config.exclude, rules.service_domain_);
  if (!lists) return tl::make_unexpected(std::move(lists.error()));
  rules.lists_ = std::move(*lists);
  if (auto added = rules.add_mappings(config.mappings); !added) return tl::make_unexpected(std::move(added.error()));
  return rules;
}

Result<void> Rules::add_mappings(const std::vector<MappingConfig>& mappings) {
  for (const MappingConfig& each : mappings) {
    std::optional<Name> name = Name::parse(each.name);
    Name meant = name ? meaning({*name, kTypeA, kClassIn}).cluster_name : Name();
    if (auto added = mappings_.add(each, meant); !added) return added;
  }
  for (const MappingConfig& each : mappings) {
    Question question{*Name::parse(each.name), kTypeA, kClassIn};
    for (std::size_t steps = 0;; ++steps) {
      const Mapping* mapping = mapped(question, meaning(question).cluster_name);
      if (!mapping || mapping->kind != Mapping::Kind::kAlias) break;
      if (steps == mappings.size()) {
        return fail(ErrorCode::kInvalid, "the mapping of '" + each.name + "' to '" + each.alias + "' leads to itself");
      }
      question.name = mapping->target;
    }
  }
  return {};
}

void Rules::set_others(const std::vector<OtherProfile>& others) {
  other_profiles_.clear();
  other_domains_.clear();
  for (const OtherProfile& other : others) {
    if (auto name = Name::parse(other.profile); name && !contains(kSpecial, other.profile))
      other_profiles_.push_back(*name);
    if (auto name = Name::parse(other.cluster_domain); name && !name->is_root()) other_domains_.push_back(*name);
  }
}

Decision Rules::decide(const Question& question) const {
  const Name& name = question.name;
  Decision out = meaning(question);
  bool in_internet = question.klass == kClassIn || question.klass == kClassAny;
  const Mapping* mapping = in_internet ? mapped(question, out.cluster_name) : nullptr;
  if (mapping) return {.owner = Owner::kMapped, .rule = Rule::kMapping, .mapping = mapping};
  if (is_nobodys(name)) return {.owner = Owner::kNobody, .rule = Rule::kNobodys};
  switch (lists_.judge(name, out.cluster_name, service_label(name, out.cluster_name))) {
    case NameLists::Verdict::kNeither: break;
    case NameLists::Verdict::kExcluded: {
      // In split mode only what comes to us at all, as the cluster's, is to be asked of the machine. Nobody else has the
      // names of a profile.
      Decision not_asked = out.owner == Owner::kRefused ? out : Decision();
      if (out.rule == Rule::kProfile) not_asked.owner = Owner::kNobody;
      not_asked.rule = Rule::kExclude;
      return not_asked;
    }
    case NameLists::Verdict::kIncluded:
      if (out.owner == Owner::kCluster || !in_internet) break;
      if (out.owner != Owner::kIfNamespace)
        out = {.owner = Owner::kCluster, .rule = Rule::kInclude, .cluster_name = name, .falls_through = true};
      out.included = true;
      break;
  }
  return out;
}

bool Rules::is_clusters(const Name& name) const {
  Decision decision = decide({name, kTypeA, kClassIn});
  if (decision.owner == Owner::kIfNamespace) return decision.included;
  return decision.owner == Owner::kCluster && decision.cluster_name == name;
}

Decision Rules::meaning(const Question& question) const {
  const Name& name = question.name;
  if (name.under(domain_)) return {.owner = Owner::kCluster, .rule = Rule::kClusterDomain, .cluster_name = name};
  std::size_t labels = name.labels();
  if (labels == 0 || (question.klass != kClassIn && question.klass != kClassAny)) return elsewhere();
  if (std::optional<Decision> of_ours = of_profile(name)) return *of_ours;
  if (is_of_others(name)) return elsewhere();
  if (same_label(name.label(labels - 1), "arpa")) return reverse(name);
  return service(name);
}

std::optional<Decision> Rules::of_profile(const Name& name) const {
  if (!profile_ || name.labels() < 2 || !name.under(*profile_)) return std::nullopt;
  Name before = name.before_last(1);
  Decision out;
  if (before.under(domain_)) {
    out = {.owner = Owner::kCluster, .rule = Rule::kProfile, .cluster_name = before};
  } else {
    // SERVICE.PROFILE too is a service's, of a namespace that is called as the profile.
    const Name& service = before.labels() - port_labels(before, before.labels()) == 1 ? name : before;
    bool ends_in_svc = service.labels() >= 2 && same_label(service.label(service.labels() - 1), "svc");
    out = cluster(Rule::kProfile, service, ends_in_svc ? domain_ : service_domain_);
  }
  out.falls_through = false;
  if (out.owner != Owner::kCluster) out = {.owner = Owner::kNobody, .rule = Rule::kProfile};
  return out;
}

bool Rules::is_of_others(const Name& name) const {
  auto below = [&](const Name& other) { return name.under(other); };
  if (std::any_of(other_domains_.begin(), other_domains_.end(), below)) return true;
  std::size_t labels = name.labels();
  if (labels - port_labels(name, labels) < 3) return false;
  return std::any_of(other_profiles_.begin(), other_profiles_.end(), below);
}

bool Rules::is_routed(const packet::Cidr& prefix) const {
  return std::any_of(routes_.begin(), routes_.end(), [&](const packet::Cidr& route) {
    return route.length() <= prefix.length() && route.contains(prefix.network());
  });
}

Decision Rules::reverse(const Name& name) const {
  std::optional<packet::Cidr> prefix = reverse_prefix(name);
  if (!prefix || !is_routed(*prefix)) return elsewhere();
  return {.owner = Owner::kCluster, .rule = Rule::kReverse, .cluster_name = name, .falls_through = true};
}

Decision Rules::service(const Name& name) const {
  std::size_t labels = name.labels();
  std::size_t ports = port_labels(name, labels);
  if (labels == ports) return elsewhere();
  if (labels - ports == 1) {
    if (!short_domain_ || ports == 1 || !may_be_kubernetes(name.label(ports))) return elsewhere();
    return cluster(Rule::kShort, name, *short_domain_);
  }
  bool ends_in_svc = labels - ports >= 3 && same_label(name.label(labels - 1), "svc");
  std::size_t at = labels - (ends_in_svc ? 2 : 1);
  // In front of the namespace and behind the port: `svc` or `pod.svc`.
  if (at - ports > 2) return elsewhere();
  std::string candidate = lower(name.label(at));
  bool listed = namespaces_.contains(candidate);
  bool may_ask = may_be_kubernetes(candidate) && (mode_ == Mode::kStandIn || ends_in_svc);
  if (!listed && !may_ask) return elsewhere();
  Decision out = cluster(Rule::kNamespace, name, ends_in_svc ? domain_ : service_domain_);
  if (!listed && out.owner == Owner::kCluster) {
    out.owner = Owner::kIfNamespace;
    out.candidate = std::move(candidate);
  }
  return out;
}

Decision Rules::cluster(Rule rule, const Name& prefix, const Name& suffix) const {
  std::optional<Name> full = prefix.followed_by(suffix);
  if (!full) return elsewhere();
  return {.owner = Owner::kCluster, .rule = rule, .cluster_name = std::move(*full), .falls_through = true};
}

Decision Rules::elsewhere() const { return {.owner = mode_ == Mode::kSplit ? Owner::kRefused : Owner::kMachine}; }

const Mapping* Rules::mapped(const Question& question, const Name& meant) const {
  if (mappings_.empty()) return nullptr;
  if (const Mapping* found = mappings_.find(question.name, meant)) return found;
  // The cluster knows its own addresses better.
  std::optional<packet::Cidr> prefix = reverse_prefix(question.name);
  if (!prefix || prefix->length() != prefix->network().bits() || is_routed(*prefix)) return nullptr;
  return mappings_.reverse(prefix->network());
}

// The label that names the service, where there is one.
std::string_view Rules::service_label(const Name& name, const Name& meant) const {
  std::size_t ports = port_labels(name, name.labels());
  if (name.labels() - ports == 1) return name.label(ports);
  std::size_t labels = meant.under(service_domain_) ? meant.labels() - service_domain_.labels() : 0;
  return labels < 2 ? std::string_view() : meant.label(labels - 2);
}

std::optional<Name> Rules::namespace_name(std::string_view candidate) const {
  std::optional<Name> label = Name::parse(candidate);
  return label ? label->followed_by(service_domain_) : std::nullopt;
}

}  // namespace causeway::dns

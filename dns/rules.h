// Whose name is it? The decision in pure form: no state, nothing asked.
//
//   name                                       whose
//   at or below the cluster domain             the cluster's, whatever it answers
//   at or below SERVICE.PROFILE                the cluster's as SERVICE.NS.svc.DOMAIN, whatever it answers
//   reverse names of routed addresses          the cluster's; where it says no, the machine's
//   SERVICE, where there is a short namespace  the cluster's as SERVICE.SHORT.svc.DOMAIN; where it says no, the machine's
//   SERVICE.NS, SERVICE.NS.svc                 if NS is a namespace, the cluster's as SERVICE.NS.svc.DOMAIN; else the machine's
//   anything else                              the machine's
//
// SERVICE is what Kubernetes puts below a namespace: `svc`, `pod.svc`, and either behind `_port._proto`. So a name with more
// labels is never taken for a cluster's because it ends like a namespace. Behind PROFILE stands what could stand before DOMAIN:
// SERVICE.NS, SERVICE.NS.svc, or a full name.
//
// Before all that come what the profile maps (mappings.h), what is nobody's (wpad and the like: such names let a network configure
// the laptop), and what it excludes or includes (name_lists.h). What a name means in the cluster is excluded and mapped by any of
// its forms.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/result.h"
#include "core/packet/address.h"
#include "dns/mappings.h"
#include "dns/message.h"
#include "dns/name_lists.h"

namespace causeway::dns {

// How questions reach us.
enum class Mode : std::uint8_t {
  kStandIn,  // all of the machine's: we pass on what is not the cluster's
  kSplit,    // the system routes by name: only the cluster's names are taken, others are refused
};

struct RulesConfig {
  std::string profile;  // the suffix of this cluster's names; empty: none
  std::string cluster_domain = "cluster.local";
  std::vector<std::string> namespaces;  // known without asking
  std::string short_namespace;          // of single-label names; empty: none
  std::vector<packet::Cidr> routes;     // whose reverse names are the cluster's
  std::vector<std::string> include;     // suffixes that the cluster answers too
  std::vector<std::string> exclude;     // names that it is never asked for
  std::vector<MappingConfig> mappings;
  Mode mode = Mode::kStandIn;
};

// Names of another profile that is up, which are never taken for this one's: at or below SERVICE.NS.PROFILE, and its domain.
struct OtherProfile {
  std::string profile;
  std::string cluster_domain;
};

struct Decision {
  enum class Owner : std::uint8_t {
    kCluster,      // ask the cluster for `cluster_name`
    kIfNamespace,  // the same if `candidate` is a namespace, else as `included` says
    kMachine,
    kNobody,       // NXDOMAIN, without asking anyone
    kMapped,       // `mapping` answers
    kMeaningless,  // NXDOMAIN: a virtual address that stands for nothing
    kRefused,      // REFUSED: in kSplit it should not have come here
  };
  // Why.
  enum class Rule : std::uint8_t {
    kOther,
    kClusterDomain,
    kProfile,
    kReverse,
    kShort,
    kNamespace,
    kInclude,
    kExclude,
    kMapping,
    kNobodys,
    kVirtual,
  };
  Owner owner = Owner::kMachine;
  Rule rule = Rule::kOther;
  Name cluster_name = {};
  bool falls_through = false;  // a negative answer of the cluster is not the last word: ask the machine
  std::string candidate = {};  // in lower case
  bool included = false;  // where `candidate` is no namespace, ask the cluster for the name as it is; else the machine
  const Mapping* mapping = nullptr;  // the rules'
};
// "the profile's `include`": what decided, for a person.
std::string_view rule_text(Decision::Rule rule);

class Rules {
 public:
  // Fails where a configured name is none, and where mappings lead to themselves.
  static Result<Rules> create(const RulesConfig& config);

  // Replaces what was known of them.
  void set_others(const std::vector<OtherProfile>& others);

  Decision decide(const Question& question) const;
  // A cluster may speak about `name`: it would be asked for it by this very name.
  bool is_clusters(const Name& name) const;
  // NS.svc.DOMAIN, which exists if and only if the namespace does.
  std::optional<Name> namespace_name(std::string_view candidate) const;
  // What is decided of names that are not the cluster's.
  Decision elsewhere() const;
  const Name& cluster_domain() const { return domain_; }

 private:
  Rules() = default;
  Result<void> add_mappings(const std::vector<MappingConfig>& mappings);
  // By the table alone.
  Decision meaning(const Question& question) const;
  Decision reverse(const Name& name) const;
  Decision service(const Name& name) const;
  std::optional<Decision> of_profile(const Name& name) const;
  bool is_of_others(const Name& name) const;
  Decision cluster(Decision::Rule rule, const Name& prefix, const Name& suffix) const;
  const Mapping* mapped(const Question& question, const Name& meant) const;
  std::string_view service_label(const Name& name, const Name& meant) const;
  bool is_routed(const packet::Cidr& prefix) const;

  Name domain_;
  Name service_domain_;  // svc.DOMAIN
  std::optional<Name> profile_;
  std::optional<Name> short_domain_;
  std::unordered_set<std::string> namespaces_;
  std::vector<packet::Cidr> routes_;
  NameLists lists_;
  Mappings mappings_;
  std::vector<Name> other_profiles_, other_domains_;
  Mode mode_ = Mode::kStandIn;
};

}  // namespace causeway::dns

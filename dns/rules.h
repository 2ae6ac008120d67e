// Whose name is it? The decision in pure form: no state, nothing asked.
//
//   name                                       whose
//   at or below the cluster domain             the cluster's, whatever it answers
//   reverse names of routed addresses          the cluster's; where it says no, the machine's
//   SERVICE, where there is a short namespace  the cluster's as SERVICE.SHORT.svc.DOMAIN; where it says no, the machine's
//   SERVICE.NS, SERVICE.NS.svc                 if NS is a namespace, the cluster's as SERVICE.NS.svc.DOMAIN; else the machine's
//   wpad, isatap, service browsing             nobody's: they let a network configure the laptop
//   anything else                              the machine's
//
// SERVICE is what Kubernetes puts below a namespace: `svc`, `pod.svc`, and either behind `_port._proto`. So a name with more
// labels is never taken for a cluster's because it ends like a namespace.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/result.h"
#include "core/packet/address.h"
#include "dns/message.h"

namespace causeway::dns {

// How questions reach us.
enum class Mode : std::uint8_t {
  kStandIn,  // all of the machine's: we pass on what is not the cluster's
  kSplit,    // the system routes by name: only the cluster's names are taken, others are refused
};

struct RulesConfig {
  std::string cluster_domain = "cluster.local";
  std::vector<std::string> namespaces;  // known without asking
  std::string short_namespace;          // of single-label names; empty: none
  std::vector<packet::Cidr> routes;     // whose reverse names are the cluster's
  Mode mode = Mode::kStandIn;
};

struct Decision {
  enum class Owner : std::uint8_t {
    kCluster,      // ask the cluster for `cluster_name`
    kIfNamespace,  // the same if `candidate` is a namespace, else ask the machine
    kMachine,
    kNobody,       // NXDOMAIN, without asking anyone
    kMeaningless,  // NXDOMAIN: a virtual address that stands for nothing
    kRefused,      // REFUSED: in kSplit it should not have come here
  };
  Owner owner = Owner::kMachine;
  Name cluster_name;
  bool falls_through = false;  // a negative answer of the cluster is not the last word: ask the machine
  std::string candidate;       // in lower case
};

class Rules {
 public:
  // Fails where a configured name is none.
  static Result<Rules> create(const RulesConfig& config);

  Decision decide(const Question& question) const;
  // NS.svc.DOMAIN, which exists if and only if the namespace does.
  std::optional<Name> namespace_name(std::string_view candidate) const;
  // What is decided of names that are not the cluster's.
  Decision elsewhere() const;
  const Name& cluster_domain() const { return domain_; }

 private:
  Rules() = default;
  Decision reverse(const Name& name) const;
  Decision service(const Name& name) const;
  Decision cluster(const Name& prefix, const Name& suffix) const;

  Name domain_;
  Name service_domain_;  // svc.DOMAIN
  std::optional<Name> short_domain_;
  std::unordered_set<std::string> namespaces_;
  std::vector<packet::Cidr> routes_;
  Mode mode_ = Mode::kStandIn;
};

// The addresses that a reverse name stands for: "96.10.in-addr.arpa" is 10.96.0.0/16. Labels further left that are no part of an
// address are passed over (RFC 2317). None for any other name.
std::optional<packet::Cidr> reverse_prefix(const Name& name);

}  // namespace causeway::dns

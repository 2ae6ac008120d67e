// Exceptions that a profile makes for names: what the cluster answers too, and what it is never asked.
//
//   "foo.example"     that name and all below it
//   "*.foo.example"   only those below it
//   "redis"           (in `exclude`) the service of that name, in every namespace and by every form of its name
//
// Of two patterns that cover a name the one with more labels wins ('*' is one), `include` where they tie.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/result.h"
#include "dns/name.h"

namespace causeway::dns {

class NameLists {
 public:
  enum class Verdict : std::uint8_t { kNeither, kIncluded, kExcluded };

  // An excluded name is excluded by its full form too: "redis.shop" as redis.shop.svc.DOMAIN. `service_domain` is svc.DOMAIN.
  // Fails on what is no pattern.
  static Result<NameLists> create(const std::vector<std::string>& include, const std::vector<std::string>& exclude,
                                  const Name& service_domain);

  // `meant` is the cluster's full name for `asked`, the root where it has none. `service` is the label that names a service, in
  // any case of letters; empty: none.
  Verdict judge(const Name& asked, const Name& meant, std::string_view service) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Weights {
    std::size_t itself = 0, below = 0;  // labels of the pattern; 0: does not cover
  };
  class Suffixes {
   public:
    void add(const Name& name, bool wild, std::size_t weight);
    // Of the pattern with most labels that covers `name`; 0: none does.
    std::size_t weight(const Name& name) const;

   private:
    std::unordered_map<std::string, Weights, Hash, std::equal_to<>> weights_;  // by Name::key()
  };

  Suffixes include_, exclude_;
  std::unordered_set<std::string> services_;  // in lower case
};

}  // namespace causeway::dns

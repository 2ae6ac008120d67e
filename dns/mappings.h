// Names that a profile answers itself, as a hosts file would: by another name or by addresses.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/packet/address.h"
#include "dns/message.h"

namespace causeway::dns {

// Exactly one of `alias` and `address` is there. A name may come again with another address.
struct MappingConfig {
  std::string name;
  std::string alias;  // empty: none
  std::optional<packet::Address> address;
};

// What a mapped name is answered with.
struct Mapping {
  enum class Kind : std::uint8_t {
    kAlias,      // CNAME to `target`, which is then resolved by its own rules
    kAddresses,  // A and AAAA; nothing for other types
    kReverse,    // PTR to `target`; nothing for other types
  };
  Kind kind = Kind::kAlias;
  Name target;
  std::vector<packet::Address> addresses;
};

class Mappings {
 public:
  static constexpr std::uint32_t kTtl = 5;  // seconds: they end with the tunnel

  // Also under `meant`, the cluster's full name for it, unless that is the root. Fails where it cannot be meant.
  Result<void> add(const MappingConfig& config, const Name& meant);

  bool empty() const { return by_name_.empty(); }
  // None where neither name is mapped. Lives as long as this.
  const Mapping* find(const Name& name, const Name& meant) const;
  // The name that was first mapped to `address`; none for a loopback address: that is localhost.
  const Mapping* reverse(const packet::Address& address) const;

 private:
  const Mapping* find(const Name& name) const;

  std::unordered_map<std::string, Mapping> by_name_;  // by Name::key()
  std::unordered_map<packet::Address, Mapping> by_address_;
};

// All that `mapping` has of the type asked for, as an answer; an alias as a CNAME record alone.
std::vector<std::uint8_t> mapped_answer(const Mapping& mapping, const Question& asked);

}  // namespace causeway::dns

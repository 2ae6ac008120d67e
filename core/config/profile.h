// A profile: which cluster, how to get in, and what of it the laptop should see. TOML text in, values out; reading files is
// platform's.
//
//   gateways     = ["203.0.113.7:7700", "gw.example.org:7700"]   # tried in this order
//   gateway_key  = "…"                                           # base64, 44 characters
//   key_file     = "/etc/causeway/laptop.key"                    # mode 0600 or stricter
//   psk_file     = "/etc/causeway/laptop.psk"                    # optional
//   routes       = ["10.96.0.0/16", "fd00:96::/112"]
//   include      = ["10.20.0.5/32"]                              # not the cluster's own, but reached through it; default: none
//   exclude      = ["10.96.8.0/24"]                              # goes where it always went; default: none
//   conflict     = "virtual"                                     # or "fail", "win"; default
//   autostart    = true                                          # comes up when the daemon starts; default: false
//
// Of `routes`, `include` and `exclude` the most specific prefix that holds an address decides.
//
//   [dns]
//   domain       = "cluster.local"      # default
//   namespaces   = ["shop"]             # default: none, the cluster is asked
//   short        = "shop"               # the namespace of single-label names; default: none
//   include      = ["corp.internal"]    # suffixes that the cluster answers too; "*.corp.internal": only what is below
//   exclude      = ["redis"]            # services, in every form of their names, and suffixes that the cluster is never asked for
//   mappings     = [{ name = "db.shop", alias = "db.infra" },        # answered with a CNAME, ...
//                   { name = "pay.test", address = "127.0.0.1" }]    # ... or with addresses
//   take_over    = true                 # stand in as the machine's resolver where nothing routes by name; default
//   timeout_ms   = 4000                 # how long the cluster may take for an answer, 100 to 60000; default
//   cache        = true                 # its answers are kept as long as they say, 60 s at most; default
//
//   [intercept]
//   shortcut     = true                 # from this machine, an intercepted service is the local process at once; default
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/host_port.h"
#include "core/link/stream_carrier.h"
#include "core/packet/address.h"

namespace causeway::config {

// Exactly one of `alias` and `address` is there.
struct DnsMapping {
  std::string name;
  std::string alias;  // empty: none
  std::optional<packet::Address> address;
};

struct DnsProfile {
  std::string domain = "cluster.local";
  std::vector<std::string> namespaces;
  std::string short_namespace;
  std::vector<std::string> include, exclude;  // names, some behind "*."
  std::vector<DnsMapping> mappings;
  bool take_over = true;
  std::uint64_t timeout_ms = 4000;
  bool cache = true;
};

// What becomes of one of `routes` where another network of this machine has addresses of it.
enum class ConflictPolicy : std::uint8_t {
  kVirtual,  // this machine reaches it by virtual addresses, and the other network stays as it is
  kFail,     // the profile does not come up
  kWin,      // it goes into the tunnel, and what it hides of the other network comes back on `down`
};

struct Profile {
  std::string name;
  std::vector<HostPort> gateways;
  link::PublicKey gateway_key{};
  std::string key_file;
  std::string psk_file;  // empty: none
  std::vector<packet::Cidr> routes;
  std::vector<packet::Cidr>
      include;  // an address of this machine's own network may be among them: it is asked for by name
  std::vector<packet::Cidr> exclude;
  ConflictPolicy conflict = ConflictPolicy::kVirtual;
  DnsProfile dns;
  bool autostart = false;
  bool intercept_shortcut = true;  // without the way through the cluster
};

// `source` names the text in errors: "/etc/causeway/demo.toml:3:14: unknown key 'rotues'; did you mean 'routes'?". Relative file
// names in the profile are relative to the folder of `source`. The profile's name is the file's without ".toml": 1 to 12 of
// a-z, 0-9, '-' and '_' (it becomes part of a device name).
Result<Profile> parse_profile(std::string_view toml, std::string_view source);

}  // namespace causeway::config

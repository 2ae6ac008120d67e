// The text of /etc/resolv.conf (resolv.conf(5)): what it says, and what we write in its place. Pure functions.
//
// The file that stands in holds everything of the one before, line by line behind "#= ", so that it can be put back even where
// nothing but the file itself is left:
//
//   # causeway: tund answers the cluster's names here (demo) and passes all others on to the servers that were here before.
//   # "tunctl down" puts the file back, and so does the next start of tund. By hand: sed -n 's/^#= //p' FILE
//   # Kept by /var/lib/causeway/journal/resolver
//   #= nameserver 192.168.1.1
//   #= search home.example
//   nameserver 10.96.255.1
//   search home.example
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/packet/address.h"

namespace causeway::platform {

// The largest resolv.conf that is read.
inline constexpr std::size_t kMaxResolvConf = 64 * 1024;

struct ResolvConf {
  std::vector<packet::Address> servers;  // in order, without the ones that have a scope ("fe80::1%eth0")
  std::vector<std::string> search;       // of the last search or domain line, as the C library does it
};

ResolvConf parse_resolv_conf(std::string_view text);

// A profile's stub.
struct StandIn {
  std::string profile;
  std::vector<packet::Address> servers;
  friend bool operator==(const StandIn&, const StandIn&) = default;
};

// The file to write: the servers of the first of `active`, which asks the others, and everything else of `original`. `active` is not
// empty; `keeper` is the path of the resolver's journal.
std::string render_stand_in(std::string_view original, const std::vector<StandIn>& active, std::string_view keeper);

// It begins as a stand-in does that was written with this `keeper`: one of another tund is a file like any other.
bool is_stand_in(std::string_view text, std::string_view keeper);

// The file before a stand-in, from the stand-in's own comments.
std::string original_of_stand_in(std::string_view text);

// "nameserver 10.96.255.1\n", one line for each.
std::string server_lines(const StandIn& stub);

// A stand-in that somebody edited, without what is ours: our comments go, our servers give way to the ones of `original`, and
// every other line stays as it is.
std::string take_out(std::string_view text, const std::vector<packet::Address>& ours, std::string_view original);

}  // namespace causeway::platform

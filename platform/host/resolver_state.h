// What the resolver's journal holds: one for all profiles, since they share one file. Text, then the original byte for byte:
//
//   causeway-resolver 1
//   file /run/NetworkManager/resolv.conf
//   owner 644 0 0
//   stub demo 10.96.255.1 fd00:96::1
//   was demo 10.96.255.1
//   original 57
//   …57 bytes; "original none" and no bytes where there was no file
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/host/files.h"
#include "platform/host/resolv_conf.h"

namespace causeway::platform {

struct ResolverState {
  std::string file;  // the one that was written, behind any symbolic links
  FileOwner owner;
  bool existed = true;
  std::string original;
  std::vector<StandIn> active;  // what the file says, or shall say
  std::vector<StandIn> before;  // what it said before the last change, which a crash may have kept from being made

  std::string text() const;
  static std::optional<ResolverState> parse(std::string_view text);

  // All stubs' servers that the file may name.
  std::vector<packet::Address> servers() const;
  bool has(std::string_view profile) const;
};

}  // namespace causeway::platform

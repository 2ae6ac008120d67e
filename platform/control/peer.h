// Who is at the other end of a local socket, as the kernel says.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "core/base/result.h"

namespace causeway::platform {

struct Peer {
  uid_t user = 0;
  std::vector<gid_t> groups;  // all of them, the primary one too

  bool is_member(std::optional<gid_t> group) const;
};

// As they were when the peer connected (SO_PEERCRED, SO_PEERGROUPS: unix(7)).
Result<Peer> peer_of(int socket);

}  // namespace causeway::platform

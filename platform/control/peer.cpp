#include "platform/control/peer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace causeway::platform {

bool Peer::is_member(std::optional<gid_t> group) const {
  return group && std::find(groups.begin(), groups.end(), *group) != groups.end();
}

Result<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return fail(ErrorCode::kSystem, std::string("cannot ask who calls: ") + std::strerror(errno));
  }
  Peer peer{credentials.uid, std::vector<gid_t>(64)};
  for (;;) {
    size = socklen_t(peer.groups.size() * sizeof(gid_t));
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) == 0) break;
    // ERANGE tells how much is needed; the kernel has at most NGROUPS_MAX (65,536) groups for a process.
    if (errno != ERANGE || size / sizeof(gid_t) <= peer.groups.size()) {
      return fail(ErrorCode::kSystem, std::string("cannot ask for the caller's groups: ") + std::strerror(errno));
    }
    peer.groups.resize(size / sizeof(gid_t));
  }
  peer.groups.resize(size / sizeof(gid_t));
  peer.groups.push_back(credentials.gid);
  return peer;
}

}  // namespace causeway::platform

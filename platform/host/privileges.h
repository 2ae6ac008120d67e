// Gives rights away for good. Linux capabilities; see capabilities(7).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace causeway::platform {

// Who the engine process runs as where the configured user does not exist: a number that no distribution, systemd or container
// gives to anybody, below 65,536 so that it exists in containers too.
inline constexpr uid_t kNamelessId = 60770;

struct EngineUser {
  uid_t uid = kNamelessId;
  gid_t gid = kNamelessId;
  std::string text;  // "causeway", or "uid 60770, as there is no user causeway"
};

// `user` is a name or a number. kInvalid for root, in either form.
Result<EngineUser> find_engine_user(std::string_view user);

// Makes this process one of that user: no supplementary groups, no capability in any set, none to be had back (no_new_privs), not
// dumpable, so that no process of the same user reads its keys. Checks that all of it is so. For a process with one thread.
Result<void> drop_privileges(const EngineUser& user);

// Keeps of root's capabilities only what the host helper needs: devices and routes, files with other owners (resolv.conf), and to
// end the engine process.
Result<void> keep_helper_privileges();

}  // namespace causeway::platform

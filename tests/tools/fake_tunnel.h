// The library's facade without a tunnel behind it: what happens is written in the profile's text.
//
//   "ok ..."            comes up
//   "hang"              comes up to the step "gateway" and no further
//   "STEP KIND TEXT"    fails there: "link refused the gateway does not know our key"
//   "invalid TEXT"      is no profile
#pragma once

#include <causeway/tunnel.h>

#include <string>

namespace causeway::fake {

// On the runtime's thread, for a tunnel that is up.
void lose_link(const std::string& profile, const std::string& why);
void find_link(const std::string& profile);
void die(const std::string& profile, const std::string& why);

// Tunnels that exist now.
int living();

}  // namespace causeway::fake

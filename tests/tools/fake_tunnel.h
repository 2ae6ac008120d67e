// The library's facade without a tunnel behind it: what happens is written in the profile's text.
//
//   "ok NAME:PROTOCOL…" comes up, and has these services. Each is proven at once; one called "taken" is somebody else's, "hang" gets no answer
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

// On the runtime's thread: what the gateway says of an intercept of that service.
void lose_intercept(const std::string& profile, const std::string& service);  // it waits
void find_intercept(const std::string& profile, const std::string& service);  // it is ready again
void free_intercept(const std::string& profile, const std::string& service, const std::string& why);
// The port of all services, 80 at first.
void services_listen_on(int port);
// How many intercepts a tunnel has.
int intercepts(const std::string& profile);

// Tunnels that exist now.
int living();

}  // namespace causeway::fake

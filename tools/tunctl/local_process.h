// Where the local process is to listen: an address that was named, or this machine by either of its loopback addresses.
#pragma once

#include <optional>

#include "core/packet/address.h"
#include "tools/tunctl/intercept_options.h"

namespace causeway::tunctl {

// The place where somebody listens now; none where nobody does. A process that listens on 127.0.0.1 and ::1 is met at the first.
std::optional<packet::Endpoint> listening_place(const InterceptOptions& options, std::uint16_t port);
// Where to expect it.
packet::Endpoint usual_place(const InterceptOptions& options, std::uint16_t port);
// The port of what the cluster calls; 0: it is not known.
std::uint16_t port_of(const control::ServiceAnswer& service);

}  // namespace causeway::tunctl

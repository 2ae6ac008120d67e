// Whether somebody listens, without being noticed by who does.
#pragma once

#include "core/packet/address.h"

namespace causeway::platform {

// A TCP connection to `at` would find a listening socket. For an address of this machine the kernel is asked (sock_diag(7)). For
// others, and where the kernel does not tell, a connection is tried for at most 300 ms.
bool listens(const packet::Endpoint& at);

}  // namespace causeway::platform

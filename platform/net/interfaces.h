// What the machine's network looks like from here.
#pragma once

#include <string_view>
#include <vector>

#include "core/packet/address.h"

namespace causeway::platform {

// The addresses of all interfaces that are up.
std::vector<packet::Address> own_addresses();

// The servers of a resolv.conf(5), in order, at most three as the C library takes; link-local ones with a scope are left out.
std::vector<packet::Endpoint> resolv_conf_servers(std::string_view text);

}  // namespace causeway::platform

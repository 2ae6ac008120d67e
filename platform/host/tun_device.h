// Makes a TUN device. It lives as long as its descriptor, or until it is removed.
#pragma once

#include <string>

#include "platform/host/host.h"

namespace causeway::platform {

// IFF_TUN | IFF_NO_PI | IFF_VNET_HDR with a header of 10 bytes, checksums and TCP segmentation left to us, non-blocking.
// kConflict where a device of that name exists.
Result<Descriptor> open_tun(const std::string& name);

}  // namespace causeway::platform

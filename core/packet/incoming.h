// A packet as a device gave it.
#pragma once

#include "core/base/buffer.h"

namespace causeway::packet {

struct Incoming {
  Buffer owner;                    // the block that `packet` lies in
  Bytes packet;                    // from the IP header; up to 65,535 bytes when the device segments for us
  bool checksum_trusted = false;   // the transport checksum needs no look
};

}  // namespace causeway::packet

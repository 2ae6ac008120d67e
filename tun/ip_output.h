// The IP layer that lwIP believes it stands on. It is ours in both directions: the addresses of what comes in are taken from
// the parsed packet, and what lwIP sends gets its IP header here, in the attachment's batch (Machine::output).
#pragma once

#include "core/packet/address.h"

namespace causeway::tun {

// From where to where the segment goes that lwIP is given next.
void set_input_addresses(const packet::Address& source, const packet::Address& destination);

}  // namespace causeway::tun

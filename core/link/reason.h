// Why a stream was refused or reset, as REFUSED and RESET carry it and as both ends count it.
#pragma once

#include <cstdint>

namespace causeway::link {

enum class Reason : std::uint8_t {
  kNone = 0,
  kConnectionRefused = 1,    // the target sent RST to the SYN, or ICMP port unreachable: ECONNREFUSED
  kHostUnreachable = 2,      // EHOSTUNREACH
  kNetworkUnreachable = 3,   // ENETUNREACH
  kTimedOut = 4,             // the gateway's dial was not answered: ETIMEDOUT; the app hears nothing
  kForbidden = 5,            // the gateway's rules do not allow this destination
  kNameNotFound = 6,         // a destination by name that does not resolve
  kLimit = 7,                // a bound on streams, dials or bytes
  kConnectionReset = 8,      // the other side's socket was reset
  kNotAvailable = 9,         // the gateway's kernel forbids it (echo requests)
  kLinkLost = 10,            // never on the wire: the carrier died under the stream
  kShuttingDown = 11,
  kInternal = 12,            // the gateway could not for a reason of its own (out of descriptors, say)
  kConflict = 13,            // UNLISTEN: another client has what was asked for
};

const char* reason_name(Reason reason);

}  // namespace causeway::link

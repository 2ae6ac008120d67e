#include "platform/relay/relay.h"

#include <cerrno>

namespace causeway::platform {

link::Reason reason_of(int error) {
  switch (error) {
    case ECONNREFUSED: return link::Reason::kConnectionRefused;
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENOPROTOOPT:  // ICMP protocol unreachable
    case EPROTO: return link::Reason::kHostUnreachable;
    case ENETUNREACH:
    case ENETDOWN:
    case EAFNOSUPPORT: return link::Reason::kNetworkUnreachable;
    case ETIMEDOUT: return link::Reason::kTimedOut;
    case EACCES:
    case EPERM: return link::Reason::kForbidden;
    case EADDRNOTAVAIL:  // no source port is left
    case EAGAIN: return link::Reason::kLimit;
    case ECONNRESET:
    case EPIPE: return link::Reason::kConnectionReset;
    default: return link::Reason::kInternal;
  }
}

}  // namespace causeway::platform

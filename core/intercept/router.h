// Where requests go, as HttpProxy asks it. The gateway's is made of an InterceptTable; the laptop's of one Match.
#pragma once

#include <cstdint>

#include "core/http/head.h"

namespace causeway::intercept {

// Never used again while its table lives.
using InterceptId = std::uint64_t;
// Not an intercept: the service itself.
inline constexpr InterceptId kOriginal = 0;

struct Route {
  InterceptId to = kOriginal;
  // When the local process does not take the connection: the request goes to the original, instead of an error to the client.
  bool original_when_down = true;
};

class Router {
 public:
  virtual ~Router() = default;
  // Asked once for each request, with a head that is good for this call. Only intercepts whose laptop answers now.
  virtual Route route(const http::Head& request) = 0;
};

}  // namespace causeway::intercept

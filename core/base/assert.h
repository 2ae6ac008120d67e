// Assertions for our own bugs: on in every build. A bad packet is a counted drop, a host that says no is a Result.
#pragma once

namespace causeway {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace causeway

#define CAUSEWAY_ASSERT(expression) \
  (__builtin_expect(!!(expression), 1) ? void(0) : ::causeway::assertion_failed(#expression, __FILE__, __LINE__))

#include "core/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace causeway {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "causeway: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace causeway

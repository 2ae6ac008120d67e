#include "core/link/number_window.h"

#include <algorithm>

namespace causeway::link {

bool NumberWindow::take(std::uint64_t number) {
  auto at = std::lower_bound(sorted_.begin(), sorted_.end(), number);
  if (at != sorted_.end() && *at == number) return false;
  if (sorted_.size() == kSize) {
    if (at == sorted_.begin()) return false;
    sorted_.insert(at, number);
    sorted_.erase(sorted_.begin());
    return true;
  }
  sorted_.insert(at, number);
  return true;
}

}  // namespace causeway::link

#include "core/flow/service_name.h"

#include <algorithm>

namespace causeway::flow {

bool is_service_name(std::string_view name) {
  auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= kMaxServiceName && letter_or_digit(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace causeway::flow

// What services that can be intercepted are called.
#pragma once

#include <cstddef>
#include <string_view>

namespace causeway::flow {

inline constexpr std::size_t kMaxServiceName = 253;

// 1 to kMaxServiceName of a-z, A-Z, 0-9, '-', '_' and '.', beginning with a letter or digit.
bool is_service_name(std::string_view name);

}  // namespace causeway::flow

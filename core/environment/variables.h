// The environment of a service: names and values, in the order in which they were given.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace causeway::environment {

using Variable = std::pair<std::string, std::string>;
using Variables = std::vector<Variable>;

inline constexpr std::size_t kMaxName = 255;
inline constexpr std::size_t kMaxValue =
    120 * 1024;  // with its name it fits what Linux takes for one string of execve(2)
inline constexpr std::size_t kMaxVariables = 1024;
inline constexpr std::size_t kMaxBytes = 256 * 1024;  // of all names and values

// Begins with a letter or '_', and goes on with these, digits, '.' and '-'. (A shell takes fewer.)
bool is_name(std::string_view name);
// UTF-8 without NUL, not too long.
bool is_value(std::string_view value);

// kInvalid or kLimit, naming the variable: one that is none, a name that comes twice, too much of all.
Result<void> check(const Variables& variables);

// `over` wins; what is only there comes last.
Variables merged(Variables under, const Variables& over);

}  // namespace causeway::environment

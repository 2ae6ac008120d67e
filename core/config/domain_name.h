// Names as DNS has them (RFC 1123, section 2.1; '_' as it is found in use).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace causeway::config {

// 1 to 63 of a-z, 0-9, '-' and '_'; '-' neither first nor last.
bool is_label(std::string_view label);
// Labels and dots, at most 253 bytes; given in lower case and without the dot at its end.
std::optional<std::string> domain_name(std::string_view text);

}  // namespace causeway::config

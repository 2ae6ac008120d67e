#include "core/config/domain_name.h"

#include <algorithm>

namespace causeway::config {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

}  // namespace

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

std::optional<std::string> domain_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return std::nullopt;
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), lower);
  for (std::size_t at = 0; at <= name.size();) {
    std::size_t end = std::min(name.find('.', at), name.size());
    if (!is_label(std::string_view(name).substr(at, end - at))) return std::nullopt;
    at = end + 1;
  }
  return name;
}

}  // namespace causeway::config

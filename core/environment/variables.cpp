#include "core/environment/variables.h"

#include <algorithm>
#include <set>

#include "core/base/utf8.h"

namespace causeway::environment {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_other(char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; }

}  // namespace

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && is_letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_other(c); });
}

bool is_value(std::string_view value) {
  return value.size() <= kMaxValue && value.find('\0') == std::string_view::npos && is_utf8(value);
}

Result<void> check(const Variables& variables) {
  std::set<std::string_view> names;
  std::size_t bytes = 0;
  for (const auto& [name, value] : variables) {
    if (!is_name(name)) {
      return fail(ErrorCode::kInvalid, "'" + name.substr(0, kMaxName) + "' is no name of a variable",
                  "a name has letters, digits, '_', '.' and '-', and begins with a letter or '_'");
    }
    if (value.size() > kMaxValue) {
      return fail(ErrorCode::kLimit,
                  "the variable " + name + " is longer than " + std::to_string(kMaxValue) + " bytes");
    }
    if (!is_value(value)) return fail(ErrorCode::kInvalid, "the variable " + name + " is not text (UTF-8 without NUL)");
    if (!names.insert(name).second) return fail(ErrorCode::kInvalid, "the variable " + name + " comes twice");
    bytes += name.size() + value.size();
  }
  if (variables.size() > kMaxVariables) {
    return fail(ErrorCode::kLimit, "more than " + std::to_string(kMaxVariables) + " variables");
  }
  if (bytes > kMaxBytes) {
    return fail(ErrorCode::kLimit, "the variables are longer than " + std::to_string(kMaxBytes) + " bytes together");
  }
  return {};
}

Variables merged(Variables under, const Variables& over) {
  for (const Variable& variable : over) {
    auto same = [&](const Variable& each) { return each.first == variable.first; };
    auto found = std::find_if(under.begin(), under.end(), same);
    if (found == under.end()) {
      under.push_back(variable);
    } else {
      found->second = variable.second;
    }
  }
  return under;
}

}  // namespace causeway::environment

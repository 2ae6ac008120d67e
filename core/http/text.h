// Small things of HTTP's grammar (RFC 9110, section 5.6).
#pragma once

#include <string_view>

namespace causeway::http {

constexpr bool is_white(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c; }

constexpr bool is_token_character(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

constexpr bool is_token(std::string_view text) {
  for (char c : text)
    if (!is_token_character(c)) return false;
  return !text.empty();
}

// What a field's value may hold: visible characters, white space, and bytes above ASCII.
constexpr bool is_field_value(std::string_view text) {
  for (char c : text)
    if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f) return false;
  return true;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

constexpr std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_white(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_white(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the first element off a comma-separated list; empty elements come out as empty. False: there is none left.
constexpr bool next_element(std::string_view& list, std::string_view& element) {
  if (list.data() == nullptr) return false;
  const std::size_t comma = list.find(',');
  element = trimmed(list.substr(0, comma));
  list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  return true;
}

constexpr bool lists(std::string_view list, std::string_view wanted) {
  std::string_view element;
  while (next_element(list, element))
    if (equals_ignoring_case(element, wanted)) return true;
  return false;
}

}  // namespace causeway::http

// JSON (RFC 8259) from those who are not trusted: bounded in bytes, depth and values, no name twice in an object. What is objected to
// costs no memory while the rest is read. The only home of nlohmann's library.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace causeway::json {

using Json = nlohmann::json;
using Ordered = nlohmann::ordered_json;  // objects keep the order in which they were filled

struct Bounds {
  std::size_t bytes = 0;
  int depth = 0;  // 1: neither objects nor lists inside the object
  std::size_t values = 0;
};

// The text as one object. kLimit: it is longer than it may be. kInvalid: "not acceptable: a field comes twice", "not JSON, from line 3,
// column 7 on", "no JSON object".
Result<Json> parse_object(std::string_view text, const Bounds& bounds);
Result<Ordered> parse_ordered_object(std::string_view text, const Bounds& bounds);

// On one line. What is not UTF-8 is replaced.
std::string one_line(const Json& value);
// For people and their tools: two spaces a level.
std::string indented(const Ordered& value);

}  // namespace causeway::json

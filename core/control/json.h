// JSON as the control protocol takes it: an object of one version on a line; and a reader that knows which of its fields were asked
// for. Inside core/control only.
#pragma once

#include <set>

#include "core/control/message.h"
#include "core/json/json.h"

namespace causeway::control {

using json::Json;

// The object of one line, its version checked.
Result<Json> parse_object(std::string_view line);
// The line for an object, the version put in.
std::string to_line(Json object);
// For people's eyes: at most `longest` bytes, without control characters (a peer's words may end on a terminal), valid UTF-8.
std::string presentable(std::string_view text, std::size_t longest);

// Reads the fields of an object. The first thing that is wrong is kept, later reads give empty values.
class Reader {
 public:
  explicit Reader(const Json& object) : object_(object) { seen_.insert("v"); }

  bool has(const char* name) const { return object_.contains(name); }
  std::string text(const char* name, std::size_t longest, bool needed = true);
  std::uint64_t number(const char* name, bool needed = true);
  bool flag(const char* name);
  std::vector<std::string> texts(const char* name);
  std::vector<std::pair<std::string, std::uint64_t>> counters(const char* name);
  // A profile's name, or nothing where it may be left out.
  std::string profile(bool needed = true);

  void wrong(std::string what);
  // What was wrong, also a field that nobody asked for.
  Result<void> finish();

 private:
  const Json* find(const char* name, bool needed);

  const Json& object_;
  std::set<std::string_view> seen_;
  std::optional<std::string> wrong_;
};

}  // namespace causeway::control

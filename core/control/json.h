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
std::uint64_t microseconds(std::chrono::microseconds time);
std::uint64_t seconds(std::chrono::seconds time);
// As many as fit kMaxHeaderBytes.
Json presentable(const Headers& headers);
// The first `most` of the list, each cut to `longest`; the last of a longer one is "and N more".
Json cut_list(const std::vector<std::string>& list, std::size_t longest, std::size_t most = kMaxList);
// For people's eyes: at most `longest` bytes, without control characters (a peer's words may end on a terminal), valid UTF-8.
std::string presentable(std::string_view text, std::size_t longest);

// Reads the fields of an object. The first thing that is wrong is kept, later reads give empty values.
class Reader {
 public:
  explicit Reader(const Json& object) : object_(object) { seen_.insert("v"); }
  // Of an object inside another's field `name`.
  Reader(const Json& object, const char* name) : object_(object), within_(std::string(name) + '.') {}

  bool has(const char* name) const { return object_.contains(name); }
  std::string text(const char* name, std::size_t longest, bool needed = true);
  std::uint64_t number(const char* name, bool needed = true);
  bool flag(const char* name);
  std::optional<std::chrono::microseconds> microseconds(const char* name, bool needed = true);
  std::optional<std::chrono::seconds> seconds(const char* name, bool needed = true);
  std::vector<std::string> texts(const char* name);
  std::vector<std::pair<std::string, std::uint64_t>> counters(const char* name);
  // Conditions on headers, none where it may be left out.
  Headers headers(const char* name, bool needed = true);
  // Reads the object in a field with `read(Reader&)`; nothing where it is not there.
  template <class Read>
  auto inner(const char* name, Read read) -> std::optional<decltype(read(std::declval<Reader&>()))> {
    const Json* value = find(name, false);
    if (!value) return std::nullopt;
    if (!value->is_object()) {
      wrong("field '" + within_ + name + "' must be an object");
      return std::nullopt;
    }
    Reader reader(*value, name);
    auto out = read(reader);
    if (auto fine = reader.finish(); !fine) wrong(fine.error().message);
    return out;
  }
  // A profile's name, or nothing where it may be left out.
  std::string profile(bool needed = true);

  void wrong(std::string what);
  // What was wrong, also a field that nobody asked for.
  Result<void> finish();

 private:
  const Json* find(const char* name, bool needed);

  const Json& object_;
  std::string within_;
  std::set<std::string_view> seen_;
  std::optional<std::string> wrong_;
};

}  // namespace causeway::control

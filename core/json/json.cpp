#include "core/json/json.h"

#include <algorithm>
#include <set>
#include <vector>

namespace causeway::json {
namespace {

// Watches a parse: what it objects to is dropped while it goes on.
template <class Value>
struct Watch {
  const Bounds& bounds;
  std::vector<std::set<std::string>> names;
  std::size_t values = 0;
  std::string objection;

  bool operator()(int depth, typename Value::parse_event_t event, Value& parsed) {
    using Event = typename Value::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= bounds.depth) objection = "nested too deeply";
      if (event == Event::object_start) names.emplace_back();
    } else if (event == Event::object_end) {
      names.pop_back();
    } else if (event == Event::key) {
      if (!names.back().insert(parsed.template get_ref<const std::string&>()).second) objection = "a field comes twice";
    }
    if (++values > bounds.values) objection = "too many values";
    return objection.empty();
  }
};

std::string place(std::string_view before) {
  auto line = 1 + std::count(before.begin(), before.end(), '\n');
  auto column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0: the first line
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

template <class Value>
Result<Value> parse(std::string_view text, const Bounds& bounds) {
  if (text.size() > bounds.bytes)
    return fail(ErrorCode::kLimit, "longer than " + std::to_string(bounds.bytes) + " bytes");
  Watch<Value> watch{bounds, {}, 0, {}};
  Value object;
  std::string wrong;
  try {
    object = Value::parse(text, std::ref(watch));
  } catch (const typename Value::parse_error& error) {
    wrong = "not JSON, from " + place(text.substr(0, error.byte ? error.byte - 1 : 0)) + " on";
  } catch (const typename Value::exception&) {
    wrong = "not JSON as it is read here: a number is too large";
  }
  if (!watch.objection.empty()) return fail(ErrorCode::kInvalid, "not acceptable: " + watch.objection);
  if (!wrong.empty()) return fail(ErrorCode::kInvalid, wrong);
  if (!object.is_object()) return fail(ErrorCode::kInvalid, "no JSON object");
  return object;
}

}  // namespace

Result<Json> parse_object(std::string_view text, const Bounds& bounds) { return parse<Json>(text, bounds); }

Result<Ordered> parse_ordered_object(std::string_view text, const Bounds& bounds) {
  return parse<Ordered>(text, bounds);
}

std::string one_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string indented(const Ordered& value) { return value.dump(2, ' ', false, Ordered::error_handler_t::replace); }

}  // namespace causeway::json

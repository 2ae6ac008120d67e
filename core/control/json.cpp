#include "core/control/json.h"

#include <algorithm>

namespace causeway::control {
namespace {

constexpr int kMaxDepth = 3;
constexpr std::size_t kMaxValues = 4096;

// Watches a parse: what it objects to is dropped while it goes on, so that a hostile line costs no memory.
struct Watch {
  std::vector<std::set<std::string>> names;
  std::size_t values = 0;
  std::string objection;

  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= kMaxDepth) objection = "nested too deeply";
      if (event == Event::object_start) names.emplace_back();
    } else if (event == Event::object_end) {
      names.pop_back();
    } else if (event == Event::key) {
      if (!names.back().insert(parsed.get_ref<const std::string&>()).second) objection = "a field comes twice";
    }
    if (++values > kMaxValues) objection = "too many values";
    return objection.empty();
  }
};

// How many bytes the character at the start of `text` has; 0 where it is not UTF-8 (RFC 3629) or a control character.
std::size_t character_size(std::string_view text) {
  auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  auto follows = [&](std::size_t at) { return (byte(at) & 0xc0) == 0x80; };
  unsigned first = byte(0);
  if (first < 0x80) return first >= ' ' && first != 0x7f ? 1 : 0;
  if (first >= 0xc2 && first < 0xe0) return follows(1) && (first > 0xc2 || byte(1) >= 0xa0) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    bool overlong = first == 0xe0 && byte(1) < 0xa0, surrogate = first == 0xed && byte(1) >= 0xa0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first < 0xf5) {
    bool overlong = first == 0xf0 && byte(1) < 0x90, beyond = first == 0xf4 && byte(1) >= 0x90;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string presentable(std::string_view text, std::size_t longest) {
  std::string out;
  while (!text.empty()) {
    std::size_t size = character_size(text);
    if (out.size() + std::max<std::size_t>(size, 1) > longest) break;
    out.append(size ? text.substr(0, size) : "?");
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

Result<Json> parse_object(std::string_view line) {
  if (line.size() > kMaxLine) return fail(ErrorCode::kLimit, "the message is longer than 64 KiB");
  Watch watch;
  auto object = Json::parse(line, std::ref(watch), false);
  if (!watch.objection.empty()) return fail(ErrorCode::kInvalid, "the message is not acceptable: " + watch.objection);
  if (!object.is_object()) return fail(ErrorCode::kInvalid, "the message is not a JSON object");
  auto version = object.find("v");
  if (version == object.end() || !version->is_number_integer()) {
    return fail(ErrorCode::kInvalid, "the message does not say its version (\"v\": 1)");
  }
  if (*version != kVersion) {
    return fail(ErrorCode::kInvalid,
                "version " + version->dump() + " of the control protocol is not spoken here, only 1",
                "tunctl and tund must come from the same release: update both, and restart tund");
  }
  return object;
}

std::string to_line(Json object) {
  object["v"] = kVersion;
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

const Json* Reader::find(const char* name, bool needed) {
  seen_.insert(name);
  auto found = object_.find(name);
  if (found != object_.end()) return &*found;
  if (needed) wrong(std::string("field '") + name + "' is missing");
  return nullptr;
}

std::string Reader::text(const char* name, std::size_t longest, bool needed) {
  const Json* value = find(name, needed);
  if (!value) return {};
  if (!value->is_string()) {
    wrong(std::string("field '") + name + "' must be a string");
    return {};
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() > longest) {
    wrong(std::string("field '") + name + "' is longer than " + std::to_string(longest) + " bytes");
    return {};
  }
  return text;
}

std::uint64_t Reader::number(const char* name, bool needed) {
  const Json* value = find(name, needed);
  if (!value) return 0;
  if (!value->is_number_unsigned()) {
    wrong(std::string("field '") + name + "' must be a whole number, not negative");
    return 0;
  }
  return value->get<std::uint64_t>();
}

bool Reader::flag(const char* name) {
  const Json* value = find(name, true);
  if (!value) return false;
  if (!value->is_boolean()) wrong(std::string("field '") + name + "' must be true or false");
  return value->is_boolean() && value->get<bool>();
}

std::vector<std::string> Reader::texts(const char* name) {
  std::vector<std::string> out;
  const Json* value = find(name, true);
  if (!value) return out;
  bool strings = value->is_array() && value->size() <= kMaxList &&
                 std::all_of(value->begin(), value->end(), [](const Json& each) { return each.is_string(); });
  if (!strings) {
    wrong(std::string("field '") + name + "' must be a list of at most " + std::to_string(kMaxList) + " strings");
    return out;
  }
  for (const Json& each : *value) out.push_back(each.get_ref<const std::string&>());
  return out;
}

std::vector<std::pair<std::string, std::uint64_t>> Reader::counters(const char* name) {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  const Json* value = find(name, true);
  if (!value) return out;
  // A list of pairs: an object would lose the order.
  bool pairs =
      value->is_array() && value->size() <= kMaxList && std::all_of(value->begin(), value->end(), [](const Json& each) {
        return each.is_array() && each.size() == 2 && each[0].is_string() && each[1].is_number_unsigned();
      });
  if (!pairs) {
    wrong(std::string("field '") + name + "' must be a list of [name, number]");
    return out;
  }
  for (const Json& each : *value) out.emplace_back(each[0].get_ref<const std::string&>(), each[1].get<std::uint64_t>());
  return out;
}

std::string Reader::profile(bool needed) {
  std::string name = text("profile", kMaxText, needed);
  if (!name.empty() && !is_profile_name(name)) wrong("a profile's name is 1 to 12 of a-z, 0-9, '-' and '_'");
  if (name.empty() && has("profile")) wrong("a profile's name must not be empty");
  return name;
}

void Reader::wrong(std::string what) {
  if (!wrong_) wrong_ = std::move(what);
}

Result<void> Reader::finish() {
  for (const auto& field : object_.items()) {
    // The name is the sender's: cut, and made printable by the encoder of whoever passes it on.
    if (!seen_.contains(field.key())) wrong("unknown field '" + field.key().substr(0, 64) + "'");
  }
  if (wrong_) return fail(ErrorCode::kInvalid, *wrong_);
  return {};
}

}  // namespace causeway::control

#include "core/control/json.h"

#include <algorithm>

#include "core/base/utf8.h"

namespace causeway::control {
namespace {

constexpr json::Bounds kBounds{kMaxLine, 3, 4096};

}  // namespace

std::string presentable(std::string_view text, std::size_t longest) {
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::max<std::size_t>(utf8_size(text), 1);
    if (out.size() + size > longest) break;
    std::string_view character = text.substr(0, size);
    bool good = is_utf8(character) && !is_control(character);
    out += good ? std::string(character) : std::string(size, '?');
    text.remove_prefix(size);
  }
  return out;
}

Json cut_list(const std::vector<std::string>& list, std::size_t longest, std::size_t most) {
  Json out = Json::array();
  for (const std::string& each : list) {
    if (out.size() == most - 1 && list.size() > most) {
      out.push_back("and " + std::to_string(list.size() - out.size()) + " more");
      break;
    }
    out.push_back(presentable(each, longest));
  }
  return out;
}

Json presentable(const Headers& headers) {
  Json out = Json::array();
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers) {
    bytes += name.size() + value.size();
    if (out.size() == kMaxHeaders || bytes > kMaxHeaderBytes) break;
    out.push_back(Json::array({presentable(name, kMaxHeaderName), presentable(value, kMaxHeaderValue)}));
  }
  return out;
}

std::uint64_t microseconds(std::chrono::microseconds time) {
  return std::uint64_t(std::max<std::int64_t>(0, time.count()));
}

std::uint64_t seconds(std::chrono::seconds time) { return std::uint64_t(std::max<std::int64_t>(0, time.count())); }

Result<Json> parse_object(std::string_view line) {
  if (line.size() > kMaxLine) return fail(ErrorCode::kLimit, "the message is longer than 64 KiB");
  auto parsed = json::parse_object(line, kBounds);
  if (!parsed) return fail(parsed.error().code, "the message is " + parsed.error().message);
  Json& object = *parsed;
  auto version = object.find("v");
  if (version == object.end() || !version->is_number_integer()) {
    return fail(ErrorCode::kInvalid, "the message does not say its version (\"v\": 1)");
  }
  if (*version != kVersion) {
    return fail(ErrorCode::kInvalid,
                "version " + version->dump() + " of the control protocol is not spoken here, only 1",
                "tunctl and tund must come from the same release: update both, and restart tund");
  }
  return parsed;
}

std::string to_line(Json object) {
  object["v"] = kVersion;
  return json::one_line(object) + '\n';
}

const Json* Reader::find(const char* name, bool needed) {
  seen_.insert(name);
  auto found = object_.find(name);
  if (found != object_.end()) return &*found;
  if (needed) wrong("field '" + within_ + name + "' is missing");
  return nullptr;
}

std::string Reader::text(const char* name, std::size_t longest, bool needed) {
  const Json* value = find(name, needed);
  if (!value) return {};
  if (!value->is_string()) {
    wrong("field '" + within_ + name + "' must be a string");
    return {};
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() > longest) {
    wrong("field '" + within_ + name + "' is longer than " + std::to_string(longest) + " bytes");
    return {};
  }
  return text;
}

std::uint64_t Reader::number(const char* name, bool needed) {
  const Json* value = find(name, needed);
  if (!value) return 0;
  if (!value->is_number_unsigned()) {
    wrong("field '" + within_ + name + "' must be a whole number, not negative");
    return 0;
  }
  return value->get<std::uint64_t>();
}

bool Reader::flag(const char* name) {
  const Json* value = find(name, true);
  if (!value) return false;
  if (!value->is_boolean()) wrong("field '" + within_ + name + "' must be true or false");
  return value->is_boolean() && value->get<bool>();
}

std::optional<std::chrono::microseconds> Reader::microseconds(const char* name, bool needed) {
  if (!needed && !has(name)) return std::nullopt;
  // What fits no clock is no time.
  return std::chrono::microseconds(std::min<std::uint64_t>(number(name), INT64_MAX / 1000));
}

std::optional<std::chrono::seconds> Reader::seconds(const char* name, bool needed) {
  if (!needed && !has(name)) return std::nullopt;
  return std::chrono::seconds(std::min<std::uint64_t>(number(name), INT64_MAX / 1'000'000'000));
}

Headers Reader::headers(const char* name, bool needed) {
  Headers out;
  const Json* value = find(name, needed);
  if (!value) return out;
  auto is_text = [](const Json& text, std::size_t most) {
    return text.is_string() && text.get_ref<const std::string&>().size() <= most;
  };
  bool pairs = value->is_array() && value->size() <= kMaxHeaders &&
               std::all_of(value->begin(), value->end(), [&](const Json& each) {
                 return each.is_array() && each.size() == 2 && is_text(each[0], kMaxHeaderName) &&
                        is_text(each[1], kMaxHeaderValue);
               });
  if (!pairs) {
    wrong("field '" + within_ + name + "' must be a list of at most " + std::to_string(kMaxHeaders) + " [name, value]");
    return out;
  }
  for (const Json& each : *value) out.emplace_back(each[0].get<std::string>(), each[1].get<std::string>());
  return out;
}

std::vector<std::string> Reader::texts(const char* name) {
  std::vector<std::string> out;
  const Json* value = find(name, true);
  if (!value) return out;
  bool strings = value->is_array() && value->size() <= kMaxList &&
                 std::all_of(value->begin(), value->end(), [](const Json& each) { return each.is_string(); });
  if (!strings) {
    wrong("field '" + within_ + name + "' must be a list of at most " + std::to_string(kMaxList) + " strings");
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
    wrong("field '" + within_ + name + "' must be a list of [name, number]");
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
    if (!seen_.contains(field.key())) wrong("unknown field '" + within_ + field.key().substr(0, 64) + "'");
  }
  if (wrong_) return fail(ErrorCode::kInvalid, *wrong_);
  return {};
}

}  // namespace causeway::control

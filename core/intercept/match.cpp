#include "core/intercept/match.h"

#include <algorithm>
#include <tuple>

#include "core/http/text.h"

namespace causeway::intercept {
namespace {

bool contains_all(const std::vector<HeaderCondition>& all, const std::vector<HeaderCondition>& some) {
  return std::all_of(some.begin(), some.end(), [&](const HeaderCondition& condition) {
    return std::find(all.begin(), all.end(), condition) != all.end();
  });
}

bool holds(const HeaderCondition& condition, const http::Head& request) {
  return std::any_of(request.fields.begin(), request.fields.end(), [&](const http::Field& field) {
    return field.value == condition.value && http::equals_ignoring_case(field.name, condition.name);
  });
}

}  // namespace

Result<Match> Match::create(std::vector<HeaderCondition> headers, std::string path_prefix) {
  if (headers.size() > kMaxConditions)
    return fail(ErrorCode::kInvalid, "more than " + std::to_string(kMaxConditions) + " header conditions");
  for (HeaderCondition& condition : headers) {
    if (!http::is_token(condition.name) || condition.name.size() > kMaxName)
      return fail(ErrorCode::kInvalid, "\"" + condition.name + "\" is no name of a header");
    if (!http::is_field_value(condition.value) || condition.value.size() > kMaxValue ||
        http::trimmed(condition.value).size() != condition.value.size())
      return fail(ErrorCode::kInvalid, "the value for " + condition.name + " cannot be one of a header",
                  "a value is one line without white space around it");
    std::transform(condition.name.begin(), condition.name.end(), condition.name.begin(), http::lower);
  }
  std::sort(headers.begin(), headers.end(), [](const HeaderCondition& a, const HeaderCondition& b) {
    return std::tie(a.name, a.value) < std::tie(b.name, b.value);
  });
  headers.erase(std::unique(headers.begin(), headers.end()), headers.end());
  auto twice = std::adjacent_find(headers.begin(), headers.end(),
                                  [](const HeaderCondition& a, const HeaderCondition& b) { return a.name == b.name; });
  if (twice != headers.end())
    return fail(ErrorCode::kInvalid, "two values for " + twice->name, "all conditions must hold at once");
  if (!path_prefix.empty() && path_prefix.front() != '/')
    return fail(ErrorCode::kInvalid, "the path prefix \"" + path_prefix + "\" does not begin with /");
  if (path_prefix.size() > kMaxPrefix) return fail(ErrorCode::kInvalid, "the path prefix is too long");
  for (char c : path_prefix) {
    if ((unsigned char)c <= 0x20 || c == 0x7f || c == '?' || c == '#')
      return fail(ErrorCode::kInvalid, "the path prefix holds what no path does",
                  "paths are compared as they are sent, %20 for a space");
  }
  Match match;
  match.headers_ = std::move(headers);
  // Every path begins with it.
  if (path_prefix != "/") match.path_prefix_ = std::move(path_prefix);
  return match;
}

bool Match::accepts(const http::Head& request) const {
  if (!path_prefix_.empty() && !request.path().starts_with(path_prefix_)) return false;
  return std::all_of(headers_.begin(), headers_.end(),
                     [&](const HeaderCondition& each) { return holds(each, request); });
}

bool Match::conflicts_with(const Match& other) const {
  const bool paths_intersect =
      path_prefix_.starts_with(other.path_prefix_) || other.path_prefix_.starts_with(path_prefix_);
  return paths_intersect && (contains_all(headers_, other.headers_) || contains_all(other.headers_, headers_));
}

std::string Match::text() const {
  if (everything()) return "everything";
  std::string out;
  for (const HeaderCondition& condition : headers_) {
    if (!out.empty()) out += " and ";
    out += condition.name + '=' + condition.value;
  }
  if (!path_prefix_.empty()) out += (out.empty() ? "path " : " and path ") + path_prefix_;
  return out;
}

}  // namespace causeway::intercept

// Which requests of a service an intercept is for.
//
// All header conditions must hold and the path must begin with the prefix. A condition holds when any field of that name, in any case,
// has exactly that value. The path is compared byte by byte as it was sent, without its query.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/http/head.h"

namespace causeway::intercept {

struct HeaderCondition {
  std::string name;  // in lower case once it is part of a Match
  std::string value;
  friend bool operator==(const HeaderCondition&, const HeaderCondition&) = default;
};

class Match {
 public:
  static constexpr std::size_t kMaxConditions = 32;
  static constexpr std::size_t kMaxName = 256;
  static constexpr std::size_t kMaxValue = 4096;
  static constexpr std::size_t kMaxPrefix = 2048;

  // Everything.
  Match() = default;
  // Refuses what no request could ever match, and a name with two values.
  static Result<Match> create(std::vector<HeaderCondition> headers, std::string path_prefix);

  bool everything() const { return headers_.empty() && path_prefix_.empty(); }
  // How special it is: its header conditions, and the path prefix as one more.
  std::size_t conditions() const { return headers_.size() + (path_prefix_.empty() ? 0 : 1); }
  bool accepts(const http::Head& request) const;

  // One set of headers contains the other with equal values, and the paths intersect: both cannot be had at once.
  bool conflicts_with(const Match& other) const;

  const std::vector<HeaderCondition>& headers() const { return headers_; }  // by name
  const std::string& path_prefix() const { return path_prefix_; }
  std::string text() const;  // "x-user=anna and path /api"
  friend bool operator==(const Match&, const Match&) = default;

 private:
  std::vector<HeaderCondition> headers_;
  std::string path_prefix_;
};

}  // namespace causeway::intercept

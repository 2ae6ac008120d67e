// What makes two questions the same: the same answer does for both, but for the id, the case of letters and the asker's OPT record.
#pragma once

#include <array>
#include <functional>
#include <string_view>

#include "dns/message.h"

namespace causeway::dns {

// Name without case, type, class, and the flags that change an answer: RD, CD, AD and DO. Made without allocating.
class QuestionKey {
 public:
  explicit QuestionKey(const Query& query);

  // For questions under way: those with and without EDNS are asked apart, as servers may answer only one of them. Lives as long as
  // the key, as does answer().
  std::string_view question() const { return {bytes_.data(), size_}; }
  // For answers that are kept: they fit both.
  std::string_view answer() const { return {bytes_.data(), size_ - 1}; }

 private:
  std::array<char, Name::kMaxWire + 6> bytes_;
  std::size_t size_ = 0;
};

// Finds a std::string by a view of one.
struct KeyHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
};

}  // namespace causeway::dns

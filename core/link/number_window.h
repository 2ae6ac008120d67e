// Which hello numbers of one client key were used already: each is good once, and none may be older than the newest 1,024.
//
// Numbers are nanoseconds of the client's clock, or one more than the last, so the window is a set of the highest 1,024 numbers
// seen, not a bitmap over a range. A laptop whose clock was set back goes on with last + 1.
#pragma once

#include <cstdint>
#include <vector>

namespace causeway::link {

class NumberWindow {
 public:
  static constexpr std::size_t kSize = 1024;
  // True, and the number is noted, if it is new and not below everything in a full window.
  bool take(std::uint64_t number);

 private:
  std::vector<std::uint64_t> sorted_;
};

}  // namespace causeway::link

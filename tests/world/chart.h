// What happened, as a person reads it: one line for each packet, frame and socket event, in the column of where it was seen.
//
//        12.003170 | > tcp :40001 10.96.0.10:80 S          |                          |
//        12.003170 |                                       | > OPEN 3 tcp 10.96.0.10:80 |
//        12.008200 |                                       |                          | dial 1 tcp 10.96.0.10:80
//
// ">" goes towards the cluster. Only the last 200 lines are kept, or as many as the environment's CAUSEWAY_LINES says.
#pragma once

#include <deque>
#include <string>

#include "tests/world/timeline.h"

namespace causeway::world {

class Chart {
 public:
  enum class Column : std::uint8_t { kLaptop, kCarrier, kGateway };

  Chart(const Timeline& time, bool enabled);

  bool enabled() const { return enabled_; }
  void note(Column column, std::string text);
  std::string text() const;

 private:
  const Timeline& time_;
  bool enabled_;
  std::size_t kept_ = 200;
  std::deque<std::string> lines_;
};

}  // namespace causeway::world

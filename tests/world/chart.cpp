#include "tests/world/chart.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace causeway::world {
namespace {

constexpr std::array<int, 3> kWidths{52, 44, 44};

}  // namespace

Chart::Chart(const Timeline& time, bool enabled) : time_(time), enabled_(enabled) {
  if (const char* lines = std::getenv("CAUSEWAY_LINES")) kept_ = std::strtoul(lines, nullptr, 10);
}

void Chart::note(Column column, std::string text) {
  if (!enabled_) return;
  char time[32];
  std::chrono::duration<double> seconds = time_.now().time_since_epoch() - std::chrono::hours(1);
  std::snprintf(time, sizeof time, "%14.6f", seconds.count());
  std::string line = time;
  for (std::size_t i = 0; i < kWidths.size(); ++i) {
    std::string cell = i == std::size_t(column) ? text : std::string();
    if (cell.size() < std::size_t(kWidths[i])) cell.resize(std::size_t(kWidths[i]), ' ');
    line += " | " + cell;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  lines_.push_back(std::move(line));
  if (lines_.size() > kept_) lines_.pop_front();
}

std::string Chart::text() const {
  std::string out = "       seconds | laptop and device" + std::string(35, ' ') + " | carrier" + std::string(37, ' ') +
                    " | gateway and services\n";
  for (const std::string& line : lines_) out += line + '\n';
  return out;
}

}  // namespace causeway::world

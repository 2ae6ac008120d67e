#include "tools/tunctl/words.h"

#include <fmt/format.h>

namespace causeway::tunctl {

std::string time_text(std::chrono::microseconds time) {
  auto us = time.count();
  if (us < 1000) return fmt::format("{} us", us);
  if (us < 1'000'000) return fmt::format("{:.1f} ms", double(us) / 1e3);
  return fmt::format("{:.2f} s", double(us) / 1e6);
}

std::string span_text(std::chrono::seconds span) {
  auto s = span.count();
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
  return fmt::format("{} d {} h", s / 86400, s / 3600 % 24);
}

}  // namespace causeway::tunctl

#include "tools/wan/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace causeway::wan {
namespace {

Result<double> number(std::string_view text, std::string_view name, double most) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || value < 0 || value > most) {
    return fail(ErrorCode::kInvalid, fmt::format("{} takes a number from 0 to {}, not \"{}\"", name, most, text));
  }
  return value;
}

Duration from_milliseconds(double value) { return Duration(std::llround(value * 1e6)); }
double to_milliseconds(Duration value) { return double(value.count()) / 1e6; }

Result<void> change(Settings& settings, std::string_view name, std::string_view value) {
  const double most_delay = to_milliseconds(kMostDelay);
  if (name == "delay" || name == "jitter") {
    return number(value, name, most_delay).map([&](double ms) {
      (name == "delay" ? settings.delay : settings.jitter) = from_milliseconds(ms);
    });
  }
  if (name == "loss") return number(value, name, 100).map([&](double percent) { settings.loss = percent / 100; });
  if (name == "rate") {
    return number(value, name, double(kMostRate) / 1e6).map([&](double megabits) {
      settings.rate = std::uint64_t(std::llround(megabits * 1e6));
    });
  }
  return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is none of delay, jitter, loss and rate", name));
}

}  // namespace

std::uint64_t Settings::queue() const {
  if (rate == 0) return 0;
  const double round_trip = std::chrono::duration<double>(2 * delay).count();
  return std::max(kLeastQueue, std::uint64_t(double(rate) / 8 * round_trip));
}

Result<Settings> changed(Settings before, std::string_view words) {
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    if (word.empty()) continue;
    const std::size_t sign = word.find('=');
    if (sign == std::string_view::npos) {
      return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is not NAME=NUMBER", word));
    }
    if (auto done = change(before, word.substr(0, sign), word.substr(sign + 1)); !done) {
      return tl::make_unexpected(done.error());
    }
  }
  if (before.jitter > before.delay) return fail(ErrorCode::kInvalid, "jitter must not be more than delay");
  if (before.rate != 0 && before.rate < 1000) return fail(ErrorCode::kInvalid, "rate must be 0 or at least 0.001");
  return before;
}

std::string to_words(const Settings& settings) {
  return fmt::format("delay={} jitter={} loss={} rate={}", to_milliseconds(settings.delay),
                     to_milliseconds(settings.jitter), settings.loss * 100, double(settings.rate) / 1e6);
}

}  // namespace causeway::wan

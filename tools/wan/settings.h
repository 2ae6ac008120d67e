// What a wide-area path does to packets. All of it holds for each direction by itself: a round trip takes twice the delay.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/time.h"

namespace causeway::wan {

struct Settings {
  Duration delay{};        // of a frame that finds the link free, besides the time that it takes to send
  Duration jitter{};       // more or less than `delay`, evenly spread, never more than `delay` itself
  double loss = 0;         // the probability that a frame is lost on its way, 0 to 1
  std::uint64_t rate = 0;  // bits a second on the wire; 0: no limit

  // Bytes that may wait for the link: what the path holds in one round trip, and never less than kLeastQueue. 0 without a rate.
  [[nodiscard]] std::uint64_t queue() const;
  // Whether it matters which frame is which: then segments must come as the frames that they are on a wire.
  [[nodiscard]] bool by_frame() const { return rate != 0 || loss > 0; }

  friend bool operator==(const Settings&, const Settings&) = default;
};

constexpr std::uint64_t kLeastQueue = 64 * 1024;
constexpr Duration kMostDelay = std::chrono::seconds(10);
constexpr std::uint64_t kMostRate = 100'000'000'000;

// `before` with what `words` change: "delay=20 jitter=2.5 loss=1 rate=100", in milliseconds, percent and Mbit/s, as decimals.
Result<Settings> changed(Settings before, std::string_view words);
// The words that changed() reads.
std::string to_words(const Settings& settings);

}  // namespace causeway::wan

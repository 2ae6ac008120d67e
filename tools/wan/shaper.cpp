#include "tools/wan/shaper.h"

#include <algorithm>

namespace causeway::wan {
namespace {

constexpr std::uint64_t kOtherStream = 0x9e3779b97f4a7c15u;

// Evenly in [0, 1).
double fraction(SeededRandom& random) { return double(random.next() >> 11) * 0x1p-53; }

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Shaper::Shaper(const Settings& settings, std::uint64_t seed)
    : settings_(settings), losses_(seed), jitters_(seed ^ kOtherStream) {}

Shaper::Verdict Shaper::admit(Instant now, std::uint64_t wire_bytes) {
  if (!take_link(now, wire_bytes)) return {Fate::kQueueFull, {}};
  // Lost on the way, behind the link: it has taken its time there.
  if (fraction(losses_) < settings_.loss) return {Fate::kLost, {}};
  last_due_ = std::max(last_due_, std::max(now, link_free_) + length_of_way());
  return {Fate::kPass, last_due_};
}

bool Shaper::take_link(Instant now, std::uint64_t wire_bytes) {
  if (settings_.rate == 0) return true;
  const double bits_a_second = double(settings_.rate);
  const double waiting = link_free_ > now ? seconds(link_free_ - now) * bits_a_second / 8 : 0;
  if (waiting + double(wire_bytes) > double(settings_.queue())) return false;
  link_free_ = std::max(link_free_, now) + Duration(std::int64_t(double(wire_bytes) * 8e9 / bits_a_second + 0.5));
  return true;
}

Duration Shaper::length_of_way() {
  if (settings_.jitter == Duration{}) return settings_.delay;
  const double swing = 2 * fraction(jitters_) - 1;
  return settings_.delay + Duration(std::int64_t(swing * double(settings_.jitter.count())));
}

}  // namespace causeway::wan

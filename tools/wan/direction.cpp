#include "tools/wan/direction.h"

#include <array>

#include "platform/loop/clock.h"
#include "tools/wan/frame.h"

namespace causeway::wan {
namespace {

// 80 ms at 10 Gbit/s.
constexpr std::size_t kMostOnTheWay = 128 * 1024 * 1024;
// Then the other direction and the timers have their turn.
constexpr int kBatchesATurn = 4;

}  // namespace

Direction::Direction(platform::Loop& loop, Port& from, Port& to, const Settings& settings, std::uint64_t seed)
    : from_(from),
      to_(to),
      shaper_(settings, seed),
      line_(kMostOnTheWay),
      timer_(loop, [this] { deliver(); }),
      poll_(loop, from.descriptor(), [this](int) { readable(); }) {
  poll_.watch(platform::Poll::kReadable);
}

void Direction::readable() {
  for (int batch = 0; batch < kBatchesATurn; ++batch) {
    const auto frames = from_.receive();
    if (frames.empty()) break;
    const Instant now = platform::boot_now();
    for (const Bytes frame : frames) take(now, frame);
    deliver();
  }
}

void Direction::take(Instant now, Bytes frame) {
  const OnWire wire = on_wire(frame);
  if (cut_) {
    counts_.cut += wire.frames;
    return;
  }
  if (wire.frames > 1 && shaper_.settings().by_frame()) {
    counts_.missed += wire.frames;
    return;
  }
  const auto verdict = shaper_.admit(now, wire.bytes);
  if (verdict.fate == Shaper::Fate::kLost) {
    ++counts_.lost;
  } else if (verdict.fate == Shaper::Fate::kQueueFull) {
    ++counts_.queue;
  } else if (!line_.push(verdict.due, frame)) {
    counts_.missed += wire.frames;
  }
}

void Direction::deliver() {
  std::array<Bytes, Port::kBatch> frames;
  while (const std::size_t count = line_.ready(platform::boot_now(), frames)) {
    const std::size_t sent = to_.send({frames.data(), count});
    for (std::size_t i = 0; i < sent; ++i) {
      const OnWire wire = on_wire(frames[i]);
      counts_.frames += wire.frames;
      counts_.bytes += wire.bytes;
    }
    // One that the device does not take is given up, or it would hold up all behind it.
    const std::size_t failed = sent < count ? 1 : 0;
    counts_.missed += failed;
    line_.pop(sent + failed);
  }
  timer_.set(line_.due());
}

void Direction::set_cut(bool cut) {
  cut_ = cut;
  if (!cut) return;
  counts_.cut += line_.clear();
  timer_.set(kNever);
}

Direction::Counts Direction::counts() {
  counts_.missed += from_.missed();
  return counts_;
}

}  // namespace causeway::wan

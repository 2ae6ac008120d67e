#include "tests/world/wire.h"

#include <algorithm>

namespace causeway::world {

Instant Pipe::arrival(std::size_t size) {
  Instant leaves = std::max(time_.now(), line_free_);
  if (options_.bytes_per_second > 0) {
    leaves += Duration(std::int64_t(double(size) * 1e9 / double(options_.bytes_per_second)));
    line_free_ = leaves;
  }
  Duration jitter{};
  if (options_.jitter > Duration::zero())
    jitter = Duration(std::int64_t(random_.below(std::uint64_t(options_.jitter.count()))));
  last_arrival_ = std::max(last_arrival_, leaves + options_.delay + jitter);
  return last_arrival_;
}

std::size_t Pipe::write(Bytes bytes) {
  bytes = bytes.first(std::min(bytes.size(), room()));
  std::size_t taken = bytes.size();
  under_way_ += taken;
  full_ = full_ || under_way_ == options_.buffer;
  while (!bytes.empty()) {
    std::size_t n = std::min<std::size_t>(bytes.size(), 64 * 1024);
    // Mostly large pieces, as on a good network; now and then a few bytes only.
    if (options_.split) {
      std::uint64_t kind = random_.below(8);
      std::size_t most = kind == 0 ? 20 : kind < 4 ? 3000 : n;
      n = 1 + std::size_t(random_.below(std::min(n, most)));
    }
    Piece piece{arrival(n), {bytes.begin(), bytes.begin() + std::ptrdiff_t(n)}};
    if (std::exchange(damage_, false)) piece.bytes[random_.below(n)] ^= std::uint8_t(1u << random_.below(8));
    if (!lost_) pieces_.push_back(std::move(piece));
    bytes = bytes.subspan(n);
  }
  return taken;
}

void Pipe::finish() {
  if (finished_ || lost_) return;
  finished_ = true;
  end_at_ = arrival(0);
}

Bytes Pipe::readable() const {
  if (pieces_.empty() || !now_is(pieces_.front().arrives)) return {};
  const Piece& piece = pieces_.front();
  return Bytes(piece.bytes).subspan(piece.read);
}

void Pipe::consume(std::size_t n) {
  Piece& piece = pieces_.front();
  piece.read += n;
  under_way_ -= n;
  full_ = full_ && under_way_ > options_.buffer - options_.buffer / 3;
  delivered_ += n;
  if (piece.read == piece.bytes.size()) pieces_.pop_front();
}

Instant Pipe::next() const {
  if (!pieces_.empty()) return std::max(pieces_.front().arrives, stalled_until_);
  return finished_ ? std::max(end_at_, stalled_until_) : kNever;
}

void Pipe::lose_everything() {
  lost_ = true;
  finished_ = false;
  pieces_.clear();
}

}  // namespace causeway::world

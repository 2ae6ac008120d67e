#include "tests/world/talker.h"

#include <algorithm>
#include <vector>

#include "tests/world/pattern.h"

namespace causeway::world {

Talker::Talker(Timeline& time, const Script& script, std::uint64_t sends, std::uint64_t expects)
    : time_(time), script_(script), sends_(sends), expects_(expects) {}

void Talker::connected(StreamSocket& socket) {
  socket_ = &socket;
  read_at_ = time_.now() + script_.read_after;
  if (script_.read_after > Duration::zero()) pump_at(read_at_);
  pump();
}

void Talker::pump_at(Instant when) {
  time_.at(when, [this] { pump(); });
}

void Talker::pump() {
  if (!socket_ || end_ != End::kNone || pumping_) return;
  pumping_ = true;
  read_some();
  write_some();
  close_if_due();
  socket_->flush();
  pumping_ = false;
}

void Talker::read_some() {
  static std::vector<std::uint8_t> space(256 * 1024);
  while (time_.now() >= read_at_) {
    std::size_t n = socket_->read(MutableBytes(space).first(std::min(script_.read_size, space.size())));
    if (n == 0) break;
    std::size_t right = matching_pattern(expects_, received_, Bytes(space).first(n));
    if (right < n && fault_.empty()) fault_ = "a wrong byte at offset " + std::to_string(received_ + right);
    received_ += n;
    if (script_.read_pause == Duration::zero()) continue;
    read_at_ = time_.now() + script_.read_pause;
    pump_at(read_at_);
  }
  if (!saw_end_ && socket_->at_end()) saw_end_ = true;
}

void Talker::write_some() {
  static std::vector<std::uint8_t> space(256 * 1024);
  while (!finished_ && time_.now() >= write_at_) {
    std::uint64_t most = script_.echo ? received_ : script_.send;
    std::size_t n = std::size_t(std::min<std::uint64_t>({most - sent_, script_.write_size, space.size()}));
    if (n == 0) return;
    std::uint64_t skipped = script_.skip && *script_.skip <= sent_ ? 1 : 0;
    if (script_.skip && !skipped) n = std::size_t(std::min<std::uint64_t>(n, *script_.skip - sent_));
    fill_pattern(sends_, sent_ + skipped, MutableBytes(space).first(n));
    n = socket_->write(Bytes(space).first(n));
    if (n == 0) return;
    sent_ += n;
    if (script_.write_pause == Duration::zero()) continue;
    write_at_ = time_.now() + script_.write_pause;
    pump_at(write_at_);
  }
}

void Talker::close_if_due() {
  if (script_.reset_after && sent_ + received_ >= *script_.reset_after) {
    end_ = End::kOwnReset;
    socket_->reset();
    return;
  }
  bool all_sent = script_.echo ? saw_end_ && sent_ == received_ : sent_ == script_.send;
  if (!finished_ && all_sent && (saw_end_ || !script_.finish_last)) {
    finished_ = true;
    socket_->finish();
  }
  if (finished_ && saw_end_) end_ = End::kComplete;
}

void Talker::socket_reset() {
  if (end_ != End::kNone) return;
  read_at_ = time_.now();  // what came before is still there to be read
  pumping_ = true;
  read_some();
  pumping_ = false;
  end_ = End::kReset;
}

void Talker::failed() {
  if (end_ == End::kNone) end_ = End::kFailed;
}

}  // namespace causeway::world

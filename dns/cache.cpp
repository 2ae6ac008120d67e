#include "dns/cache.h"

#include <algorithm>

namespace causeway::dns {

namespace {

// What an entry takes besides its bytes: itself, its places in the list and the index, and the allocator's share.
constexpr std::size_t kEntryCost = 384;

// It says something of the name, where SERVFAIL and its like only speak of the server.
bool is_word(const AnswerView& view) {
  return view.head.rcode == Rcode::kNoError || view.head.rcode == Rcode::kNxDomain;
}

std::uint32_t whole_seconds(Duration time) {
  return std::uint32_t(std::chrono::floor<std::chrono::seconds>(time).count());
}

}  // namespace

std::optional<Cache::Found> Cache::find(std::string_view key, Instant now) {
  auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  Entries::iterator entry = found->second;
  if (now >= entry->until) {
    remove(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  Duration age = now - entry->since;
  return Found{entry->message, &entry->view, age,
               std::uint32_t(std::chrono::ceil<std::chrono::seconds>(age).count()), whole_seconds(entry->until - now)};
}

Instant Cache::end_of(Bytes message, const AnswerView& view, Instant now) const {
  std::optional<Lifetime> life = lifetime(message, view);
  if (!life) return now;
  return now + std::min<Duration>(std::chrono::seconds(life->seconds), life->negative ? limits_.most_negative : limits_.most);
}

void Cache::keep(std::string_view key, Bytes message, const AnswerView& view, Instant now) {
  if (!is_word(view)) return;
  forget(key);
  Instant until = end_of(message, view, now);
  // An OPT record concerns one hop. It is hardly ever anywhere but at the end.
  bool opt_inside = view.opt != 0 && view.opt_end != view.size;
  if (until <= now || opt_inside) return;
  Entry entry{std::string(key), {}, view, now, until};
  if (view.opt != 0) {
    entry.view.size = view.opt;
    entry.view.opt = entry.view.opt_end = 0;
  }
  Bytes kept = message.first(entry.view.size);
  entry.message.assign(kept.begin(), kept.end());
  if (view.opt != 0) store16(entry.message.data() + 10, std::uint16_t(load16(message.data() + 10) - 1));
  add(std::move(entry));
}

void Cache::keep_absence(std::string_view key, Bytes message, const AnswerView& view, Instant now) {
  if (!is_word(view)) return;
  forget(key);
  Instant until = end_of(message, view, now);
  if (until > now) add(Entry{std::string(key), {}, {}, now, until});
}

void Cache::add(Entry entry) {
  entry.cost = kEntryCost + entry.key.size() + entry.message.size();
  if (entry.view.head.question) entry.cost += entry.view.head.question->name.wire().size();
  if (entry.cost > limits_.bytes / 8 || limits_.entries == 0) return;
  while (index_.size() >= limits_.entries || bytes_ + entry.cost > limits_.bytes) remove(std::prev(entries_.end()));
  bytes_ += entry.cost;
  entries_.push_front(std::move(entry));
  index_.emplace(entries_.front().key, entries_.begin());
}

void Cache::forget(std::string_view key) {
  if (auto found = index_.find(key); found != index_.end()) remove(found->second);
}

void Cache::remove(Entries::iterator entry) {
  bytes_ -= entry->cost;
  index_.erase(entry->key);
  entries_.erase(entry);
}

void Cache::clear() {
  index_.clear();
  entries_.clear();
  bytes_ = 0;
}

}  // namespace causeway::dns

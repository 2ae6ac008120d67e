#include "dns/namespaces.h"

#include <algorithm>

namespace causeway::dns {

Namespaces::Known Namespaces::known(const std::string& label, Instant now) {
  auto found = entries_.find(label);
  if (found == entries_.end()) return Known::kAsk;
  Entry& entry = found->second;
  uses_.splice(uses_.begin(), uses_, entry.use);
  if (entry.known == Known::kAskMeantime) return now < entry.until ? Known::kAbsent : Known::kAskMeantime;
  return now < entry.until ? entry.known : Known::kAsk;
}

bool Namespaces::was_present(const std::string& label) const {
  auto found = entries_.find(label);
  return found != entries_.end() && found->second.known == Known::kPresent;
}

void Namespaces::present(const std::string& label, Duration ttl, Instant now) {
  learn(label, Known::kPresent, now + std::clamp(ttl, kLeastPositive, kMostPositive));
}

void Namespaces::absent(const std::string& label, Instant now) { learn(label, Known::kAbsent, now + kNegative); }

void Namespaces::unanswered(const std::string& label, Instant now) {
  learn(label, was_present(label) ? Known::kPresent : Known::kAskMeantime, now + kUnanswered);
}

void Namespaces::clear() {
  entries_.clear();
  uses_.clear();
}

void Namespaces::learn(const std::string& label, Known known, Instant until) {
  auto found = entries_.find(label);
  if (found != entries_.end()) {
    found->second.known = known;
    found->second.until = until;
    return;
  }
  if (entries_.size() >= limit_) {
    entries_.erase(uses_.back());
    uses_.pop_back();
  }
  uses_.push_front(label);
  entries_.emplace(label, Entry{known, until, uses_.begin()});
}

}  // namespace causeway::dns

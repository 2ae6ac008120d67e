// What is known of names that may be namespaces, from asking the cluster for NS.svc.DOMAIN.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

#include "core/base/time.h"

namespace causeway::dns {

class Namespaces {
 public:
  enum class Known : std::uint8_t {
    kPresent,
    kAbsent,
    kAsk,         // not known, or too long ago: ask and wait
    kAskMeantime  // the last time nobody answered: take it for absent, and ask without waiting
  };

  static constexpr Duration kNegative = std::chrono::seconds(30);
  static constexpr Duration kLeastPositive = std::chrono::seconds(30);
  static constexpr Duration kMostPositive = std::chrono::seconds(300);
  static constexpr Duration kUnanswered = std::chrono::seconds(5);

  // Keeps `limit` labels at most; the longest unused goes first.
  explicit Namespaces(std::size_t limit) : limit_(limit) {}

  // Labels are in lower case.
  Known known(const std::string& label, Instant now);
  // It was there when last asked, however long ago: for when nobody can be asked.
  bool was_present(const std::string& label) const;

  // What the cluster said, or that it said nothing: what was there then stays for kUnanswered. `ttl` is held between
  // kLeastPositive and kMostPositive.
  void present(const std::string& label, Duration ttl, Instant now);
  void absent(const std::string& label, Instant now);
  void unanswered(const std::string& label, Instant now);

  void clear();
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Known known;
    Instant until;
    std::list<std::string>::iterator use;
  };
  void learn(const std::string& label, Known known, Instant until);

  std::size_t limit_;
  std::list<std::string> uses_;  // the latest first
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace causeway::dns

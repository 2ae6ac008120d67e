// Answers of the cluster's DNS that need not be asked for again, positive and negative (RFC 2308). They are kept as the cluster gave
// them, under the question that the program asked; addresses are real ones.
//
// Bounded in number and bytes; the longest unused goes first. One thread.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/time.h"
#include "dns/question_key.h"
#include "dns/ttl.h"

namespace causeway::dns {

struct CacheLimits {
  std::size_t entries = 8192;
  std::size_t bytes = 4 * 1024 * 1024;  // with what keeping them takes
  // Never longer than the answer itself says.
  Duration most = std::chrono::seconds(60);
  // A service that is created after somebody asked for it shall not be missed for long.
  Duration most_negative = std::chrono::seconds(5);
};

class Cache {
 public:
  explicit Cache(const CacheLimits& limits) : limits_(limits) {}
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // Lives until the next call that is not const.
  struct Found {
    Bytes message;              // without an OPT record; empty: the cluster knows no such name, and somebody else is to be asked
    const AnswerView* view;     // of `message`
    Duration age;               // how long it has been kept; less than it may be
    std::uint32_t seconds_old;  // the same, rounded up
    std::uint32_t seconds_left;  // rounded down
  };
  std::optional<Found> find(std::string_view key, Instant now);

  // Keeps the answer instead of what is there under this key. What must not be kept (see lifetime()), or would take more than an eighth
  // of the cache, is not, and what was there is forgotten; but an answer that says nothing of the name (SERVFAIL, REFUSED) changes
  // nothing. `view` is parse_answer(message).
  void keep(std::string_view key, Bytes message, const AnswerView& view, Instant now);
  // The same of a negative answer after which somebody else is asked.
  void keep_absence(std::string_view key, Bytes message, const AnswerView& view, Instant now);

  void clear();
  std::size_t size() const { return index_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    std::vector<std::uint8_t> message;
    AnswerView view;
    Instant since, until;
    std::size_t cost = 0;
  };
  using Entries = std::list<Entry>;

  Instant end_of(Bytes message, const AnswerView& view, Instant now) const;
  void add(Entry entry);
  void forget(std::string_view key);
  void remove(Entries::iterator entry);

  CacheLimits limits_;
  Entries entries_;  // the latest used first
  std::unordered_map<std::string_view, Entries::iterator> index_;
  std::size_t bytes_ = 0;
};

}  // namespace causeway::dns

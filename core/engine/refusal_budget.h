// How many sealed refusals one source address gets: a token bucket per address (an IPv6 /64 is one), in a table of fixed size in
// which the longest unused one makes room.
#pragma once

#include <algorithm>
#include <unordered_map>

#include "core/base/time.h"
#include "core/packet/address.h"

namespace causeway::engine {

class RefusalBudget {
 public:
  explicit RefusalBudget(double per_second) : per_second_(per_second) {}

  bool take(const packet::Address& source, Instant now) {
    packet::Cidr key(source, source.is_v4() ? 32 : 64);
    if (buckets_.size() >= kMax && !buckets_.contains(key.network())) {
      buckets_.erase(std::min_element(buckets_.begin(), buckets_.end(),
                                      [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
    }
    auto [it, fresh] = buckets_.try_emplace(key.network(), Bucket{per_second_, now});
    Bucket& bucket = it->second;
    double seconds = std::chrono::duration<double>(now - bucket.last).count();
    bucket.tokens = std::min(per_second_, bucket.tokens + seconds * per_second_);
    bucket.last = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

 private:
  static constexpr std::size_t kMax = 1024;
  struct Bucket {
    double tokens;
    Instant last;
  };
  double per_second_;
  std::unordered_map<packet::Address, Bucket> buckets_;
};

}  // namespace causeway::engine

// A set of byte offsets as sorted, disjoint ranges: what was lost, or acknowledged out of order. Usually empty or one range.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace causeway::mux {

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t size() const { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

class RangeSet {
 public:
  bool empty() const { return ranges_.empty(); }
  const Range& first() const { return ranges_.front(); }
  std::size_t count() const { return ranges_.size(); }

  void add(Range range) {
    if (range.begin >= range.end) return;
    auto from = std::lower_bound(ranges_.begin(), ranges_.end(), range.begin,
                                 [](const Range& r, std::uint64_t at) { return r.end < at; });
    auto to = from;
    for (; to != ranges_.end() && to->begin <= range.end; ++to) {
      range.begin = std::min(range.begin, to->begin);
      range.end = std::max(range.end, to->end);
    }
    if (from == to) {
      ranges_.insert(from, range);
    } else {
      *from = range;
      ranges_.erase(from + 1, to);
    }
  }

  void remove(Range range) {
    for (std::size_t i = 0; i < ranges_.size();) {
      Range& r = ranges_[i];
      if (r.end <= range.begin || r.begin >= range.end) {
        ++i;
        continue;
      }
      Range behind{range.end, r.end};
      r.end = std::max(r.begin, range.begin);
      bool keep = r.begin < r.end;
      if (!keep) ranges_.erase(ranges_.begin() + std::ptrdiff_t(i));
      if (behind.begin < behind.end) add(behind);
      if (keep) ++i;
    }
  }

 private:
  std::vector<Range> ranges_;
};

}  // namespace causeway::mux

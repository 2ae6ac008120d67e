// What a fuzz target is. The same files are built twice: each with libFuzzer as a program of its own (-Dfuzz=true, tools/fuzz), and
// all together into test_fuzz_corpus, which replays seeds and seeded mutations of them in every run of the tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"

namespace causeway::fuzz {

using Blob = std::vector<std::uint8_t>;

// An input that is worth starting from. A good one must be accepted all the way: a seed that is refused at the door tests nothing.
struct Seed {
  Blob bytes;
  bool good = true;
};

// Takes hostile bytes, asserts what holds for any, and tells whether they were accepted.
struct Target {
  const char* name;
  bool (*run)(Bytes input);
  std::vector<Seed> (*seeds)();
  std::size_t mutations = 20000;  // in every run of the tests; fewer where each costs much
};

inline std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

struct Registration {
  explicit Registration(const Target& target) { targets().push_back(target); }
};

// Cuts an input into the decisions of a test; behind its end everything is 0 and empty.
class Input {
 public:
  explicit Input(Bytes bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    Bytes one = take(1);
    return one.empty() ? 0 : one[0];
  }
  std::uint16_t number16() {
    std::uint8_t high = byte();
    return std::uint16_t(high << 8 | byte());
  }
  Bytes take(std::size_t n) {
    Bytes out = rest_.first(n < rest_.size() ? n : rest_.size());
    rest_ = rest_.subspan(out.size());
    return out;
  }
  // A 2-byte length, then as many bytes.
  Bytes chunk() { return take(number16()); }
  Bytes rest() { return take(rest_.size()); }

 private:
  Bytes rest_;
};

// The other way round, for seeds.
inline Blob operator+(Blob a, const Blob& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Blob blob(std::initializer_list<int> values) {
  Blob out;
  for (int value : values) out.push_back(std::uint8_t(value));
  return out;
}
inline Blob blob(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
inline Blob blob(std::string_view text) { return blob(as_bytes(text)); }
inline Blob chunk(const Blob& bytes) { return blob({int(bytes.size() >> 8), int(bytes.size() & 255)}) + bytes; }

}  // namespace causeway::fuzz

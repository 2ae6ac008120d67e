// Replays every target's seeds, what fuzzers have found (corpus/TARGET/), and some thousand seeded mutations of both.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>

#include "core/base/random.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {

std::ostream& operator<<(std::ostream& out, const Target& target) { return out << target.name; }
namespace {

constexpr std::size_t kMostInputs = 1000;
constexpr std::size_t kLongest = 20000;

std::vector<Blob> found_by_fuzzers(const std::string& target) {
  std::vector<Blob> out;
  std::filesystem::path folder = std::filesystem::path(CAUSEWAY_CORPUS) / target;
  if (!std::filesystem::exists(folder)) return out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::sort(out.begin(), out.end());
  return out;
}

void mutate(Blob& bytes, const std::vector<Blob>& others, SeededRandom& random) {
  constexpr std::uint8_t kOdd[] = {0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff};
  auto place = [&] { return std::ptrdiff_t(random.below(bytes.size() + 1)); };
  switch (random.below(7)) {
    case 0:
      if (!bytes.empty()) bytes[random.below(bytes.size())] ^= std::uint8_t(1 << random.below(8));
      break;
    case 1:
      if (!bytes.empty()) bytes[random.below(bytes.size())] = std::uint8_t(random.next());
      break;
    case 2:
      if (!bytes.empty()) bytes[random.below(bytes.size())] = kOdd[random.below(std::size(kOdd))];
      break;
    case 3: bytes.resize(random.below(bytes.size() + 1)); break;
    case 4: {
      std::ptrdiff_t from = place();
      bytes.erase(bytes.begin() + from,
                  bytes.begin() + std::min<std::ptrdiff_t>(from + 8, std::ptrdiff_t(bytes.size())));
      break;
    }
    case 5: {
      Blob fresh(1 + random.below(16));
      random.fill(fresh);
      bytes.insert(bytes.begin() + place(), fresh.begin(), fresh.end());
      break;
    }
    case 6: {
      const Blob& other = others[random.below(others.size())];
      std::size_t from = random.below(other.size() + 1);
      std::size_t n = random.below(other.size() - from + 1);
      bytes.insert(bytes.begin() + place(), other.begin() + std::ptrdiff_t(from),
                   other.begin() + std::ptrdiff_t(from + n));
      break;
    }
  }
  bytes.resize(std::min(bytes.size(), kLongest));
}

class Corpus : public testing::TestWithParam<Target> {};

TEST_P(Corpus, GoodSeedsAreAcceptedAndBadOnesAreNot) {
  std::vector<Seed> seeds = GetParam().seeds();
  ASSERT_FALSE(seeds.empty());
  EXPECT_TRUE(std::any_of(seeds.begin(), seeds.end(), [](const Seed& seed) { return seed.good; }));
  for (std::size_t i = 0; i < seeds.size(); ++i)
    EXPECT_EQ(GetParam().run(seeds[i].bytes), seeds[i].good) << "seed " << i;
}

TEST_P(Corpus, WhatFuzzersFoundIsHarmless) {
  for (const Blob& input : found_by_fuzzers(GetParam().name)) GetParam().run(input);
}

TEST_P(Corpus, MutationsAreHarmless) {
  std::vector<Blob> inputs = found_by_fuzzers(GetParam().name);
  for (const Seed& seed : GetParam().seeds()) inputs.push_back(seed.bytes);
  SeededRandom random(2022);
  GetParam().run({});
  for (std::size_t i = 0; i < GetParam().mutations; ++i) {
    Blob bytes = inputs[random.below(inputs.size())];
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) mutate(bytes, inputs, random);
    // What is still accepted is gone on from, so that later inputs get further.
    if (GetParam().run(bytes) && inputs.size() < kMostInputs) inputs.push_back(std::move(bytes));
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, testing::ValuesIn(targets()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace causeway::fuzz

// A thousand worlds, each from a seed. CAUSEWAY_SEED=n runs that one alone, with its chart; CAUSEWAY_SEEDS=n runs so many.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/world/scenario.h"

namespace causeway::world {
namespace {

constexpr std::uint64_t kShards = 8;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// The same seed once more, now with a chart.
void explain(std::uint64_t seed, const std::string& fault) {
  Scenario again(seed, true);
  std::string same = again.run();
  ADD_FAILURE() << "seed " << seed << ": " << fault << (same == fault ? "" : "\n(the second run said: " + same + ")")
                << "\n"
                << again.chart() << "replay: CAUSEWAY_SEED=" << seed << " test_world_seeds";
}

class Seeds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Seeds, KeepEveryPromise) {
  if (std::uint64_t seed = number_from("CAUSEWAY_SEED", 0)) {
    if (GetParam() == 0) {
      Scenario scenario(seed, true);
      std::string fault = scenario.run();
      EXPECT_EQ(fault, "") << scenario.chart();
      if (fault.empty()) std::puts(scenario.chart().c_str());
    }
    return;
  }
  const std::uint64_t count = number_from("CAUSEWAY_SEEDS", 1000);
  int failed = 0;
  for (std::uint64_t seed = 1 + GetParam(); seed <= count && failed < 2; seed += kShards) {
    std::string fault = Scenario(seed, false).run();
    if (fault.empty()) continue;
    ++failed;
    explain(seed, fault);
  }
}

INSTANTIATE_TEST_SUITE_P(Shard, Seeds, testing::Range<std::uint64_t>(0, kShards));

}  // namespace
}  // namespace causeway::world

#include "tests/dns/resolving.h"

namespace causeway::dns {
namespace {

using namespace test;

TEST_F(ResolverTest, WhateverTheOrderOfEventsEveryAskerIsAnsweredExactlyOnce) {
  const char* names[] = {"orders.shop", "github.com", "x.other",     "printer",
                         "a.b.c.d.e",   "wpad",       "y.other.svc", "shop.svc.cluster.local"};
  SeededRandom dice(42);
  std::vector<int> answered(1);
  auto drain = [&] {
    collect();
    for (Outcome& got : outcomes) {
      for (AskerId asker : got.askers) ++answered[std::size_t(asker)];
    }
    outcomes.clear();
  };
  for (int step = 0; step < 50000; ++step) {
    switch (dice.below(7)) {
      case 0:
      case 1:
        answered.push_back(0);
        ask(query(names[dice.below(std::size(names))], dice.below(2) ? kTypeA : kTypeAaaa));
        break;
      case 2:
      case 3: {
        bool of_cluster = dice.below(2);
        auto& from = of_cluster ? cluster : machine;
        if (from.empty()) break;
        const int rcodes[] = {0, 0, 2, 3, 5};
        std::swap(from.front(), from[dice.below(from.size())]);
        Sent sent = take(from);
        (of_cluster ? cluster_says(sent, rcodes[dice.below(5)]) : machine_says(sent, rcodes[dice.below(5)]));
        break;
      }
      case 4:
        if (!cluster.empty()) resolver.cluster_failed(take(cluster).request, DnsFailure(dice.below(4)), now);
        break;
      case 5: pass(std::chrono::milliseconds(dice.below(1500))); break;
      case 6:
        if (dice.below(10) == 0) resolver.link_changed(dice.below(3) != 0, now);
        break;
    }
    drain();
  }
  for (int i = 0; i < 3; ++i) {
    pass(20s);
    drain();
  }
  for (std::size_t asker = 1; asker < answered.size(); ++asker) ASSERT_EQ(answered[asker], 1) << asker;
  EXPECT_EQ(resolver.deadline(), kNever);
}

}  // namespace
}  // namespace causeway::dns

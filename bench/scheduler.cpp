#include <benchmark/benchmark.h>

#include <vector>

#include "core/mux/scheduler.h"

namespace causeway {
namespace {

using mux::Scheduler;

// One full quantum of the stream at the head, then the next: bulk streams that always have more. The time must not grow with
// their number.
void BM_SchedulerBulk(benchmark::State& state) {
  Scheduler scheduler;
  std::vector<Scheduler::Entry> streams(std::size_t(state.range(0)));
  for (std::size_t i = 0; i < streams.size(); ++i) scheduler.add(i, streams[i]);
  for (auto _ : state) {
    Scheduler::Entry& entry = streams[scheduler.head().id];
    entry.deficit -= Scheduler::kQuantum;
    scheduler.rotate(entry);
    benchmark::DoNotOptimize(entry);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SchedulerBulk)->ArgName("streams")->RangeMultiplier(16)->Range(1, 65536);

// A short exchange beside bulk streams: it comes first, sends a little and is passed a round of the others later.
void BM_SchedulerShortBesideBulk(benchmark::State& state) {
  Scheduler scheduler;
  std::vector<Scheduler::Entry> streams(std::size_t(state.range(0)) + 1);
  const std::size_t last = streams.size() - 1;
  for (std::size_t i = 0; i < last; ++i) scheduler.add(i, streams[i]);
  // The bulk streams leave the list of new ones.
  for (std::size_t i = 0; i < last; ++i) scheduler.rotate(streams[scheduler.head().id]);
  for (auto _ : state) {
    scheduler.add(last, streams[last]);
    if (scheduler.head().id != last) state.SkipWithError("it is not the next");
    scheduler.done(streams[scheduler.head().id]);
    while (streams[last].marked) {
      Scheduler::Entry& entry = streams[scheduler.head().id];
      if (scheduler.head().mark) {
        scheduler.pass(entry);
      } else {
        scheduler.rotate(entry);
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * (state.range(0) + 2));  // turns
}
BENCHMARK(BM_SchedulerShortBesideBulk)->ArgName("bulk")->Arg(1)->Arg(16)->Arg(256);

}  // namespace
}  // namespace causeway

// Micro-benchmarks of the hot path: what a packet costs in each of its stages, without system calls.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();

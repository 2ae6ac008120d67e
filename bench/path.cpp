// The whole way of a packet but the kernels (tests/path), with nobody else there and beside 50,000 connections that are idle.
#include <benchmark/benchmark.h>

#include <chrono>
#include <ctime>
#include <map>

#include "tests/path/path.h"

namespace causeway::path {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kHeld = 50'000;

std::uint64_t nanoseconds() { return std::uint64_t(std::chrono::steady_clock::now().time_since_epoch().count()); }

std::uint64_t processor_time() {
  timespec spent;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return std::uint64_t(spent.tv_sec) * 1'000'000'000 + std::uint64_t(spent.tv_nsec);
}

// As an exchange of a request and a small answer leaves it.
void hold_one(Path& path) {
  App& app = path.open(kEcho);
  path.send(app, 100);
  path.run();
  path.acknowledge(app);
  path.wait(20us);
}

// One path at a time, as there is one lwIP in a process. What warms it up is not repeated for each benchmark.
Path& path_with(std::int64_t held) {
  static std::unique_ptr<Path> path;
  static std::int64_t has = -1;
  if (has == held) return *path;
  path.reset();
  path = std::make_unique<Path>(nanoseconds);
  for (std::int64_t i = 0; i < held; ++i) hold_one(*path);
  path->wait(5s);
  has = held;
  return *path;
}

using Operation = void (*)(Path&, App&);

struct Case {
  const char* name;
  std::uint16_t service;
  std::int64_t bytes;  // of payload, for each time
  Operation operation;
};

constexpr std::int64_t kGiven = 64 * 1024;

constexpr Case kCases[] = {
    {"BulkUp", kSink, kSuperPacket, [](Path& path, App& app) { path.send(app, kSuperPacket); }},
    {"BulkDown", kSource, kGiven, [](Path& path, App& app) { path.give(app, kGiven); }},
    {"Request", kEcho, 1, [](Path& path, App& app) { path.send(app, 1); }},
    {"Connection", kEcho, 1,
     [](Path& path, App&) {
       App& own = path.open(kOnce);
       path.send(own, 1);
       path.run();
       path.close(own);
     }},
    {"Datagram", kEcho, 512, [](Path& path, App&) { path.send_datagram(512); }},
};

void run(benchmark::State& state, const Case& c, std::int64_t held) {
  Path& path = path_with(held);
  App& app = path.open(c.service);
  for (int i = 0; i < 300; ++i) {
    c.operation(path, app);
    path.wait(20us);
  }
  path.forget_accounts();
  const std::uint64_t start = processor_time();
  for (auto _ : state) {
    c.operation(path, app);
    path.wait(20us);
  }
  const std::uint64_t spent = processor_time() - start;
  const Account client = path.client(), gateway = path.gateway();
  path.close(app);

  auto per_time = [&](std::uint64_t n) { return double(n) / double(state.iterations()); };
  state.SetBytesProcessed(state.iterations() * c.bytes);
  state.counters["client_ns"] = per_time(client.nanoseconds);
  state.counters["gateway_ns"] = per_time(gateway.nanoseconds);
  state.counters["client_allocs"] = per_time(client.allocations);
  state.counters["gateway_allocs"] = per_time(gateway.allocations);
  state.counters["client_copied"] = per_time(client.copied);
  state.counters["gateway_copied"] = per_time(gateway.copied);
  static std::map<std::string, double> alone;
  if (held == 0) {
    alone[c.name] = per_time(spent);
  } else if (alone.count(c.name)) {
    state.counters["of_alone"] = per_time(spent) / alone[c.name];
  }
}

// What a connection costs that is open and silent, and a minute in which all are.
void idle(benchmark::State& state) {
  path_with(0);
  for (auto _ : state) {
    Path& path = path_with(0);
    const Account client = path.client(), gateway = path.gateway();
    const std::size_t client_blocks = path.client_in_use(), gateway_blocks = path.gateway_in_use();
    for (std::int64_t i = 0; i < kHeld; ++i) hold_one(path);
    path.wait(5s);
    auto per_flow = [](std::int64_t n) { return double(n) / double(kHeld); };
    state.counters["client_bytes"] = per_flow(path.client().memory - client.memory);
    state.counters["gateway_bytes"] = per_flow(path.gateway().memory - gateway.memory);
    state.counters["client_blocks"] = per_flow(std::int64_t(path.client_in_use()) - std::int64_t(client_blocks));
    state.counters["gateway_blocks"] = per_flow(std::int64_t(path.gateway_in_use()) - std::int64_t(gateway_blocks));
    path.forget_accounts();
    const std::uint64_t wakeups = path.wakeups();
    path.wait(60s);
    state.counters["minute_wakeups"] = double(path.wakeups() - wakeups);
    state.counters["minute_us"] = double(path.client().nanoseconds + path.gateway().nanoseconds) / 1000;
  }
}

const bool registered = [] {
  for (std::int64_t held : {std::int64_t(0), kHeld}) {
    for (const Case& c : kCases) {
      const std::string name = std::string("Path/") + c.name + "/held:" + std::to_string(held);
      benchmark::RegisterBenchmark(name.c_str(), [&c, held](benchmark::State& state) { run(state, c, held); });
    }
    // Behind those that are alone, as it leaves its connections open.
    if (held == 0) {
      benchmark::RegisterBenchmark("Path/Idle", idle)->Iterations(1)->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace causeway::path

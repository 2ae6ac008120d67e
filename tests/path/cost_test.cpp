// What the way of a packet may cost: no allocation, and little memory for who is idle.
#include <gtest/gtest.h>

#include "tests/path/path.h"

namespace causeway::path {
namespace {

using namespace std::chrono_literals;

// A second time costs nothing that the first has left behind.
template <class F>
void expect_no_allocations(Path& path, F&& once) {
  for (int i = 0; i < 300; ++i) once();
  path.forget_accounts();
  for (int i = 0; i < 1000; ++i) once();
  EXPECT_EQ(path.client().allocations, 0u);
  EXPECT_EQ(path.gateway().allocations, 0u);
}

TEST(Cost, BulkFromTheLaptopAllocatesNothing) {
  Path path;
  App& app = path.open(kSink);
  expect_no_allocations(path, [&] {
    path.send(app, kSuperPacket);
    path.wait(20us);
  });
  EXPECT_EQ(path.taken(), 1300 * kSuperPacket);
}

TEST(Cost, BulkToTheLaptopAllocatesNothing) {
  Path path;
  App& app = path.open(kSource);
  expect_no_allocations(path, [&] {
    path.give(app, 64 * 1024);
    path.wait(20us);
  });
  EXPECT_EQ(app.received, 1300u * 64 * 1024);
}

TEST(Cost, RequestsOfManyConnectionsAllocateNothing) {
  Path path;
  std::vector<App*> apps;
  for (int i = 0; i < 16; ++i) apps.push_back(&path.open(kEcho));
  expect_no_allocations(path, [&] {
    for (App* app : apps) path.send(*app, 1);
    path.wait(20us);
  });
  for (App* app : apps) EXPECT_EQ(app->received, 1300u);
}

TEST(Cost, DatagramsAllocateNothing) {
  Path path;
  expect_no_allocations(path, [&] {
    path.send_datagram(512);
    path.wait(20us);
  });
  EXPECT_EQ(path.datagrams(), 1300u);
}

// A record's plaintext is where the bytes lie until a socket has them; only what is to be sealed is copied into its record.
TEST(Cost, BulkIsCopiedOnceOnItsWay) {
  constexpr int kTimes = 100;
  Path path;
  App& up = path.open(kSink);
  App& down = path.open(kSource);
  path.forget_accounts();
  for (int i = 0; i < kTimes; ++i) {
    path.send(up, kSuperPacket);
    path.wait(20us);
  }
  EXPECT_EQ(path.client().copied, kTimes * kSuperPacket);
  EXPECT_LT(path.gateway().copied, kTimes * kSuperPacket / 100);
  path.forget_accounts();
  for (int i = 0; i < kTimes; ++i) {
    path.give(down, 64 * 1024);
    path.wait(20us);
  }
  EXPECT_EQ(path.gateway().copied, std::uint64_t(kTimes) * 64 * 1024);
  EXPECT_LT(path.client().copied, std::uint64_t(kTimes) * 64 * 1024 / 100);
}

// What a connection costs each end that has had a small exchange and is silent now.
TEST(Cost, AnIdleConnectionHoldsLittleMemory) {
  constexpr int kFlows = 4096;
  Path path;
  for (int i = 0; i < 64; ++i) {
    App& app = path.open(kOnce);
    path.send(app, 100);
    path.run();
    path.close(app);
  }
  path.wait(5s);
  const std::int64_t client = path.client().memory, gateway = path.gateway().memory;
  const std::size_t client_blocks = path.client_in_use(), gateway_blocks = path.gateway_in_use();
  for (int i = 0; i < kFlows; ++i) {
    App& app = path.open(kEcho);
    path.send(app, 100);
    path.run();
    path.acknowledge(app);
    path.wait(20us);
  }
  path.wait(5s);
  ASSERT_EQ(path.flows(), std::size_t(kFlows));
  EXPECT_EQ(path.client_in_use(), client_blocks);
  EXPECT_EQ(path.gateway_in_use(), gateway_blocks);
  const std::int64_t client_flow = (path.client().memory - client) / kFlows;
  const std::int64_t gateway_flow = (path.gateway().memory - gateway) / kFlows;
  EXPECT_LT(client_flow, 1200);
  EXPECT_LT(gateway_flow, 750);
  RecordProperty("client", int(client_flow));
  RecordProperty("gateway", int(gateway_flow));
}

// Nothing looks at idle connections: an hour of many costs as many calls as an hour of one.
TEST(Cost, IdleConnectionsWakeNobody) {
  auto wakeups = [](int flows) {
    Path path;
    for (int i = 0; i < flows; ++i) path.acknowledge(path.open(kEcho));
    path.wait(60s);
    const std::uint64_t before = path.wakeups();
    path.wait(3600s);
    return path.wakeups() - before;
  };
  EXPECT_EQ(wakeups(1), wakeups(2000));
}

}  // namespace
}  // namespace causeway::path

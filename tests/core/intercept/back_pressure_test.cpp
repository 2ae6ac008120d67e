// However slow a side is, and however much the other sends: what the proxy keeps is bounded, and it says when to read again.
#include <gmock/gmock.h>

#include "tests/core/intercept/proxy_world.h"

namespace causeway::intercept {
namespace {

HttpProxy::Settings narrow() {
  HttpProxy::Settings out = ProxyWorld::with_client();
  out.window = 10000;
  out.hold = 20000;
  return out;
}

// As a driver does: only while it is told to.
std::size_t push(ProxyWorld& world, ConnectionId from, std::size_t size, std::size_t most) {
  std::size_t pushed = 0;
  while (pushed < most && world.proxy.reads(from)) {
    world.receive(from, std::string(size, 'x'));
    pushed += size;
  }
  return pushed;
}

TEST(BackPressure, AnUpstreamThatDoesNotTakeItsBodyStopsTheClient) {
  ProxyWorld world(narrow());
  world.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  world.connect(1);
  world.take = false;
  EXPECT_LE(push(world, kClient, 1000, 1000000), 11000u);
  EXPECT_EQ(world.resumed[kClient], 0);
  world.proxy.sent(1, 5000, world.now);
  world.run();
  EXPECT_EQ(world.resumed[kClient], 1);
  EXPECT_TRUE(world.proxy.reads(kClient));
}

TEST(BackPressure, AClientThatDoesNotTakeItsAnswerStopsTheUpstream) {
  ProxyWorld world(narrow());
  world.client(get("/"));
  world.connect(1);
  world.receive(1, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
  world.take = false;
  EXPECT_LE(push(world, 1, 1000, 1000000), 11000u);
  world.proxy.sent(kClient, 5000, world.now);
  world.run();
  EXPECT_EQ(world.resumed[1], 1);
}

TEST(BackPressure, ATunnelStopsBothWays) {
  ProxyWorld world(narrow());
  world.client("CONNECT db:1 HTTP/1.1\r\nHost: db:1\r\n\r\n");
  world.connect(1);
  world.receive(1, "HTTP/1.1 200 OK\r\n\r\n");
  world.take = false;
  EXPECT_LE(push(world, kClient, 1000, 1000000), 11000u);
  EXPECT_LE(push(world, 1, 1000, 1000000), 11000u);
}

TEST(BackPressure, WhatWaitsForAConnectionIsBoundedByTheBlocksItIsIn) {
  ProxyWorld world(narrow());
  world.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  push(world, kClient, 1, 1000000);
  EXPECT_LE(world.pool.in_use(), 2 * 20000u) << "a byte each in blocks of their own";
  world.connect(1);
  EXPECT_EQ(world.resumed[kClient], 1);
  EXPECT_LE(world.pool.in_use(), 2 * 20000u);
}

TEST(BackPressure, WhatIsSentAheadIsBoundedAndWaits) {
  ProxyWorld world(narrow());
  world.client(get("/0"));
  std::size_t sent = 1;
  for (; sent < 10000 && world.proxy.reads(kClient); ++sent) world.client(get("/" + std::to_string(sent)));
  EXPECT_LT(sent, 1000u);
  EXPECT_LE(world.pool.in_use(), 2 * 20000u);
  world.connect(1);
  for (std::size_t i = 0; i < sent; ++i) world.receive(1, ok(std::to_string(i)));
  EXPECT_THAT(world.answers(), testing::EndsWith(ok(std::to_string(sent - 1))));
  EXPECT_GE(world.resumed[kClient], 1);
}

TEST(BackPressure, AFewBytesThatWaitDoNotHoldALargeBlock) {
  ProxyWorld world(narrow());
  world.client(get("/0"));
  const std::string ahead = get("/1");
  for (char c : ahead) {
    Slice part{world.pool.take(BufferPool::kPacket), nullptr, 1};
    part.owner.data()[0] = std::uint8_t(c);
    part.data = part.owner.data();
    world.proxy.received(kClient, std::move(part), world.now);
  }
  EXPECT_LE(world.pool.in_use(), 20000u);
  world.connect(1);
  world.receive(1, ok("zero"));
  EXPECT_THAT(world.sent(1), testing::HasSubstr("GET /1"));
}

TEST(BackPressure, ASmallRequestIsHeldUntilTheAnswerBeginsAndALargeOneIsNot) {
  ProxyWorld world(narrow());
  world.client("PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  world.connect(1);
  push(world, kClient, 20000, 1000000);
  EXPECT_LE(world.pool.in_use(), 30000u) << "only what can be of use again";
  world.receive(1, ok("done"));
  world.client("PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  push(world, kClient, 5000, 10000);
  EXPECT_GT(world.pool.in_use(), 10000u) << "its connection was used before";
  push(world, kClient, 15000, 1000000 - 10000);
  EXPECT_LE(world.pool.in_use(), 30000u);
}

}  // namespace
}  // namespace causeway::intercept

// What a request costs beyond the packet path: nothing from the heap, and an idle connection holds no block.
#include "tests/core/intercept/proxy_world.h"
#include "tests/tun/allocations.h"

namespace causeway::intercept {
namespace {

// As a driver that keeps its vector: ProxyWorld allocates for what it notes.
class Driver {
 public:
  explicit Driver(BufferPool& blocks) : pool(blocks) { events_.reserve(16); }

  void give(ConnectionId from, std::string_view text) {
    Slice slice{pool.take(BufferPool::kPacket), nullptr, text.size()};
    std::memcpy(slice.owner.data(), text.data(), text.size());
    slice.data = slice.owner.data();
    proxy.received(from, std::move(slice), now_);
    while (true) {
      events_.clear();
      proxy.take_events(events_);
      if (events_.empty()) return;
      for (const ProxyEvent& event : events_) {
        if (event.kind == ProxyEvent::Kind::kConnect) proxy.connected(upstream = event.connection, now_);
        if (event.kind == ProxyEvent::Kind::kSend) proxy.sent(event.connection, event.bytes.size, now_);
        answered += event.kind == ProxyEvent::Kind::kAnswered;
      }
    }
  }

  BufferPool& pool;
  HeaderRouter router;
  HttpProxy proxy{ProxyWorld::with_client(), router, pool, now_};
  ConnectionId upstream = 0;
  std::size_t answered = 0;

 private:
  Instant now_{};
  std::vector<ProxyEvent> events_;
};

TEST(Cost, ARequestAllocatesNothingAfterWarmUp) {
  BufferPool pool;
  Driver driver(pool);
  const std::string request = get("/a", "Accept: */*\r\nX-Long: " + std::string(300, 'x') + "\r\n"),
                    answer = ok(std::string(1000, 'y'));
  const std::string upload = post("/b", std::string(3000, 'z')),
                    chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  auto rounds = [&](int count) {
    for (int i = 0; i < count; ++i) {
      driver.give(kClient, request);
      driver.give(driver.upstream, answer);
      driver.give(kClient, upload);
      driver.give(driver.upstream, chunks);
    }
  };
  rounds(10);
  const std::size_t before = tun::allocations_counted();
  {
    tun::Counting counting;
    rounds(100);
  }
  EXPECT_EQ(tun::allocations_counted(), before);
  EXPECT_EQ(driver.answered, 220u);
}

TEST(Cost, AnIdleConnectionHoldsNoBlockAndLittleElse) {
  BufferPool pool;
  auto connection = [&] {
    auto driver = std::make_unique<Driver>(pool);
    driver->give(kClient, get("/", "Accept: */*\r\nUser-Agent: test\r\n"));
    driver->give(driver->upstream, ok("x", "Server: test\r\n"));
    return driver;
  };
  const auto first = connection();
  const std::size_t before = tun::bytes_allocated();
  const auto second = connection();
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_LT(tun::bytes_allocated() - before, 4000u) << "two parsers, the request and the test's own";
}

}  // namespace
}  // namespace causeway::intercept

#include "core/intercept/http_proxy.h"

#include <benchmark/benchmark.h>

#include "core/intercept/intercept_table.h"

namespace causeway {
namespace {

using namespace intercept;

// As curl, a browser or a service's client sends it, with what a mesh adds.
const std::string kRequest =
    "GET /api/v1/orders/4711?expand=items HTTP/1.1\r\nHost: orders.shop\r\nUser-Agent: load/1.0\r\nAccept: "
    "application/json\r\n"
    "Accept-Encoding: gzip\r\nX-Request-Id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\r\nX-User: nobody\r\n"
    "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n";
const std::string kAnswer =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 01 Mar 2024 10:00:00 GMT\r\nContent-Type: "
    "application/json\r\n"
    "Content-Length: 256\r\nConnection: keep-alive\r\nCache-Control: no-store\r\n\r\n" +
    std::string(256, 'x');

class Connection {
 public:
  Connection(Router& router, BufferPool& pool) : pool_(pool), proxy_({}, router, pool, now_) {}

  // As a driver does: what came is in a block, what is sent leaves at once.
  void round(const std::string& request, const std::string& answer) {
    give(kClient, request);
    give(upstream_, answer);
  }
  std::size_t requests() const { return answered_; }

 private:
  void give(ConnectionId from, const std::string& text) {
    Slice slice{pool_.take(BufferPool::kPacket), nullptr, text.size()};
    std::memcpy(slice.owner.data(), text.data(), text.size());
    slice.data = slice.owner.data();
    proxy_.received(from, std::move(slice), now_);
    while (true) {
      events_.clear();
      proxy_.take_events(events_);
      if (events_.empty()) return;
      for (const ProxyEvent& event : events_) {
        if (event.kind == ProxyEvent::Kind::kConnect) proxy_.connected(upstream_ = event.connection, now_);
        if (event.kind == ProxyEvent::Kind::kSend) proxy_.sent(event.connection, event.bytes.size, now_);
        answered_ += event.kind == ProxyEvent::Kind::kAnswered;
      }
    }
  }

  BufferPool& pool_;
  Instant now_{std::chrono::hours(1)};
  HttpProxy proxy_;
  ConnectionId upstream_ = 0;
  std::vector<ProxyEvent> events_;
  std::size_t answered_ = 0;
};

// A request and its answer on connections that are kept alive, with so many filtered intercepts of the service.
void BM_HttpProxyRequest(benchmark::State& state) {
  BufferPool pool;
  InterceptTable table(std::chrono::minutes(10));
  table.set_services({{"orders", true, true}});
  for (int i = 0; i < state.range(0); ++i) {
    auto added = table.add("orders", *Match::create({{"x-user", "user" + std::to_string(i)}}, {}), "owner",
                           SessionId(i + 1), {});
    table.proven(added->id);
  }
  ServiceRouter router(table, "orders");
  Connection connection(router, pool);
  for (auto _ : state) connection.round(kRequest, kAnswer);
  if (connection.requests() != std::size_t(state.iterations())) state.SkipWithError("requests were lost");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_HttpProxyRequest)->ArgName("intercepts")->Arg(0)->Arg(1)->Arg(250);

// A large answer in chunks, as a stream of blocks.
void BM_HttpProxyChunks(benchmark::State& state) {
  BufferPool pool;
  InterceptTable table(std::chrono::minutes(10));
  ServiceRouter router(table, "orders");
  Connection connection(router, pool);
  connection.round(kRequest, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string block;
  while (block.size() < 60000) block += "1000\r\n" + std::string(4096, 'x') + "\r\n";
  for (auto _ : state) connection.round({}, block);
  if (connection.requests() != 0) state.SkipWithError("the answer ended");
  state.SetBytesProcessed(state.iterations() * std::int64_t(block.size()));
}
BENCHMARK(BM_HttpProxyChunks);

}  // namespace
}  // namespace causeway

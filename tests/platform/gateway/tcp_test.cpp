// TCP streams through a real gateway to real sockets.
#include <gtest/gtest.h>

#include <atomic>

#include "tests/platform/gateway/gateway_fixture.h"

namespace causeway::platform {
namespace {

using flow::Protocol;
using GatewayTcp = GatewayTest;

std::string pattern(std::size_t size, std::uint64_t seed) {
  std::string bytes(size, '\0');
  SeededRandom random(seed);
  random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

packet::Endpoint closed_port() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  SocketAddress any({packet::Address::v4(127, 0, 0, 1), 0});
  CAUSEWAY_ASSERT(bind(socket.get(), any.get(), any.size) == 0);
  return local_endpoint(socket.get());
}

TEST_F(GatewayTcp, BytesGoToTheServiceAndComeBack) {
  TcpService service(echo);
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).opened; }));
  peer->write(stream, "hello");
  EXPECT_TRUE(peer->until([&] { return peer->flow(stream).data == "hello"; }));
  peer->finish(stream);
  EXPECT_TRUE(peer->until([&] { return peer->flow(stream).closed; }));
}

TEST_F(GatewayTcp, AClosedPortIsRefused) {
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, closed_port());
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).refused; }));
  EXPECT_EQ(peer->flow(stream).reason, link::Reason::kConnectionRefused);
}

TEST_F(GatewayTcp, AForbiddenDestinationIsNotDialled) {
  TcpService service(echo);
  start();
  auto peer = connect();
  auto denied = peer->open(Protocol::kTcp, {packet::Address::v4(127, 6, 6, 6), service.endpoint().port});
  auto mapped = peer->open(Protocol::kTcp, {*packet::Address::parse("::ffff:127.6.6.6"), service.endpoint().port});
  auto outside = peer->open(Protocol::kTcp, {packet::Address::v4(10, 1, 2, 3), 80});
  auto itself = peer->open(Protocol::kTcp, {packet::Address::v4(127, 0, 0, 1), port});
  auto named = peer->open_name(Protocol::kTcp, "10.1.2.3", 80);
  for (auto stream : {denied, mapped, outside, itself, named}) {
    ASSERT_TRUE(peer->until([&] { return peer->flow(stream).refused; }));
    EXPECT_EQ(peer->flow(stream).reason, link::Reason::kForbidden);
  }
}

TEST_F(GatewayTcp, ANameIsResolvedAndDialled) {
  TcpService service(echo);
  UdpService names([](std::string message) {
    message[2] = char(message[2] | '\x80');
    message[3] = 3;  // NXDOMAIN
    return message;
  });
  settings.dns = {names.endpoint()};
  start();
  auto peer = connect();
  auto stream = peer->open_name(Protocol::kTcp, "localhost", service.endpoint().port);
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).opened; })) << int(peer->flow(stream).reason);
  auto unknown = peer->open_name(Protocol::kTcp, "nobody.invalid", 80);
  ASSERT_TRUE(peer->until([&] { return peer->flow(unknown).refused; }));
  EXPECT_EQ(peer->flow(unknown).reason, link::Reason::kNameNotFound);
}

TEST_F(GatewayTcp, TheServiceSeesOurEndAndCanStillAnswer) {
  TcpService service(
      [](int connection) { write_all(connection, "got " + std::to_string(read_all(connection).size())); });
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).opened; }));
  peer->write(stream, pattern(100000, 1));
  peer->finish(stream);
  EXPECT_TRUE(peer->until([&] { return peer->flow(stream).ended; }));
  EXPECT_EQ(peer->flow(stream).data, "got 100000");
}

TEST_F(GatewayTcp, WeSeeTheServicesEndAndCanStillSend) {
  std::atomic<std::size_t> got = 0;
  TcpService service([&](int connection) {
    shutdown(connection, SHUT_WR);
    got = read_all(connection).size();
  });
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).ended; }));
  peer->write(stream, pattern(300000, 2));
  peer->finish(stream);
  EXPECT_TRUE(peer->until([&] { return peer->flow(stream).closed; }));
  EXPECT_TRUE(peer->until([&] { return got == 300000; }));
}

TEST_F(GatewayTcp, AResetOfTheServiceArrives) {
  TcpService service([](int connection) {
    char byte;
    recv(connection, &byte, 1, 0);
    close_with_reset(connection);
  });
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).opened; }));
  peer->write(stream, "x");
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).reset; }));
  EXPECT_EQ(peer->flow(stream).reason, link::Reason::kConnectionReset);
}

TEST_F(GatewayTcp, AResetBehindTheServicesEndArrives) {
  TcpService service([](int connection) {
    shutdown(connection, SHUT_WR);
    char byte;
    recv(connection, &byte, 1, 0);
    close_with_reset(connection);
  });
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).ended; }));
  peer->write(stream, "x");
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).reset; }));
}

TEST_F(GatewayTcp, OurResetReachesTheServiceBehindTheBytes) {
  std::atomic<int> error = -1;
  std::atomic<bool> got_bytes = false;
  TcpService service([&](int connection) {
    char buffer[16];
    got_bytes = recv(connection, buffer, 5, MSG_WAITALL) == 5;
    ssize_t n = recv(connection, buffer, sizeof buffer, 0);
    error = n < 0 ? errno : 0;
  });
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).opened; }));
  peer->write(stream, "hello");
  ASSERT_TRUE(peer->until([&] { return bool(got_bytes); }));
  peer->reset(stream);
  EXPECT_TRUE(peer->until([&] { return error != -1; }));
  EXPECT_EQ(error, ECONNRESET);
}

TEST_F(GatewayTcp, ManyMegabytesGoBothWaysAtOnce) {
  constexpr std::size_t kSize = 32 * 1024 * 1024;
  TcpService service(echo);
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).opened; }));
  std::string bytes = pattern(kSize, 3);
  std::size_t given = 0;
  ASSERT_TRUE(peer->until([&] {
    if (given < kSize && peer->unsent(stream) < 1024 * 1024) {
      std::size_t n = std::min<std::size_t>(kSize - given, 256 * 1024);
      peer->write(stream, std::string_view(bytes).substr(given, n));
      given += n;
      if (given == kSize) peer->finish(stream);
    }
    return peer->flow(stream).ended;
  }));
  EXPECT_TRUE(peer->flow(stream).data == bytes);
}

TEST_F(GatewayTcp, ASlowReaderHarmsNobody) {
  std::string bytes = pattern(8 * 1024 * 1024, 4);
  TcpService flood([&](int connection) { write_all(connection, bytes); });
  TcpService service(echo);
  start();
  auto peer = connect();
  auto slow = peer->open(Protocol::kTcp, flood.endpoint());
  peer->flow(slow).reading = false;
  auto quick = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(slow).opened && peer->flow(quick).opened; }));
  for (int i = 0; i < 50; ++i) {
    peer->write(quick, "x");
    ASSERT_TRUE(peer->until([&] { return peer->flow(quick).data.size() == std::size_t(i) + 1; }));
  }
  peer->flow(slow).reading = true;
  EXPECT_TRUE(peer->until([&] { return peer->flow(slow).ended; }));
  EXPECT_TRUE(peer->flow(slow).data == bytes);
}

TEST_F(GatewayTcp, TwoHundredFlowsAtOnce) {
  TcpService service(echo);
  start();
  auto peer = connect();
  std::vector<link::StreamId> streams;
  for (int i = 0; i < 200; ++i) streams.push_back(peer->open(Protocol::kTcp, service.endpoint()));
  ASSERT_TRUE(peer->until(
      [&] { return std::all_of(streams.begin(), streams.end(), [&](auto id) { return peer->flow(id).opened; }); }));
  for (auto id : streams) {
    peer->write(id, "stream " + std::to_string(id));
    peer->finish(id);
  }
  ASSERT_TRUE(peer->until(
      [&] { return std::all_of(streams.begin(), streams.end(), [&](auto id) { return peer->flow(id).closed; }); }));
  for (auto id : streams) EXPECT_EQ(peer->flow(id).data, "stream " + std::to_string(id));
  EXPECT_TRUE(
      peer->until([&] { return on_gateway([](GatewayDriver& driver) { return driver.status().relays; }) == 0; }));
}

TEST_F(GatewayTcp, ADialThatIsNotAnsweredTimesOut) {
  settings.dial_timeout = std::chrono::milliseconds(300);
  // A listener whose queue is full answers no SYN.
  Descriptor full(socket(AF_INET, SOCK_STREAM, 0));
  SocketAddress any({packet::Address::v4(127, 0, 0, 1), 0});
  ASSERT_EQ(bind(full.get(), any.get(), any.size), 0);
  ASSERT_EQ(listen(full.get(), 0), 0);
  packet::Endpoint to = local_endpoint(full.get());
  SocketAddress address(to);
  std::vector<Descriptor> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(waiting.back().get(), address.get(), address.size);
  }
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, to);
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).refused; }));
  EXPECT_EQ(peer->flow(stream).reason, link::Reason::kTimedOut);
}

TEST_F(GatewayTcp, DialsBeyondTheLimitAreRefused) {
  settings.engine.dials_per_client = 2;
  Descriptor full(socket(AF_INET, SOCK_STREAM, 0));
  SocketAddress any({packet::Address::v4(127, 0, 0, 1), 0});
  ASSERT_EQ(bind(full.get(), any.get(), any.size), 0);
  ASSERT_EQ(listen(full.get(), 0), 0);
  packet::Endpoint to = local_endpoint(full.get());
  SocketAddress address(to);
  std::vector<Descriptor> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(waiting.back().get(), address.get(), address.size);
  }
  start();
  auto peer = connect();
  std::vector<link::StreamId> streams;
  for (int i = 0; i < 3; ++i) streams.push_back(peer->open(Protocol::kTcp, to));
  ASSERT_TRUE(peer->until([&] { return peer->flow(streams[2]).refused; }));
  EXPECT_EQ(peer->flow(streams[2]).reason, link::Reason::kLimit);
  EXPECT_FALSE(peer->flow(streams[0]).refused);
  EXPECT_FALSE(peer->flow(streams[1]).refused);
}

TEST_F(GatewayTcp, RelaysBeyondTheLimitAreRefused) {
  settings.max_relays = 1;
  TcpService service(echo);
  start();
  auto peer = connect();
  auto first = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(first).opened; }));
  auto second = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(second).refused; }));
  EXPECT_EQ(peer->flow(second).reason, link::Reason::kLimit);
}

}  // namespace
}  // namespace causeway::platform

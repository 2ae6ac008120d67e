// UDP, ping and DNS flows through a real gateway.
#include <gtest/gtest.h>

#include "platform/gateway/datagram_relay.h"
#include "tests/platform/gateway/gateway_fixture.h"

namespace causeway::platform {
namespace {

using flow::Protocol;
using GatewayUdp = GatewayTest;
using GatewayPing = GatewayTest;
using GatewayDns = GatewayTest;

std::string same(std::string datagram) { return datagram; }

std::string filled(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = char(i * 7 + i / 256);
  return bytes;
}

TEST_F(GatewayUdp, DatagramsOfEverySizeComeBackWhole) {
  UdpService service(same);
  start();
  auto peer = connect();
  auto flow = peer->open(Protocol::kUdp, service.endpoint(), "first");
  ASSERT_TRUE(peer->until([&] { return peer->flow(flow).datagrams.size() == 1; }));
  EXPECT_EQ(peer->flow(flow).datagrams[0], "first");
  for (std::size_t size : {0u, 1u, 2u, 1199u, 1472u, 1473u, 9000u, 16384u, 40000u, 65506u, 65507u}) {
    peer->flow(flow).datagrams.clear();
    peer->send(flow, filled(size));
    ASSERT_TRUE(peer->until([&] { return !peer->flow(flow).datagrams.empty(); })) << size;
    EXPECT_TRUE(peer->flow(flow).datagrams[0] == filled(size)) << size;
  }
}

TEST_F(GatewayUdp, ManyDatagramsInARowKeepTheirOrder) {
  UdpService service(same);
  start();
  auto peer = connect();
  auto flow = peer->open(Protocol::kUdp, service.endpoint());
  for (int i = 0; i < 200; ++i) peer->send(flow, std::to_string(i));
  ASSERT_TRUE(peer->until([&] { return peer->flow(flow).datagrams.size() == 200; }));
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(peer->flow(flow).datagrams[i], std::to_string(i));
}

TEST_F(GatewayUdp, AClosedPortIsTold) {
  packet::Endpoint closed;
  {
    UdpService service(same);
    closed = service.endpoint();
  }
  start();
  auto peer = connect();
  auto flow = peer->open(Protocol::kUdp, closed, "x");
  ASSERT_TRUE(peer->until([&] { return peer->flow(flow).reset || peer->flow(flow).refused; }));
  EXPECT_EQ(peer->flow(flow).reason, link::Reason::kConnectionRefused);
}

TEST_F(GatewayUdp, AForbiddenDestinationIsRefused) {
  start();
  auto peer = connect();
  auto flow = peer->open(Protocol::kUdp, {packet::Address::v4(127, 6, 6, 6), 53}, "x");
  ASSERT_TRUE(peer->until([&] { return peer->flow(flow).refused; }));
  EXPECT_EQ(peer->flow(flow).reason, link::Reason::kForbidden);
}

TEST_F(GatewayUdp, ASilentFlowIsClosed) {
  settings.engine.udp_idle = std::chrono::milliseconds(100);
  UdpService service(same);
  start();
  auto peer = connect();
  auto flow = peer->open(Protocol::kUdp, service.endpoint(), "x");
  ASSERT_TRUE(peer->until([&] { return peer->flow(flow).datagrams.size() == 1; }));
  ASSERT_TRUE(peer->until([&] { return peer->flow(flow).reset; }));
  EXPECT_EQ(peer->flow(flow).reason, link::Reason::kNone);
}

TEST_F(GatewayPing, AnEchoIsAnsweredByTheTarget) {
  start();
  auto peer = connect();
  EXPECT_EQ(peer->welcome().icmp_echo, DatagramRelay::can_ping());
  auto flow = peer->open(Protocol::kEcho, {packet::Address::v4(127, 0, 0, 1), 0}, std::string("\x12\x34 data", 7));
  auto second = peer->open(Protocol::kEcho, {packet::Address::v4(127, 0, 0, 1), 0}, std::string("\0\1", 2));
  ASSERT_TRUE(peer->until([&] { return !peer->flow(flow).datagrams.empty() || peer->flow(flow).refused; }));
  if (!DatagramRelay::can_ping()) {
    EXPECT_EQ(peer->flow(flow).reason, link::Reason::kNotAvailable);
    GTEST_SKIP() << "the kernel gives this user no ping sockets; that this is told was tested";
  }
  EXPECT_EQ(peer->flow(flow).datagrams[0], std::string("\x12\x34 data", 7));
  ASSERT_TRUE(peer->until([&] { return !peer->flow(second).datagrams.empty(); }));
  EXPECT_EQ(peer->flow(second).datagrams[0], std::string("\0\1", 2));
  peer->flow(flow).datagrams.clear();
  peer->send(flow, "\x12\x35" + filled(30000));
  ASSERT_TRUE(peer->until([&] { return !peer->flow(flow).datagrams.empty(); }));
  EXPECT_TRUE(peer->flow(flow).datagrams[0] == "\x12\x35" + filled(30000));
}

// A header with the id 0xabcd, and something behind it.
std::string question() { return std::string("\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12) + "question"; }

std::string answer_to(std::string question, char flags, char code, const std::string& text) {
  question[2] = char(question[2] | '\x80' | flags);
  question[3] = code;
  return question.substr(0, 12) + text;
}

TEST_F(GatewayDns, AQuestionGoesToTheGatewaysServerAndTheAnswerComesBackWhole) {
  std::string seen;
  UdpService server([&](std::string message) {
    seen = message;
    return answer_to(message, 0, 0, filled(60000));
  });
  settings.dns = {server.endpoint()};
  start();
  auto peer = connect();
  auto flow = peer->open(Protocol::kDns, {}, question());
  ASSERT_TRUE(peer->until([&] { return !peer->flow(flow).datagrams.empty(); }));
  EXPECT_TRUE(peer->flow(flow).datagrams[0] == answer_to(question(), 0, 0, filled(60000)));
  EXPECT_EQ(seen.substr(2), question().substr(2));
}

TEST_F(GatewayDns, ATruncatedAnswerIsFetchedByTcp) {
  TcpService by_stream([](int connection) {
    std::string message(2 + question().size(), '\0');
    ASSERT_EQ(recv(connection, message.data(), message.size(), MSG_WAITALL), ssize_t(message.size()));
    std::string answer = answer_to(message.substr(2), 0, 0, filled(40000));
    std::string framed{char(answer.size() >> 8), char(answer.size())};
    write_all(connection, framed + answer.substr(0, 1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    write_all(connection, answer.substr(1));
  });
  UdpService server([](std::string message) { return answer_to(message, 2, 0, ""); }, by_stream.endpoint());
  settings.dns = {server.endpoint()};
  start();
  auto peer = connect();
  auto flow = peer->open(Protocol::kDns, {}, question());
  ASSERT_TRUE(peer->until([&] { return !peer->flow(flow).datagrams.empty(); }));
  EXPECT_TRUE(peer->flow(flow).datagrams[0] == answer_to(question(), 0, 0, filled(40000)));
}

// What the flow comes to with these servers.
class GatewayDnsServers : public GatewayTest {
 protected:
  Peer::Flow ask(std::vector<packet::Endpoint> servers) {
    settings.dns_try = std::chrono::milliseconds(100);
    settings.dns = std::move(servers);
    start();
    auto peer = connect();
    auto flow = peer->open(Protocol::kDns, {}, question());
    EXPECT_TRUE(peer->until([&] { return !peer->flow(flow).datagrams.empty() || peer->flow(flow).reset; }));
    return peer->flow(flow);
  }
  packet::Endpoint closed() { return UdpService(same).endpoint(); }

  UdpService silent_{[](std::string) { return std::string("not an answer"); }};
  UdpService unwilling_{[](std::string message) { return answer_to(message, 0, 2, "servfail"); }};
  UdpService good_{[](std::string message) { return answer_to(message, 0, 0, "good"); }};
  std::string good_answer_ = answer_to(question(), 0, 0, "good");
};

TEST_F(GatewayDnsServers, BehindAClosedOneTheNextIsAsked) {
  EXPECT_EQ(ask({closed(), good_.endpoint()}).datagrams, std::vector{good_answer_});
}

TEST_F(GatewayDnsServers, BehindASilentOneTheNextIsAsked) {
  EXPECT_EQ(ask({silent_.endpoint(), good_.endpoint()}).datagrams, std::vector{good_answer_});
}

TEST_F(GatewayDnsServers, BehindAnUnwillingOneTheNextIsAsked) {
  EXPECT_EQ(ask({unwilling_.endpoint(), good_.endpoint()}).datagrams, std::vector{good_answer_});
}

TEST_F(GatewayDnsServers, WhereAllAreUnwillingTheirAnswerIsHandedOver) {
  EXPECT_EQ(ask({unwilling_.endpoint(), silent_.endpoint()}).datagrams,
            std::vector{answer_to(question(), 0, 2, "servfail")});
}

TEST_F(GatewayDnsServers, WhereAllAreSilentTheFlowTimesOut) {
  EXPECT_EQ(ask({silent_.endpoint()}).reason, link::Reason::kTimedOut);
}

TEST_F(GatewayDnsServers, WhereAllAreClosedTheFlowIsRefused) {
  EXPECT_EQ(ask({closed()}).reason, link::Reason::kConnectionRefused);
}

}  // namespace
}  // namespace causeway::platform

// Who gets in, and how sessions end.
#include <gtest/gtest.h>

#include "platform/loop/clock.h"
#include "tests/platform/gateway/gateway_fixture.h"

namespace causeway::platform {
namespace {

using flow::Protocol;
using GatewaySession = GatewayTest;

double seconds_since(Instant start) { return std::chrono::duration<double>(boot_now() - start).count(); }

TEST_F(GatewaySession, AStrangerIsToldThatItsKeyIsNotKnown) {
  start();
  noise::KeyPair stranger = noise::generate(random);
  Peer peer(stranger, gateway_key.public_key, port);
  EXPECT_FALSE(peer.up());
  EXPECT_NE(peer.why().find("key " + noise::fingerprint(stranger.public_key) + " is not authorised"), std::string::npos)
      << peer.why();
}

TEST_F(GatewaySession, WhoDoesNotKnowTheGatewaysKeyGetsNoByte) {
  settings.engine.timing.handshake = std::chrono::milliseconds(200);
  start();
  Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  SocketAddress to({packet::Address::v4(127, 0, 0, 1), port});
  ASSERT_EQ(::connect(socket.get(), to.get(), to.size), 0);
  ASSERT_TRUE(write_all(socket.get(), std::string(200, '\1')));
  EXPECT_EQ(read_all(socket.get()), "");
}

TEST_F(GatewaySession, AKeyThatIsTakenOutEndsItsSessionsWithinASecondAndNoOther) {
  noise::KeyPair other_key = noise::generate(random);
  clients.push_back({other_key.public_key, "bob", std::nullopt});
  TcpService service(echo);
  start();
  auto peer = connect();
  Peer other(other_key, gateway_key.public_key, port);
  ASSERT_TRUE(other.up());
  auto stream = other.open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(other.until([&] { return other.flow(stream).opened; }));
  Instant start = boot_now();
  on_gateway([&](GatewayDriver& driver) {
    driver.set_clients({clients[1]});
    return 0;
  });
  EXPECT_TRUE(peer->until([&] { return peer->gone(); }));
  EXPECT_LT(seconds_since(start), 1.0);
  EXPECT_NE(peer->why().find("no longer authorised"), std::string::npos) << peer->why();
  other.write(stream, "still here");
  EXPECT_TRUE(other.until([&] { return other.flow(stream).data == "still here"; }));
  Peer again(client_key, gateway_key.public_key, port);
  EXPECT_FALSE(again.up());
}

TEST_F(GatewaySession, APreSharedKeyIsAskedFor) {
  Secret<32> psk;
  random.fill(psk.bytes());
  clients[0].psk = psk;
  start();
  Peer with(client_key, gateway_key.public_key, port, psk);
  EXPECT_TRUE(with.up()) << with.why();
  Peer without(client_key, gateway_key.public_key, port);
  EXPECT_FALSE(without.up());
  EXPECT_NE(without.why().find("needs its pre-shared key"), std::string::npos) << without.why();
}

TEST_F(GatewaySession, AClientHasSoManySessionsAndNoMore) {
  settings.engine.sessions_per_client = 2;
  start();
  auto first = connect();
  auto second = connect();
  Peer third(client_key, gateway_key.public_key, port);
  EXPECT_FALSE(third.up());
  EXPECT_NE(third.why().find("has 2 sessions already"), std::string::npos) << third.why();
  first->disconnect();
  ASSERT_TRUE(
      second->until([&] { return on_gateway([](GatewayDriver& driver) { return driver.status().sessions; }) == 1; }));
  EXPECT_TRUE(connect());
}

TEST_F(GatewaySession, StoppingTellsEveryClientAndIsQuick) {
  TcpService service(echo);
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).opened; }));
  Instant start = boot_now();
  std::promise<void> stopped;
  on_gateway([&](GatewayDriver& driver) {
    driver.stop([&] { stopped.set_value(); });
    return 0;
  });
  EXPECT_TRUE(peer->until([&] { return peer->gone(); }));
  EXPECT_NE(peer->why().find("shutting down"), std::string::npos) << peer->why();
  EXPECT_EQ(stopped.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_LT(seconds_since(start), 2.0);
}

TEST_F(GatewaySession, ALostConnectionClosesItsRelays) {
  std::atomic<bool> service_saw_end = false;
  TcpService service([&](int connection) {
    read_all(connection);
    service_saw_end = true;
  });
  start();
  auto peer = connect();
  auto stream = peer->open(Protocol::kTcp, service.endpoint());
  ASSERT_TRUE(peer->until([&] { return peer->flow(stream).opened; }));
  peer->disconnect();
  EXPECT_TRUE(peer->until([&] { return bool(service_saw_end); }));
  EXPECT_EQ(on_gateway([](GatewayDriver& driver) { return driver.status().relays; }), 0u);
}

TEST_F(GatewaySession, ConnectionsBeyondTheLimitAreClosed) {
  settings.engine.max_handshakes = 2;
  start();
  SocketAddress to({packet::Address::v4(127, 0, 0, 1), port});
  std::vector<Descriptor> idle;
  for (int i = 0; i < 3; ++i) {
    idle.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(idle.back().get(), to.get(), to.size), 0);
  }
  EXPECT_EQ(read_all(idle[2].get()), "");
  char byte;
  EXPECT_LT(recv(idle[0].get(), &byte, 1, MSG_DONTWAIT), 0);
}

}  // namespace
}  // namespace causeway::platform

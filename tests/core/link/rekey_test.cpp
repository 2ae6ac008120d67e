// Fresh keys inside a carrier: by time and by number of records, under load, and what ends it.
#include "tests/core/link/carriers.h"

namespace causeway::link {
namespace {

using std::chrono::seconds;

void settle(Carriers& c) {
  do {
    c.exchange();
    texts(c.gateway, c.now);
    texts(c.client, c.now);
  } while (c.client.unsent() + c.gateway.unsent() > 0);
}

TEST(Rekey, HappensAfterItsTimeAndOnceEach) {
  for (bool psk : {false, true}) {
    Carriers c(psk ? std::optional(carrier_keys(5).private_key) : std::nullopt);
    c.open();
    Instant opened = c.now;
    for (std::uint64_t round = 1; round <= 3; ++round) {
      EXPECT_EQ(c.client.deadline(), opened + seconds(120));
      c.now = opened + seconds(119);
      c.client.advance(c.now);
      EXPECT_EQ(c.client.unsent(), 0u);
      c.now = opened = opened + seconds(120);
      c.client.advance(c.now);
      EXPECT_GT(c.client.unsent(), 0u);
      settle(c);
      EXPECT_EQ(c.client.rekeys(), round);
      EXPECT_EQ(c.gateway.rekeys(), round);
      send_text(c.client, "still");
      send_text(c.gateway, "here");
      c.exchange();
      EXPECT_EQ(texts(c.gateway, c.now), std::vector<std::string>{"still"});
      EXPECT_EQ(texts(c.client, c.now), std::vector<std::string>{"here"});
    }
  }
}

TEST(Rekey, HappensWhenTheRecordsRunOut) {
  StreamCarrier::Timing timing;
  timing.rekey_records = 10;
  Carriers c({}, timing);
  c.open();
  for (int i = 0; i < 100; ++i) {
    send_text(c.client, "x");
    settle(c);
  }
  EXPECT_GE(c.client.rekeys(), 8u);
  EXPECT_EQ(c.client.rekeys(), c.gateway.rekeys());
}

// Both ends send as much as the rings take, with rekeys falling anywhere between.
TEST(Rekey, UnderLoadBothWaysLosesAndReordersNothing) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SeededRandom random(seed);
    StreamCarrier::Timing timing;
    timing.rekey_records = 5 + random.below(40);
    timing.rekey_limit = seconds(1000000);
    Carriers c({}, timing);
    c.open();
    int sent[2]{}, got[2]{};
    Octets to_gateway, to_client;
    auto numbered = [&](int i) { return std::to_string(i) + std::string(random.below(9000), '.'); };
    for (int i = 0; i < 800; ++i) {
      if (random.below(3)) sent[0] += send_text(c.client, numbered(sent[0]));
      if (random.below(3)) sent[1] += send_text(c.gateway, numbered(sent[1]));
      c.now += std::chrono::milliseconds(random.below(100));
      c.client.advance(c.now);
      if (random.below(2)) feed(c.gateway, wire_of(c.client, random.below(40000)), c.now, 1 + random.below(20000));
      if (random.below(2)) feed(c.client, wire_of(c.gateway, random.below(40000)), c.now, 1 + random.below(20000));
      if (random.below(2)) {
        for (const std::string& t : texts(c.gateway, c.now)) ASSERT_EQ(std::stoi(t), got[0]++) << seed;
      }
      if (random.below(2)) {
        for (const std::string& t : texts(c.client, c.now)) ASSERT_EQ(std::stoi(t), got[1]++) << seed;
      }
      ASSERT_EQ(c.client.state(), CarrierState::kOpen) << seed << ": " << c.client.failure().message;
      ASSERT_EQ(c.gateway.state(), CarrierState::kOpen) << seed << ": " << c.gateway.failure().message;
    }
    do {
      c.exchange();
      for (const std::string& t : texts(c.gateway, c.now)) ASSERT_EQ(std::stoi(t), got[0]++);
      for (const std::string& t : texts(c.client, c.now)) ASSERT_EQ(std::stoi(t), got[1]++);
    } while (c.client.unsent() + c.gateway.unsent() > 0);
    EXPECT_EQ(got[0], sent[0]);
    EXPECT_EQ(got[1], sent[1]);
    EXPECT_GT(c.client.rekeys(), 2u);
    EXPECT_EQ(c.client.rekeys(), c.gateway.rekeys());
  }
}

TEST(Rekey, DueBehindAFullRingWaitsWithoutSpinningAndHappensThen) {
  Carriers c;
  c.open();
  while (send_text(c.client, std::string(StreamCarrier::kMaxRecord, 'x'))) {
  }
  c.now += seconds(121);
  c.client.advance(c.now);
  EXPECT_GT(c.client.deadline(), c.now) << "no timer can help before something was transmitted";
  feed(c.gateway, wire_of(c.client), c.now);
  texts(c.gateway, c.now);
  EXPECT_LE(c.client.deadline(), c.now);
  c.client.advance(c.now);
  settle(c);
  EXPECT_EQ(c.client.rekeys(), 1u);
}

TEST(Rekey, IsAnsweredHoweverFullTheGatewaysRingIs) {
  Carriers c;
  c.open();
  while (send_text(c.gateway, std::string(StreamCarrier::kMaxRecord, 'x'))) {
  }
  while (send_text(c.gateway, "x")) {
  }
  c.now += seconds(120);
  c.client.advance(c.now);
  feed(c.gateway, wire_of(c.client), c.now);
  texts(c.gateway, c.now);
  EXPECT_EQ(c.gateway.state(), CarrierState::kOpen);
  settle(c);
  EXPECT_EQ(c.client.rekeys(), 1u);
}

TEST(Rekey, ThatIsNotAnsweredEndsTheClientsCarrier) {
  Carriers c;
  c.open();
  c.now += seconds(120);
  c.client.advance(c.now);
  EXPECT_EQ(c.client.deadline(), c.now + seconds(60));
  c.client.advance(c.now + seconds(60));
  EXPECT_EQ(c.client.state(), CarrierState::kFailed);
}

TEST(Rekey, ThatIsNotAskedForEndsTheGatewaysCarrier) {
  Carriers c;
  c.open();
  EXPECT_EQ(c.gateway.deadline(), c.now + seconds(180));
  c.gateway.advance(c.now + seconds(180));
  EXPECT_EQ(c.gateway.state(), CarrierState::kFailed);
}

TEST(Rekey, RecordsUnderTheOldKeyDoNotOpenAfterTheSwitch) {
  Carriers c;
  c.open();
  send_text(c.client, "recorded");
  Octets recorded = wire_of(c.client);
  feed(c.gateway, recorded, c.now);
  texts(c.gateway, c.now);
  c.now += seconds(120);
  c.client.advance(c.now);
  settle(c);
  ASSERT_EQ(c.gateway.rekeys(), 1u);
  feed(c.gateway, recorded, c.now);
  EXPECT_TRUE(texts(c.gateway, c.now).empty());
  EXPECT_EQ(c.gateway.state(), CarrierState::kFailed);
}

TEST(Rekey, HandshakeFramesOutOfPlaceEndTheCarrier) {
  for (std::uint8_t kind = 0; kind < 6; ++kind) {
    for (std::size_t size : {0u, 10u, 48u, 96u, 200u}) {
      Carriers c;
      c.open();
      std::string frame{char(kHandshakeFrame), char(kind)};
      frame += std::string(size, 'h');
      send_text(c.client, frame);
      c.exchange();
      EXPECT_TRUE(texts(c.gateway, c.now).empty());
      EXPECT_EQ(c.gateway.state(), CarrierState::kFailed) << int(kind);
      Carriers d;
      d.open();
      send_text(d.gateway, frame);
      d.exchange();
      EXPECT_TRUE(texts(d.client, d.now).empty());
      EXPECT_EQ(d.client.state(), CarrierState::kFailed) << int(kind);
    }
  }
  Carriers c;
  c.open();
  send_text(c.client, std::string(1, char(kHandshakeFrame)));
  c.exchange();
  texts(c.gateway, c.now);
  EXPECT_EQ(c.gateway.state(), CarrierState::kFailed);
}

}  // namespace
}  // namespace causeway::link

// Who may enter, and what everybody else is told.
#include <gtest/gtest.h>

#include "core/noise/keys.h"
#include "tests/world/conversation.h"

namespace causeway::world {
namespace {

using namespace std::chrono_literals;
using Kind = engine::ClientEvent::Kind;

const engine::ClientEvent* first(const World& world, Kind kind) {
  for (const engine::ClientEvent& event : world.client_events) {
    if (event.kind == kind) return &event;
  }
  return nullptr;
}

const engine::ClientEvent* last(const World& world, Kind kind) {
  for (auto it = world.client_events.rbegin(); it != world.client_events.rend(); ++it) {
    if (it->kind == kind) return &*it;
  }
  return nullptr;
}

TEST(Entry, RemovingAKeyEndsItsSessionAndItsFlowsAtOnce) {
  World world({});
  ASSERT_TRUE(world.come_up());
  Conversation::Plan plan;
  plan.to = service_at(1);
  plan.app.send = plan.service.send = 500'000'000;
  Conversation c(world, plan);
  c.start();
  world.run_for(300ms);
  world.set_clients(false);
  EXPECT_TRUE(world.run_until([&] { return c.ended() && c.services_ended(); }, 1s)) << world.fault();
  EXPECT_EQ(c.app().end(), Talker::End::kReset);
  EXPECT_EQ(world.gateway()->status().sessions, 0u);
  ASSERT_TRUE(world.run_until([&] { return world.client_said(Kind::kRefused); }, 10s));
  EXPECT_NE(first(world, Kind::kLinkDown)->error.message.find("no longer authorised"), std::string::npos)
      << first(world, Kind::kLinkDown)->error.message;
}

TEST(Entry, AnUnknownKeyIsRefusedWithTheLineThatWouldLetItIn) {
  WorldOptions options;
  options.known_key = false;
  World world(options);
  EXPECT_FALSE(world.come_up());
  const engine::ClientEvent* refused = last(world, Kind::kRefused);
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->error.message.find("does not know our key " + noise::fingerprint(world.client_keys().public_key)),
            std::string::npos);
  EXPECT_NE(refused->error.advice.find(noise::encode_key(world.client_keys().public_key)), std::string::npos);
  ASSERT_FALSE(world.gateway_events.empty());
  EXPECT_NE(world.gateway_events.back().text.find(noise::encode_key(world.client_keys().public_key)),
            std::string::npos);
  // Once the line is there, the next dial gets in.
  world.set_clients(true);
  EXPECT_TRUE(world.run_until([&] { return world.link_is_up(); }, 40s)) << world.fault();
}

TEST(Entry, AWrongGatewayKeyMeetsSilence) {
  WorldOptions options;
  options.right_gateway_key = false;
  World world(options);
  world.start();
  world.run_for(15s);
  EXPECT_FALSE(world.client_said(Kind::kRefused));
  const engine::ClientEvent* down = last(world, Kind::kLinkDown);
  ASSERT_TRUE(down);
  EXPECT_NE(down->error.message.find("no answer: wrong gateway key, or no gateway there"), std::string::npos);
  EXPECT_EQ(world.gateway()->status().refused, 0u);
  EXPECT_GT(world.gateway()->status().silent, 0u);
}

TEST(Entry, DifferingPresharedKeysAreToldApartFromAWrongGatewayKey) {
  Secret<32> psk;
  psk.bytes()[0] = 1;
  WorldOptions options;
  options.client_psk = psk;
  World world(options);
  world.start();
  world.run_for(2s);
  const engine::ClientEvent* refused = last(world, Kind::kRefused);
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->error.message.find("pre-shared key"), std::string::npos);
}

TEST(Entry, AReplayedFirstMessageMovesNothing) {
  World world({});
  ASSERT_TRUE(world.come_up());
  world.run_for(1s);
  auto before = world.gateway()->status();
  // The first message alone, and then with everything that followed it.
  std::vector<std::uint8_t> all = world.first_carrier_bytes();
  ASSERT_GT(all.size(), 100u);
  std::vector<std::uint8_t> first(all.begin(), all.begin() + 3 + load16(&all[1]));
  World::Stranger& one = world.connect_as_stranger(first);
  World::Stranger& two = world.connect_as_stranger(all);
  world.run_for(15s);
  auto after = world.gateway()->status();
  EXPECT_EQ(after.came, before.came);
  EXPECT_EQ(after.sessions, 1u);
  EXPECT_EQ(after.handshakes, 0u);
  EXPECT_TRUE(one.closed);
  EXPECT_TRUE(two.closed);
  EXPECT_TRUE(world.link_is_up());
  EXPECT_EQ(world.client().status().links, 1u);
}

TEST(Entry, WhoCannotMakeAFirstMessageGetsNotOneByte) {
  World world({});
  ASSERT_TRUE(world.come_up());
  SeededRandom random(5);
  std::vector<std::uint8_t> all = world.first_carrier_bytes();
  std::vector<std::uint8_t> first(all.begin(), all.begin() + 3 + load16(&all[1]));
  std::vector<World::Stranger*> strangers;
  for (int i = 0; i < 40; ++i) {
    std::vector<std::uint8_t> bytes = first;
    if (i % 2 == 0) {
      bytes[random.below(bytes.size())] ^= std::uint8_t(1u << random.below(8));
    } else {
      random.fill(bytes);
    }
    strangers.push_back(&world.connect_as_stranger(bytes));
  }
  strangers.push_back(&world.connect_as_stranger({}));
  world.run_for(15s);
  for (World::Stranger* stranger : strangers) {
    EXPECT_TRUE(stranger->answer.empty());
    EXPECT_TRUE(stranger->closed);
  }
  EXPECT_EQ(world.gateway()->status().handshakes, 0u);
}

TEST(Entry, RefusalsToOneSourceAreLimited) {
  WorldOptions options;
  options.known_key = true;
  World world(options);
  ASSERT_TRUE(world.come_up());
  std::vector<std::uint8_t> all = world.first_carrier_bytes();
  std::vector<std::uint8_t> first(all.begin(), all.begin() + 3 + load16(&all[1]));
  std::vector<World::Stranger*> strangers;
  for (int i = 0; i < 50; ++i) strangers.push_back(&world.connect_as_stranger(first));
  world.run_for(1s);
  auto answered = std::count_if(strangers.begin(), strangers.end(), [](auto* s) { return !s->answer.empty(); });
  EXPECT_LE(answered, 10);
  EXPECT_GE(answered, 1);
}

TEST(Entry, ABitFlippedInTheCarrierEndsThatCarrierOnly) {
  for (bool up : {false, true}) {
    World world({});
    ASSERT_TRUE(world.come_up());
    ASSERT_TRUE(world.damage(up));
    Conversation::Plan plan;
    plan.to = service_at(1);
    plan.app.send = plan.service.send = 100'000;
    Conversation c(world, plan);
    c.start();
    EXPECT_TRUE(world.run_until([&] { return world.client_said(Kind::kLinkDown); }, 12s));
    EXPECT_TRUE(world.run_until([&] { return world.link_is_up(); }, 5s)) << world.fault();
    EXPECT_EQ(world.client().status().links, 2u);
  }
}

TEST(Entry, ALinkIsRekeyedUnderTrafficAndNothingIsLost) {
  WorldOptions options;
  options.timing.rekey_after = 1s;
  options.timing.rekey_limit = 3s;
  options.tap = true;
  options.wire.bytes_per_second = 2'000'000;
  World world(options);
  ASSERT_TRUE(world.come_up());
  Conversation::Plan plan;
  plan.to = service_at(1);
  plan.app.send = plan.service.send = 20'000'000;
  Conversation c(world, plan);
  c.start();
  EXPECT_TRUE(world.run_until([&] { return c.ended() && c.services_ended(); }, 60s)) << world.fault();
  EXPECT_EQ(c.fault(false), "");
  EXPECT_GE(world.client().status().rekeys, 8u);
}

TEST(Entry, AStoppedClientResetsItsFlowsAndSaysGoodbye) {
  World world({});
  ASSERT_TRUE(world.come_up());
  Conversation::Plan plan;
  plan.to = service_at(1);
  plan.app.send = plan.service.send = 500'000'000;
  Conversation c(world, plan);
  c.start();
  world.run_for(300ms);
  world.client().stop(world.time.now());
  world.call_client();
  EXPECT_TRUE(world.run_until([&] { return c.ended() && c.services_ended(); }, 1s)) << world.fault();
  EXPECT_EQ(c.app().end(), Talker::End::kReset);
  ASSERT_FALSE(world.gateway_events.empty());
  EXPECT_NE(world.gateway_events.back().text.find("the client went down"), std::string::npos)
      << world.gateway_events.back().text;
}

}  // namespace
}  // namespace causeway::world

// What a program sees of TCP must be what it would see without a tunnel.
#include <gtest/gtest.h>

#include "tests/world/conversation.h"

namespace causeway::world {
namespace {

using namespace std::chrono_literals;
using link::Reason;
using End = Talker::End;

class TruthfulTcp : public testing::Test {
 protected:
  void begin(WorldOptions options = {}) {
    options.chart = true;
    world_ = std::make_unique<World>(options);
    ASSERT_TRUE(world_->come_up()) << why();
  }
  std::string why() const { return world_->fault() + "\n" + world_->chart.text(); }

  Conversation& talk(Conversation::Plan plan) {
    plan.flow = talks_.size() + 1;
    if (plan.to.port == 0) plan.to = service_at(unsigned(plan.flow));
    talks_.push_back(std::make_unique<Conversation>(*world_, plan));
    return *talks_.back();
  }
  Conversation& started(const Conversation::Plan& plan) {
    Conversation& conversation = talk(plan);
    conversation.start();
    return conversation;
  }
  bool ends(Conversation& conversation, Duration limit = 60s) {
    return world_->run_until([&] { return conversation.ended() && conversation.services_ended(); }, limit);
  }
  static Conversation::Plan moving(std::uint64_t up, std::uint64_t down) {
    Conversation::Plan plan;
    plan.app.send = up;
    plan.service.send = down;
    return plan;
  }
  static Conversation::Plan refused(Reason why) {
    Conversation::Plan plan;
    plan.refuses = why;
    return plan;
  }

  std::unique_ptr<World> world_;
  std::vector<std::unique_ptr<Conversation>> talks_;
};

TEST_F(TruthfulTcp, BytesGoBothWaysAndBothEndsSeeTheOthersFin) {
  begin();
  Conversation& c = started(moving(3'000'000, 5'000'000));
  EXPECT_TRUE(ends(c)) << why();
  EXPECT_EQ(c.fault(false), "");
  EXPECT_EQ(c.app().end(), End::kComplete);
}

TEST_F(TruthfulTcp, TheSynIsHeldUntilTheDialIsAnswered) {
  begin();
  Conversation::Plan plan = moving(10, 10);
  plan.answers_after = 700ms;
  Conversation& c = started(plan);
  world_->run_for(690ms);
  EXPECT_EQ(c.tcp().state(), AppTcp::State::kSynSent);
  EXPECT_EQ(world_->client().status().half_open, 1u);
  world_->run_for(30ms);
  EXPECT_NE(c.tcp().state(), AppTcp::State::kSynSent) << why();
  EXPECT_TRUE(ends(c));
  EXPECT_EQ(c.fault(false), "");
}

TEST_F(TruthfulTcp, RepeatedSynsJoinTheFirst) {
  begin();
  Conversation::Plan plan = moving(10, 10);
  plan.answers_after = 20s;
  Conversation& c = started(plan);
  EXPECT_TRUE(ends(c)) << why();
  EXPECT_GE(c.tcp().syns_sent(), 4u);
  EXPECT_EQ(c.at().dials, 1u);
  EXPECT_EQ(c.fault(false), "");
}

TEST_F(TruthfulTcp, ARefusedDialIsARstAtOnce) {
  begin();
  Conversation& c = started(refused(Reason::kConnectionRefused));
  Instant before = world_->time.now();
  EXPECT_TRUE(ends(c)) << why();
  EXPECT_EQ(c.tcp().end(), AppTcp::End::kRefused);
  EXPECT_LT(world_->time.now() - before, 50ms);
}

struct Unreachable {
  Reason reason;
  std::uint8_t code4, code6;
};

TEST_F(TruthfulTcp, NoRouteAndForbiddenAreTheMatchingIcmpErrors) {
  begin();
  for (Unreachable expected :
       {Unreachable{Reason::kHostUnreachable, 1, 3}, Unreachable{Reason::kNetworkUnreachable, 0, 0},
        Unreachable{Reason::kForbidden, 13, 1}}) {
    for (bool v6 : {false, true}) {
      Conversation::Plan plan = refused(expected.reason);
      plan.to = service_at(unsigned(100 + talks_.size()), 80, v6);
      Conversation& c = started(plan);
      EXPECT_TRUE(ends(c)) << why();
      EXPECT_EQ(c.tcp().end(), AppTcp::End::kUnreachable) << link::reason_name(expected.reason);
      EXPECT_EQ(c.tcp().icmp_type(), v6 ? 1 : 3);
      EXPECT_EQ(c.tcp().icmp_code(), v6 ? expected.code6 : expected.code4);
    }
  }
}

TEST_F(TruthfulTcp, ADialThatTimedOutIsSilenceUntilTheAppsOwnTimer) {
  begin();
  Conversation::Plan plan = refused(Reason::kTimedOut);
  plan.answers_after = 2s;
  plan.tcp.syn_retries = 3;
  Conversation& c = started(plan);
  EXPECT_TRUE(ends(c)) << why();
  EXPECT_EQ(c.tcp().end(), AppTcp::End::kTimedOut);
}

TEST_F(TruthfulTcp, ADestinationOutsideTheRoutesIsNetworkUnreachable) {
  begin();
  Conversation::Plan plan = moving(1, 1);
  plan.to = {packet::Address::v4(203, 0, 113, 9), 80};
  Conversation& c = started(plan);
  EXPECT_TRUE(world_->run_until([&] { return c.ended(); }, 1s)) << why();
  EXPECT_EQ(c.tcp().end(), AppTcp::End::kUnreachable);
  EXPECT_EQ(c.tcp().icmp_code(), 0);
  EXPECT_EQ(c.at().dials, 0u);
}

TEST_F(TruthfulTcp, WhileTheLinkIsDownASynWaitsTenSecondsThenTheHostIsUnreachable) {
  begin();
  world_->kill_gateway();
  world_->run_for(100ms);
  Conversation& c = started(moving(1, 1));
  world_->run_for(9900ms);
  EXPECT_FALSE(c.ended());
  EXPECT_TRUE(world_->run_until([&] { return c.ended(); }, 1500ms)) << why();
  EXPECT_EQ(c.tcp().end(), AppTcp::End::kUnreachable);
  EXPECT_EQ(c.tcp().icmp_code(), 1);
}

TEST_F(TruthfulTcp, ASynThatWaitsGoesThroughWhenTheLinkComesBack) {
  begin();
  world_->kill_gateway();
  world_->run_for(100ms);
  Conversation& c = started(moving(2000, 3000));
  world_->run_for(8s);
  EXPECT_FALSE(c.ended());
  world_->start_gateway();
  EXPECT_TRUE(ends(c, 5s)) << why();
  EXPECT_EQ(c.app().end(), End::kComplete);
  EXPECT_EQ(c.app().received(), 3000u);
}

TEST_F(TruthfulTcp, HalfOpenFlowsAreBounded) {
  WorldOptions options;
  options.max_half_open = 20;
  begin(options);
  Conversation::Plan silent;
  silent.silent = true;
  for (int i = 0; i < 50; ++i) started(silent);
  world_->run_for(100ms);
  EXPECT_EQ(world_->client().status().half_open, 20u);
  EXPECT_EQ(world_->client().status().counters.drop_limit, 30u);
}

TEST_F(TruthfulTcp, EitherSideMayHalfCloseFirstAndGoOnReading) {
  begin();
  Conversation::Plan app_first = moving(1000, 700'000);
  app_first.service.finish_last = true;
  app_first.service.read_after = 300ms;
  Conversation::Plan service_first = moving(700'000, 1000);
  service_first.app.finish_last = true;
  service_first.app.read_after = 300ms;
  for (const Conversation::Plan& plan : {app_first, service_first}) {
    Conversation& c = started(plan);
    EXPECT_TRUE(ends(c)) << why();
    EXPECT_EQ(c.fault(false), "");
    EXPECT_EQ(c.app().end(), End::kComplete);
  }
}

TEST_F(TruthfulTcp, AResetOfTheAppReachesTheServiceAndTheOtherWayRound) {
  begin();
  Conversation::Plan by_app = moving(100'000, 100'000);
  by_app.app.reset_after = 60'000;
  Conversation& a = started(by_app);
  EXPECT_TRUE(ends(a)) << why();
  EXPECT_EQ(a.app().end(), End::kOwnReset);
  EXPECT_EQ(a.service()->end(), End::kReset);
  EXPECT_TRUE(a.at().closed_by_reset.back());

  Conversation::Plan by_service = moving(100'000, 100'000);
  by_service.service.reset_after = 60'000;
  Conversation& s = started(by_service);
  EXPECT_TRUE(ends(s)) << why();
  EXPECT_EQ(s.service()->end(), End::kOwnReset);
  EXPECT_EQ(s.app().end(), End::kReset);
}

TEST_F(TruthfulTcp, ClosingWithUnreadDataIsAResetForTheService) {
  begin();
  Conversation::Plan plan = moving(0, 100'000);
  plan.app.read_after = 30s;  // never in this test
  plan.app.finish_last = true;
  Conversation& c = started(plan);
  world_->run_for(500ms);
  ASSERT_GT(c.tcp().unread(), 0u);
  c.tcp().close();
  EXPECT_TRUE(world_->run_until([&] { return c.services_ended() && world_->cluster.sockets() == 0; }, 5s)) << why();
  EXPECT_TRUE(c.at().closed_by_reset.back());
}

TEST_F(TruthfulTcp, WhatCameBeforeAResetIsStillRead) {
  begin();
  Conversation::Plan plan = moving(0, 5000);
  plan.service.finish_last = true;
  plan.app.finish_last = true;
  plan.service.reset_after = 5000;
  plan.service.write_size = 5000;
  Conversation& c = started(plan);
  EXPECT_TRUE(ends(c)) << why();
  // The service's kernel may forget what it has not sent, but nothing is made up and no orderly end is shown.
  EXPECT_EQ(c.app().end(), End::kReset);
  EXPECT_FALSE(c.app().saw_end());
}

TEST_F(TruthfulTcp, AStalledReaderHarmsNobodyAndHoldsABoundedAmount) {
  begin();
  for (int i = 0; i < 15; ++i) {
    Conversation::Plan stalled = moving(0, 20'000'000);
    stalled.app.read_after = 1h;
    stalled.tcp.receive_buffer = 64 * 1024;
    started(stalled);
    Conversation::Plan deaf = moving(20'000'000, 0);
    deaf.service.read_after = 1h;
    started(deaf);
  }
  world_->run_for(10s);
  Conversation& c = started(moving(2'000'000, 2'000'000));
  EXPECT_TRUE(ends(c, 20s)) << why();
  EXPECT_EQ(c.fault(false), "");
  // A stalled upload fills lwIP's receive window, a stalled download its send buffer, 2 MB each; the link holds its window at
  // most, on either end. Blocks are a little larger than what lies in them.
  const std::size_t window = 64 * 1024 * 1024;
  EXPECT_LT(world_->peak_gateway_memory(), window * 5 / 4);
  EXPECT_LT(world_->peak_client_memory(), (window + 30u * 2 * 1024 * 1024) * 5 / 4);
}

TEST_F(TruthfulTcp, FlowsEndWithAResetWhenTheCarrierBreaksAndTheLinkIsDialledAgain) {
  begin();
  Conversation& c = started(moving(500'000'000, 500'000'000));
  world_->run_for(500ms);
  ASSERT_TRUE(world_->break_carrier());
  EXPECT_TRUE(ends(c, 1s)) << why();
  EXPECT_EQ(c.app().end(), End::kReset);
  EXPECT_FALSE(c.app().saw_end());
  EXPECT_TRUE(world_->run_until([&] { return world_->link_is_up(); }, 1s)) << why();
  Conversation& again = started(moving(1000, 1000));
  EXPECT_TRUE(ends(again)) << why();
  EXPECT_EQ(again.fault(false), "");
}

TEST_F(TruthfulTcp, AResetIsBelievedByAnAppThatReadsNothing) {
  begin();
  Conversation::Plan plan = moving(0, 20'000'000);
  plan.app.read_after = 1h;
  plan.tcp.receive_buffer = 8 * 1024;
  Conversation& c = started(plan);
  world_->run_for(3s);  // its closed window was asked for by then
  ASSERT_GE(c.tcp().unread(), 8u * 1024);
  ASSERT_TRUE(world_->break_carrier());
  EXPECT_TRUE(ends(c, 1s)) << why();
  EXPECT_EQ(c.tcp().end(), AppTcp::End::kReset);
  EXPECT_EQ(c.tcp().fault(), "") << why();
}

TEST_F(TruthfulTcp, ACarrierThatGoesSilentIsDeadAfterFiveSecondsAndABusyOneIsNot) {
  WorldOptions options;
  options.wire.bytes_per_second = 1'000'000;
  begin(options);
  // Three seconds of queue in the network are not death.
  Conversation& busy = started(moving(8'000'000, 0));
  EXPECT_TRUE(ends(busy)) << why();
  EXPECT_EQ(busy.fault(false), "");
  EXPECT_EQ(world_->client().status().links, 1u);

  Conversation& c = started(moving(500'000'000, 0));
  world_->run_for(1s);
  ASSERT_TRUE(world_->lose_everything(true, true));
  world_->run_for(4500ms);
  EXPECT_FALSE(c.ended());
  EXPECT_TRUE(world_->run_until([&] { return c.ended(); }, 2s)) << why();
  EXPECT_EQ(c.app().end(), End::kReset);
}

TEST_F(TruthfulTcp, OneByteWritesAndTinyWindowsCarryEveryByte) {
  begin();
  Conversation::Plan plan = moving(500, 20'000);
  plan.app.write_size = 1;
  plan.app.write_pause = 1ms;
  plan.tcp.receive_buffer = 600;
  plan.tcp.mss = 536;
  plan.tcp.window_scale = -1;
  Conversation& c = started(plan);
  EXPECT_TRUE(ends(c)) << why();
  EXPECT_EQ(c.fault(false), "");
}

TEST_F(TruthfulTcp, AThousandFlowsAtOnceAllEndInOrder) {
  begin();
  for (int i = 0; i < 1000; ++i) started(moving(3000, 2000));
  EXPECT_TRUE(world_->run_until(
      [&] {
        return std::all_of(talks_.begin(), talks_.end(), [](auto& c) { return c->ended() && c->services_ended(); });
      },
      60s))
      << world_->fault();
  for (auto& c : talks_) ASSERT_EQ(c->fault(false), "");
}

}  // namespace
}  // namespace causeway::world

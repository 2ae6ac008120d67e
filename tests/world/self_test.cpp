// The world must be able to fail: faults that are put in are found, and the chart can be read.
#include <gtest/gtest.h>

#include "tests/world/scenario.h"

namespace causeway::world {
namespace {

using namespace std::chrono_literals;

TEST(World, FindsAServiceThatLeavesOutAByte) {
  Scenario scenario(3, true);
  scenario.spoil();
  std::string fault = scenario.run();
  EXPECT_NE(fault.find("the app read a wrong byte at offset 3000"), std::string::npos) << fault;
  std::string chart = scenario.chart();
  for (const char* seen : {"> tcp :", "< tcp :", "DATA ", "ACK 0 "})
    EXPECT_NE(chart.find(seen), std::string::npos) << seen << chart;
}

TEST(World, FindsAnEndThatCameTooEarly) {
  World world({});
  ASSERT_TRUE(world.come_up());
  Conversation::Plan plan;
  plan.to = service_at(1);
  plan.service.send = 5000;
  Conversation c(world, plan);
  c.at().script.send = 4000;  // the service ends before what was agreed
  c.start();
  EXPECT_TRUE(world.run_until([&] { return c.ended() && c.services_ended(); }, 5s));
  EXPECT_NE(c.fault(false).find("the app saw the end after 4000 bytes"), std::string::npos);
}

TEST(World, FindsAnAppThatHangs) {
  World world({});
  ASSERT_TRUE(world.come_up());
  Conversation::Plan plan;
  plan.to = service_at(1);
  plan.app.finish_last = plan.service.finish_last = true;  // each waits for the other
  Conversation c(world, plan);
  c.start();
  world.run_for(60s);
  EXPECT_NE(c.fault(false).find("the app hangs"), std::string::npos);
}

TEST(World, FindsAResetThatNobodyAskedFor) {
  World world({});
  ASSERT_TRUE(world.come_up());
  Conversation::Plan plan;
  plan.to = service_at(1);
  plan.app.send = plan.service.send = 50'000'000;
  Conversation c(world, plan);
  c.start();
  world.run_for(100ms);
  world.break_carrier();
  world.run_for(1s);
  EXPECT_NE(c.fault(false).find("it was reset, and nobody did it"), std::string::npos);
  EXPECT_EQ(c.fault(true), "");
}

TEST(World, GoesTheSameWayForTheSameSeed) {
  auto course = [](std::uint64_t seed) {
    Scenario scenario(seed, true);
    std::string fault = scenario.run();
    return fault + scenario.chart();
  };
  EXPECT_EQ(course(12), course(12));
  EXPECT_NE(course(12), course(13));
}

}  // namespace
}  // namespace causeway::world

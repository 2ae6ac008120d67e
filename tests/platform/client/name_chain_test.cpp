#include "platform/client/name_chain.h"

#include <gtest/gtest.h>

#include <string>

namespace causeway::platform {
namespace {

using Number = NameChain::Number;

// What one place was told, as "asked 1 name". Numbers of questions are the chain's and are left out.
struct Tunnel {
  Tunnel(NameChain& chain, std::string name)
      : place(chain, {name, name + ".local"},
              {[this](Number question, Bytes message) {
                 waiting.push_back(question);
                 told.push_back("asked " + std::string(as_text(message)));
               },
               [this](Number request, Bytes message) {
                 told.push_back(std::to_string(request) + " is " + std::string(as_text(message)));
               },
               [this](Number request) { told.push_back(std::to_string(request) + " failed"); },
               [this](Number request, Bytes message) {
                 told.push_back("machine " + std::to_string(request) + " " + std::string(as_text(message)));
               },
               [this](const std::vector<dns::OtherProfile>& all) {
                 others.clear();
                 for (const dns::OtherProfile& each : all) others.push_back(each.profile);
               }}) {}

  void ask(Number request, std::string_view name) { place.ask(request, as_bytes(name)); }
  // The oldest question that it was asked.
  void answer(std::string_view text) {
    ASSERT_FALSE(waiting.empty());
    Number question = waiting.front();
    waiting.erase(waiting.begin());
    place.answer(question, as_bytes(text));
  }
  std::vector<std::string> take() { return std::exchange(told, {}); }

  std::vector<Number> waiting;
  std::vector<std::string> told, others;
  NameChain::Place place;
};

using Told = std::vector<std::string>;

class NameChainTest : public ::testing::Test {
 protected:
  NameChainTest() {
    for (Tunnel* each : {&red, &blue, &green}) each->place.join();
  }

  NameChain chain;
  Tunnel red{chain, "red"}, blue{chain, "blue"}, green{chain, "green"};
};

TEST_F(NameChainTest, WhatOneDoesNotKnowTheNextIsAskedAndTheLastAsksTheMachine) {
  red.ask(1, "a");
  EXPECT_EQ(blue.take(), Told{"asked a"});
  blue.ask(7, "a");
  EXPECT_EQ(green.take(), Told{"asked a"});
  green.ask(9, "a");
  EXPECT_EQ(green.take(), Told{"machine 9 a"});
  green.answer("x");
  EXPECT_EQ(blue.take(), Told{"7 is x"});
  blue.answer("x");
  EXPECT_EQ(red.take(), Told{"1 is x"});
  EXPECT_EQ(chain.under_way(), 0u);
}

TEST_F(NameChainTest, TheOneThatCameUpLaterNeverAsksTheOneBefore) {
  green.ask(1, "a");
  blue.ask(1, "b");
  EXPECT_EQ(green.take(), (Told{"machine 1 a", "asked b"}));
  EXPECT_TRUE(red.take().empty());
}

TEST_F(NameChainTest, WhoHasNotJoinedAsksTheMachineAndIsNotAsked) {
  Tunnel alone(chain, "alone");
  alone.ask(1, "a");
  EXPECT_EQ(alone.take(), Told{"machine 1 a"});
  green.ask(1, "b");
  EXPECT_TRUE(alone.take().empty());
  EXPECT_FALSE(alone.place.joined());
}

TEST_F(NameChainTest, QuestionsUnderWayToOneThatLeavesGoToTheNextInTheirOrder) {
  red.ask(1, "a");
  red.ask(2, "b");
  blue.place.leave();
  EXPECT_EQ(green.take(), (Told{"asked a", "asked b"}));
  blue.answer("too late");
  EXPECT_TRUE(red.take().empty());
  green.answer("x");
  green.answer("y");
  EXPECT_EQ(red.take(), (Told{"1 is x", "2 is y"}));
}

TEST_F(NameChainTest, QuestionsUnderWayToTheLastGoToTheMachineWhenItLeaves) {
  blue.ask(3, "a");
  green.place.leave();
  EXPECT_EQ(blue.take(), Told{"machine 3 a"});
  EXPECT_EQ(chain.under_way(), 0u);
}

TEST_F(NameChainTest, WhatTheFirstHasAskedIsStillAnsweredWhileItLeaves) {
  red.ask(1, "a");
  red.place.leave();
  blue.answer("x");
  EXPECT_EQ(red.take(), Told{"1 is x"});
  red.ask(2, "b");
  EXPECT_EQ(red.take(), Told{"machine 2 b"});
}

TEST_F(NameChainTest, TheEndFailsWhatWaits) {
  red.ask(1, "a");
  red.ask(2, "b");
  red.place.end();
  EXPECT_EQ(red.take(), (Told{"1 failed", "2 failed"}));
  blue.answer("x");
  EXPECT_TRUE(red.take().empty());
  EXPECT_EQ(chain.under_way(), 0u);
}

TEST_F(NameChainTest, WhatIsForgottenIsNotHeardOf) {
  red.ask(1, "a");
  red.place.forget(1);
  red.place.forget(99);
  blue.answer("x");
  EXPECT_TRUE(red.take().empty());
  EXPECT_EQ(chain.under_way(), 0u);
}

TEST_F(NameChainTest, OneThatComesBackIsTheLast) {
  red.place.leave();
  red.place.join();
  red.place.join();
  green.ask(1, "a");
  EXPECT_EQ(red.take(), Told{"asked a"});
  red.ask(1, "a");
  EXPECT_EQ(red.take(), Told{"machine 1 a"});
}

TEST_F(NameChainTest, OneThatIsGoneLeavesNothing) {
  {
    Tunnel last(chain, "last");
    last.place.join();
    green.ask(1, "a");
    EXPECT_EQ(last.take(), Told{"asked a"});
    last.ask(5, "b");
  }
  EXPECT_EQ(green.take(), Told{"machine 1 a"});
  auto first = std::make_unique<Tunnel>(chain, "first");
  EXPECT_EQ(chain.under_way(), 0u);
  first->place.join();
  Tunnel next(chain, "next");
  next.place.join();
  first->ask(1, "a");
  first.reset();
  next.answer("x");
  EXPECT_EQ(chain.under_way(), 0u);
}

TEST_F(NameChainTest, EachIsToldWhoElseHasJoined) {
  EXPECT_EQ(red.others, (Told{"blue", "green"}));
  EXPECT_EQ(blue.others, (Told{"red", "green"}));
  EXPECT_EQ(green.others, (Told{"red", "blue"}));
  red.place.leave();
  EXPECT_EQ(blue.others, Told{"green"});
  EXPECT_EQ(green.others, Told{"blue"});
}

}  // namespace
}  // namespace causeway::platform

// When a laptop, its process or the original goes: who gets which answer, in virtual time.
#include <gmock/gmock.h>

#include "tests/core/intercept/proxy_world.h"

namespace causeway::intercept {
namespace {

using link::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kToLaptop = "X-To: 7\r\n";

std::string put(std::string_view body, std::string_view lines = {}) {
  return "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(lines) +
         "\r\n" + std::string(body);
}

// Connected to the laptop's process, which has answered once.
class Used : public testing::Test {
 protected:
  Used() {
    world.client(get("/first", kToLaptop));
    world.connect(1);
    world.receive(1, ok("first"));
    world.answers();
    world.sent(1);
    world.log.clear();
  }
  ProxyWorld world;
};

TEST(FailOpen, AGetGoesToTheOriginalWhenTheLaptopGoes) {
  ProxyWorld world;
  world.client(get("/", kToLaptop));
  world.connect(1);
  const std::string request = world.sent(1);
  world.fail(1, Reason::kLinkLost);
  ASSERT_EQ(world.last, 2u);
  EXPECT_EQ(world.peers[2].target, kOriginal);
  EXPECT_EQ(world.sent(2), request);
  world.connect(2);
  world.receive(2, ok("original"));
  EXPECT_EQ(world.answers(), ok("original"));
  EXPECT_EQ(world.log, "to 7\nfailed 7: the laptop went away\nto 0\nanswer 200 of 0\n");
}

TEST(FailOpen, SoDoesOneOfWhoseAnswerOnlyTheProxyHasSeenAPart) {
  ProxyWorld world;
  world.client(get("/", kToLaptop));
  world.connect(1);
  world.receive(1, "HTTP/1.1 200 OK\r\nContent-Le");
  world.fail(1, Reason::kLinkLost);
  world.connect(2);
  world.receive(2, ok("original"));
  EXPECT_EQ(world.answers(), ok("original"));
}

TEST(FailOpen, WhatTheClientHasSeenAPartOfIsReset) {
  for (std::string_view part : {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nhalf"}) {
    ProxyWorld world;
    world.client(get("/", kToLaptop));
    world.connect(1);
    world.receive(1, part);
    world.fail(1, Reason::kLinkLost);
    EXPECT_TRUE(world.of_client().reset);
    EXPECT_EQ(world.peers.size(), 2u);
  }
}

TEST(FailOpen, APostThatMayHaveBeenDeliveredIsNotRepeated) {
  ProxyWorld world;
  world.client(post("/", "order", kToLaptop));
  world.connect(1);
  world.fail(1, Reason::kLinkLost);
  EXPECT_EQ(world.peers.size(), 2u);
  EXPECT_THAT(world.answers(), AllOf(StartsWith("HTTP/1.1 502"), HasSubstr("the laptop went away")));
  world.client(get("/next"));
  EXPECT_EQ(world.peers[2].target, kOriginal) << "the connection goes on";
}

TEST(FailOpen, APostThatWasNotDeliveredGoesToTheOriginal) {
  ProxyWorld world;
  world.client(post("/", "order", kToLaptop));
  EXPECT_EQ(world.peers[1].bytes, "");
  world.fail(1, Reason::kLinkLost);
  world.connect(2);
  EXPECT_EQ(world.peers[2].target, kOriginal);
  EXPECT_THAT(world.sent(2), testing::EndsWith("\r\n\r\norder"));
}

TEST(FailOpen, AfterA502TheRestOfABodyIsNoRequest) {
  ProxyWorld world;
  world.client("POST / HTTP/1.1\r\nHost: a\r\nX-To: 7\r\nContent-Length: 80\r\n\r\n");
  world.connect(1);
  world.fail(1, Reason::kLinkLost);
  EXPECT_THAT(world.answers(), AllOf(StartsWith("HTTP/1.1 502"), HasSubstr("Connection: close\r\n")));
  world.client(get("/smuggled"));
  EXPECT_EQ(world.peers.size(), 2u);
}

TEST(FailOpen, AGetIsSentAtOnceAndOnlyOnce) {
  ProxyWorld world;
  world.client("GET / HTTP/1.1\r\nHost: a\r\nX-To: 7\r\nContent-Length: 8\r\n\r\nhalf");
  EXPECT_THAT(world.sent(1), testing::EndsWith("half")) << "what may be repeated need not wait for the connection";
  world.client("half");
  EXPECT_EQ(world.sent(1), "half");
  world.connect(1);
  EXPECT_EQ(world.sent(1), "");
  world.fail(1, Reason::kLinkLost);
  EXPECT_THAT(world.sent(2), testing::EndsWith("\r\n\r\nhalfhalf"));
}

TEST(FailOpen, SoDoesOneWhoseBodyIsStillComing) {
  ProxyWorld world;
  world.client("POST / HTTP/1.1\r\nHost: a\r\nX-To: 7\r\nContent-Length: 8\r\n\r\nhalf");
  world.fail(1, Reason::kLinkLost);
  world.client("half");
  world.connect(2);
  EXPECT_THAT(world.sent(2), testing::EndsWith("\r\n\r\nhalfhalf"));
  world.receive(2, ok("done"));
  EXPECT_EQ(world.answers(), ok("done"));
}

TEST(FailOpen, AProcessThatDoesNotListenLeavesItToTheOriginal) {
  ProxyWorld world;
  world.client(post("/", "order", kToLaptop));
  world.fail(1, Reason::kConnectionRefused);
  world.connect(2);
  world.receive(2, ok("original"));
  EXPECT_EQ(world.answers(), ok("original"));
  EXPECT_EQ(world.log, "to 7\nfailed 7: no connection: connection refused\nto 0\nanswer 200 of 0\n");
}

TEST(FailOpen, OrIsToldOfWhereThatIsWanted) {
  ProxyWorld world;
  world.router.original_when_down = false;
  world.client(get("/", kToLaptop));
  world.fail(1, Reason::kConnectionRefused);
  EXPECT_THAT(world.answers(), AllOf(StartsWith("HTTP/1.1 502"), HasSubstr("no connection: connection refused")));
  world.client(get("/", kToLaptop));
  world.fail(2, Reason::kLinkLost);
  EXPECT_EQ(world.peers[3].target, kOriginal) << "a laptop that is gone is another matter";
}

TEST(FailOpen, ASilentLaptopKeepsItsRequestsForTheGrace) {
  ProxyWorld world;
  world.client(get("/", kToLaptop));
  world.connect(1);
  world.silent(7);
  world.router.open = false;
  EXPECT_EQ(world.proxy.deadline(), world.now + seconds(5));
  world.pass(seconds(5) - milliseconds(1));
  EXPECT_EQ(world.peers.size(), 2u);
  world.pass(milliseconds(1));
  EXPECT_TRUE(world.peers[1].reset);
  ASSERT_EQ(world.peers.size(), 3u);
  EXPECT_EQ(world.peers[2].target, kOriginal);
  world.connect(2);
  world.receive(2, ok("original"));
  EXPECT_EQ(world.answers(), ok("original"));
  EXPECT_EQ(world.proxy.deadline(), kNever);
}

TEST(FailOpen, AnAnswerWithinTheGraceIsOne) {
  ProxyWorld world;
  world.client(post("/", "order", kToLaptop));
  world.connect(1);
  world.silent(7);
  world.pass(seconds(4));
  world.receive(1, ok("late"));
  EXPECT_EQ(world.answers(), ok("late"));
  world.pass(seconds(10));
  EXPECT_TRUE(world.of_client().alive());
}

TEST(FailOpen, ALaptopThatIsBackInTimeKeepsItsRequests) {
  ProxyWorld world;
  world.client(post("/", "order", kToLaptop));
  world.connect(1);
  world.silent(7);
  world.pass(seconds(4));
  world.answering(7);
  world.pass(seconds(60));
  world.receive(1, ok("at last"));
  EXPECT_EQ(world.answers(), ok("at last"));
  world.silent(7);
  world.client(get("/again", kToLaptop));
  EXPECT_EQ(world.proxy.deadline(), world.now + seconds(5))
      << "one that was routed as it fell silent has the grace too";
}

TEST(FailOpen, AfterTheGraceThereIsA502OrAReset) {
  ProxyWorld posted;
  posted.client(post("/", "order", kToLaptop));
  posted.connect(1);
  posted.silent(7);
  posted.pass(seconds(5));
  EXPECT_THAT(posted.answers(), StartsWith("HTTP/1.1 502"));
  EXPECT_TRUE(posted.peers[1].reset);

  ProxyWorld half;
  half.client(get("/", kToLaptop));
  half.connect(1);
  half.receive(1, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
  half.silent(7);
  half.pass(seconds(5));
  EXPECT_TRUE(half.of_client().reset);

  ProxyWorld tunnel;
  tunnel.client(get("/", std::string(kToLaptop) + "Connection: upgrade\r\nUpgrade: websocket\r\n"));
  tunnel.connect(1);
  tunnel.receive(1, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  tunnel.silent(7);
  tunnel.pass(seconds(4));
  tunnel.client("still here");
  EXPECT_TRUE(tunnel.of_client().alive());
  tunnel.pass(seconds(1));
  EXPECT_TRUE(tunnel.of_client().reset);
}

TEST(FailOpen, SilenceOfOneLaptopIsNotOfAnother) {
  ProxyWorld world;
  world.client(get("/", kToLaptop));
  world.connect(1);
  world.silent(8);
  EXPECT_EQ(world.proxy.deadline(), kNever);
}

TEST(FailOpen, ADialThatIsNotAnsweredInTheGraceWasNotDelivered) {
  ProxyWorld world;
  world.client(post("/", "order", kToLaptop));
  world.silent(7);
  world.pass(seconds(5));
  world.connect(2);
  EXPECT_EQ(world.peers[2].target, kOriginal);
  world.receive(2, ok("original"));
  EXPECT_EQ(world.answers(), ok("original"));
}

TEST(FailOpen, AnOriginalThatIsNotThereIsSaidSo) {
  ProxyWorld world;
  world.client("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  world.fail(1, Reason::kConnectionRefused);
  const std::string answer = world.answers();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << "HEAD is answered without a body";
  world.client(get("/"));
  world.fail(2, Reason::kTimedOut);
  EXPECT_THAT(world.answers(), HasSubstr("causeway: no connection: timed out\n"));
  EXPECT_TRUE(world.of_client().alive());
}

TEST(FailOpen, AServiceThatClosesWithoutAnAnswerIsABadGateway) {
  for (bool reset : {false, true}) {
    ProxyWorld world;
    world.client(get("/"));
    world.connect(1);
    reset ? world.fail(1, Reason::kConnectionReset) : world.end(1);
    EXPECT_THAT(world.answers(), StartsWith("HTTP/1.1 502"));
    EXPECT_EQ(world.peers.size(), 2u) << "it was not idle: the request itself may be the reason";
  }
}

TEST(FailOpen, AnAnswerCutShortIsReset) {
  ProxyWorld world;
  world.client(get("/"));
  world.connect(1);
  world.receive(1, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
  world.end(1);
  EXPECT_TRUE(world.of_client().reset);
}

TEST_F(Used, AnIdempotentRequestThatMeetsAClosedConnectionIsSentAgain) {
  for (bool reset : {false, true}) {
    world.client(put("value", kToLaptop));
    const ConnectionId old = world.last;
    const std::string request = world.sent(old);
    ASSERT_THAT(request, testing::EndsWith("value"));
    reset ? world.fail(old, Reason::kConnectionReset) : world.end(old);
    ASSERT_EQ(world.last, old + 1);
    EXPECT_EQ(world.peers[old + 1].target, 7u) << "to the same place";
    world.connect(old + 1);
    EXPECT_EQ(world.sent(old + 1), request);
    world.receive(old + 1, ok("stored"));
    EXPECT_EQ(world.answers(), ok("stored"));
  }
  EXPECT_THAT(world.log, Not(HasSubstr("failed")));
}

TEST_F(Used, OnlyOnce) {
  world.client(put("value", kToLaptop));
  world.end(1);
  world.connect(2);
  world.end(2);
  EXPECT_THAT(world.answers(), StartsWith("HTTP/1.1 502"));
  EXPECT_EQ(world.peers.size(), 3u);
}

TEST_F(Used, OtherRequestsEndTheConnectionAsTheServiceItselfWould) {
  world.client(post("/", "order", kToLaptop));
  world.end(1);
  EXPECT_EQ(world.answers(), "");
  EXPECT_TRUE(world.of_client().closed);
  EXPECT_EQ(world.peers.size(), 2u);
}

TEST_F(Used, ARequestWhoseAnswerHasBegunIsNotSentAgain) {
  world.client(put("value", kToLaptop));
  world.receive(1, "HTTP/1.1 2");
  world.end(1);
  EXPECT_THAT(world.answers(), StartsWith("HTTP/1.1 502"));
}

TEST_F(Used, AGetOnAUsedConnectionGoesToTheOriginalWhenTheLaptopGoes) {
  world.client(get("/", kToLaptop));
  world.fail(1, Reason::kLinkLost);
  EXPECT_EQ(world.peers[2].target, kOriginal);
}

TEST_F(Used, APutOnAUsedConnectionDoesNot) {
  world.client(put("value", kToLaptop));
  world.fail(1, Reason::kLinkLost);
  EXPECT_THAT(world.answers(), StartsWith("HTTP/1.1 502")) << "it may have been carried out by the laptop's process";
  EXPECT_EQ(world.peers.size(), 2u);
}

TEST_F(Used, AProcessThatWasStoppedInBetweenLeavesItToTheOriginal) {
  world.end(1);
  EXPECT_TRUE(world.peers[1].closed);
  world.client(get("/", kToLaptop));
  EXPECT_EQ(world.peers[2].target, 7u);
  world.fail(2, Reason::kConnectionRefused);
  world.connect(3);
  EXPECT_EQ(world.peers[3].target, kOriginal);
  world.receive(3, ok("original"));
  EXPECT_EQ(world.answers(), ok("original"));
}

}  // namespace
}  // namespace causeway::intercept

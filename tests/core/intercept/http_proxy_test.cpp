// Requests and answers of one connection, each where it belongs, in peace.
#include <gmock/gmock.h>

#include "tests/core/intercept/proxy_world.h"

namespace causeway::intercept {
namespace {

using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(HttpProxy, EachRequestOfAConnectionGoesWhereItBelongs) {
  ProxyWorld world;
  world.client(get("/1"));
  const ConnectionId original = world.last;
  EXPECT_EQ(world.peers[original].target, kOriginal);
  EXPECT_THAT(world.sent(original), StartsWith("GET /1 HTTP/1.1\r\nHost: orders.shop\r\n"));
  world.connect(original);
  world.receive(original, ok("one"));
  EXPECT_EQ(world.answers(), ok("one"));

  world.client(get("/2", "X-To: 7\r\n"));
  const ConnectionId laptop = world.last;
  EXPECT_EQ(world.peers[laptop].target, 7u);
  EXPECT_THAT(world.sent(laptop), HasSubstr("GET /2"));
  world.connect(laptop);
  world.receive(laptop, ok("two"));
  EXPECT_EQ(world.answers(), ok("two"));

  world.client(get("/3"));
  world.client(get("/4", "X-To: 7\r\n"));
  EXPECT_EQ(world.last, laptop) << "both connections are used again";
  EXPECT_THAT(world.sent(original), HasSubstr("GET /3"));
  world.receive(original, ok("three"));
  EXPECT_THAT(world.sent(laptop), HasSubstr("GET /4"));
  world.receive(laptop, ok("four"));
  EXPECT_EQ(world.answers(), ok("three") + ok("four"));
  EXPECT_EQ(world.log, "to 0\nanswer 200 of 0\nto 7\nanswer 200 of 7\nto 0\nanswer 200 of 0\nto 7\nanswer 200 of 7\n");
}

TEST(HttpProxy, PipelinedRequestsAreAnsweredInOrder) {
  ProxyWorld world;
  world.client(get("/1", "X-To: 7\r\n") + post("/2", "body") + get("/3", "X-To: 7\r\n"));
  EXPECT_EQ(world.peers.size(), 2u) << "one at a time";
  world.connect(1);
  EXPECT_THAT(world.sent(1), EndsWith("\r\n\r\n"));
  world.receive(1, ok("one"));
  ASSERT_EQ(world.peers[2].target, kOriginal);
  EXPECT_EQ(world.peers[2].bytes, "") << "a POST waits until it is known that it can be delivered";
  world.connect(2);
  EXPECT_THAT(world.sent(2), EndsWith("\r\n\r\nbody"));
  world.receive(2, ok("two"));
  EXPECT_THAT(world.sent(1), HasSubstr("GET /3"));
  world.receive(1, ok("three"));
  EXPECT_EQ(world.answers(), ok("one") + ok("two") + ok("three"));
}

TEST(HttpProxy, TheClientsAddressIsAdded) {
  ProxyWorld world;
  world.client(get("/"));
  EXPECT_EQ(
      world.sent(1),
      "GET / HTTP/1.1\r\nHost: orders.shop\r\nForwarded: for=10.1.2.3;proto=http\r\nX-Forwarded-For: 10.1.2.3\r\n\r\n");
}

TEST(HttpProxy, TheClientsAddressStandsBehindThoseThatAreThere) {
  HttpProxy::Settings settings;
  settings.client = *packet::Endpoint::parse("[2001:db8::1]:4000");
  ProxyWorld world(settings);
  world.client(
      get("/", "X-Forwarded-For: 1.1.1.1\r\nX-A: b\r\nx-forwarded-for: 2.2.2.2\r\nForwarded:  for=1.1.1.1 \r\n"));
  EXPECT_EQ(
      world.sent(1),
      "GET / HTTP/1.1\r\nHost: orders.shop\r\nX-Forwarded-For: 1.1.1.1\r\nX-A: b\r\n"
      "x-forwarded-for: 2.2.2.2, 2001:db8::1\r\nForwarded:  for=1.1.1.1 , for=\"[2001:db8::1]\";proto=http\r\n\r\n");
}

TEST(HttpProxy, TheClientsAddressIsLeftOutWhereItIsNotWanted) {
  HttpProxy::Settings settings;
  settings.forwarded = false;
  ProxyWorld world(settings);
  world.client(get("/", "X-Forwarded-For: 1.1.1.1\r\n"));
  EXPECT_EQ(world.sent(1), get("/", "X-Forwarded-For: 1.1.1.1\r\n"));
}

TEST(HttpProxy, WhatIsForOneHopEndsHere) {
  HttpProxy::Settings settings;
  settings.forwarded = false;
  ProxyWorld world(settings);
  world.client(get("/",
                   "Connection: keep-alive, X-Hop, host, x-forwarded-for\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
                   "Proxy-Connection: keep-alive\r\nTE: trailers, deflate\r\nUpgrade: x\r\nX-Forwarded-For: "
                   "1.1.1.1\r\nX-End: 1\r\n"));
  EXPECT_EQ(world.sent(1), get("/", "X-Forwarded-For: 1.1.1.1\r\nX-End: 1\r\nTE: trailers\r\nConnection: TE\r\n"));
  world.receive(
      1,
      "HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2\r\nX-End: 1\r\n"
      "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(world.answers(), "HTTP/1.1 200 OK\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n");
}

TEST(HttpProxy, ClosingIsEachConnectionsOwn) {
  ProxyWorld world;
  world.client(get("/1"));
  world.connect(1);
  world.receive(1, ok("one", "Connection: close\r\n"));
  EXPECT_EQ(world.answers(), ok("one")) << "the client's connection goes on";
  EXPECT_TRUE(world.peers[1].closed);
  world.client(get("/2", "Connection: close\r\n"));
  ASSERT_EQ(world.last, 2u);
  world.connect(2);
  EXPECT_THAT(world.sent(2), HasSubstr("Connection: close\r\n"));
  world.receive(2, ok("two"));
  EXPECT_EQ(world.answers(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntwo");
  EXPECT_TRUE(world.of_client().finished);
  EXPECT_FALSE(world.of_client().closed) << "a close with bytes unread would be a reset";
  world.client("bytes that nobody wants");
  world.client_end();
  EXPECT_TRUE(world.of_client().closed);
  EXPECT_TRUE(world.proxy.done());
}

TEST(HttpProxy, AClientThatDoesNotCloseIsWaitedForABriefTime) {
  ProxyWorld world;
  world.client(get("/", "Connection: close\r\n"));
  world.connect(1);
  world.receive(1, ok("one"));
  world.pass(seconds(1));
  EXPECT_FALSE(world.proxy.done());
  world.pass(seconds(1));
  EXPECT_TRUE(world.of_client().closed);
}

TEST(HttpProxy, Http10IsSpokenWithThoseWhoDo) {
  ProxyWorld world;
  world.client("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  world.connect(1);
  EXPECT_THAT(world.sent(1), AllOf(StartsWith("GET /1 HTTP/1.0\r\n"), HasSubstr("\r\nConnection: keep-alive\r\n")));
  world.receive(1, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na");
  EXPECT_EQ(world.answers(), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\na");
  world.client("GET /2 HTTP/1.0\r\n\r\n");
  EXPECT_EQ(world.last, 1u);
  world.receive(1, ok("b"));
  EXPECT_THAT(world.answers(), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(world.of_client().finished);
}

TEST(HttpProxy, InterimAnswersAreForThoseWhoKnowThem) {
  for (bool known : {true, false}) {
    ProxyWorld world;
    world.client(std::string("GET / HTTP/1.") + (known ? "1" : "0") + "\r\nHost: a\r\n\r\n");
    world.connect(1);
    world.receive(1,
                  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: 1\r\n\r\nHTTP/1.1 200 "
                  "OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_THAT(world.answers(), StartsWith(known ? "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200"
                                                  : "HTTP/1.1 200 OK\r\n"));
  }
}

TEST(HttpProxy, BodiesGoOnAsTheyCome) {
  ProxyWorld world;
  world.client("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  world.connect(1);
  EXPECT_THAT(world.sent(1), EndsWith("\r\n\r\n5\r\nhello\r\n"));
  world.client("3\r\nabc");
  EXPECT_EQ(world.sent(1), "3\r\nabc");
  world.receive(1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_THAT(world.answers(), EndsWith("\r\n\r\n")) << "an early answer is not held back";
  world.receive(1, "2\r\nab\r\n");
  EXPECT_EQ(world.answers(), "2\r\nab\r\n");
  world.client("\r\n0\r\nX-Sum: 1\r\n\r\n");
  EXPECT_EQ(world.sent(1), "\r\n0\r\nX-Sum: 1\r\n\r\n");
  world.receive(1, "0\r\nX-Sum: 2\r\n\r\n");
  EXPECT_EQ(world.answers(), "0\r\nX-Sum: 2\r\n\r\n");
  world.client(get("/next"));
  EXPECT_THAT(world.sent(1), HasSubstr("GET /next"));
}

TEST(HttpProxy, ALargeBodyIsNotCopied) {
  ProxyWorld world;
  world.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6000000\r\n\r\n");
  world.connect(1);
  world.sent(1);
  const std::uint64_t before = copied_bytes;
  const std::string part(60000, 'x');
  for (int i = 0; i < 100; ++i) world.client(part);
  EXPECT_EQ(world.sent(1).size(), 6000000u);
  EXPECT_EQ(copied_bytes - before, 6000000u) << "the test's own copies";
}

TEST(HttpProxy, AnswersWithoutABodyHaveNone) {
  ProxyWorld world;
  world.client("HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/2") + get("/3") + get("/4"));
  world.connect(1);
  world.receive(1, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  world.receive(1, "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n");
  world.receive(1, "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
  world.receive(1, ok("four"));
  EXPECT_EQ(world.answers(),
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n"
            "HTTP/1.1 204 No Content\r\n\r\n" +
                ok("four"));
}

TEST(HttpProxy, AnAnswerThatEndsWithItsConnectionEndsTheClients) {
  ProxyWorld world;
  world.client(get("/1") + get("/2"));
  world.connect(1);
  world.receive(1, "HTTP/1.1 200 OK\r\n\r\nall ");
  world.receive(1, "the rest");
  EXPECT_EQ(world.answers(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall the rest");
  EXPECT_FALSE(world.of_client().finished);
  world.end(1);
  EXPECT_TRUE(world.of_client().finished);
  EXPECT_FALSE(world.of_client().reset);
  EXPECT_EQ(world.peers.size(), 2u) << "nothing follows on this connection";
}

TEST(HttpProxy, ContinueIsTheUpstreamsToSay) {
  ProxyWorld world;
  world.client("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  world.connect(1);
  EXPECT_THAT(world.sent(1), HasSubstr("Expect: 100-continue\r\n"));
  world.receive(1, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(world.answers(), "HTTP/1.1 100 Continue\r\n\r\n");
  world.client("body");
  EXPECT_EQ(world.sent(1), "body");
  world.receive(1, ok("done"));
  EXPECT_EQ(world.answers(), ok("done"));
  world.client(get("/next"));
  EXPECT_EQ(world.last, 1u);
}

TEST(HttpProxy, AFinalAnswerInsteadOfContinueEndsTheConnection) {
  ProxyWorld world;
  world.client("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  world.connect(1);
  world.receive(1, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(world.answers(), "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
      << "what the client sends next could be the body or a request";
  EXPECT_TRUE(world.of_client().finished);
  world.client("bodyGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(world.peers.size(), 2u);
}

TEST(HttpProxy, AnEarlyAnswerLetsTheRestOfTheBodyPass) {
  ProxyWorld world;
  world.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf");
  world.connect(1);
  world.receive(1, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(world.answers(), Not(HasSubstr("close")));
  world.sent(1);
  world.client("half" + get("/next"));
  EXPECT_THAT(world.sent(1), StartsWith("halfGET /next"));
  world.receive(1, ok("next"));
  EXPECT_EQ(world.answers(), ok("next"));
}

TEST(HttpProxy, AnEarlyAnswerThatClosesEndsTheConnection) {
  ProxyWorld world;
  world.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\nhalf");
  world.connect(1);
  world.receive(1, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno\n");
  EXPECT_THAT(world.answers(), AllOf(HasSubstr("Connection: close\r\n"), EndsWith("no\n")));
  EXPECT_TRUE(world.of_client().finished);
  world.client("more of the body");
  EXPECT_TRUE(world.proxy.reads(kClient)) << "it is read away, so that the answer arrives";
  world.client_end();
  EXPECT_TRUE(world.of_client().closed);
  EXPECT_EQ(world.log, "to 0\nanswer 413 of 0\n");
}

TEST(HttpProxy, AnUpgradeIsOpaqueBothWaysFromThenOn) {
  ProxyWorld world;
  world.client(
      get("/ws", "X-To: 7\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n") +
      "early");
  world.connect(1);
  EXPECT_THAT(world.sent(1), AllOf(HasSubstr("\r\nUpgrade: websocket\r\n"), HasSubstr("\r\nConnection: upgrade\r\n"),
                                   Not(HasSubstr("early"))));
  world.receive(1, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello");
  EXPECT_EQ(world.answers(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nhello");
  EXPECT_EQ(world.sent(1), "early");
  world.client("GET /not HTTP/1.1\n\r\n\r\n");
  EXPECT_EQ(world.sent(1), "GET /not HTTP/1.1\n\r\n\r\n");
  world.receive(1, "HTTP/1.1 junk");
  EXPECT_EQ(world.answers(), "HTTP/1.1 junk");
  world.client_end();
  EXPECT_TRUE(world.peers[1].finished);
  world.receive(1, "last words");
  EXPECT_EQ(world.answers(), "last words");
  world.end(1);
  EXPECT_TRUE(world.of_client().closed);
  EXPECT_TRUE(world.peers[1].closed);
  EXPECT_EQ(world.log, "to 7\nanswer 101 of 7\n");
}

TEST(HttpProxy, ATunnelEndsInHalvesTheOtherWayRoundToo) {
  ProxyWorld world;
  world.client("CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n");
  world.connect(1);
  world.receive(1, "HTTP/1.1 200 Connected\r\n\r\n");
  EXPECT_EQ(world.answers(), "HTTP/1.1 200 Connected\r\n\r\n");
  world.sent(1);
  world.end(1);
  EXPECT_TRUE(world.of_client().finished);
  EXPECT_FALSE(world.proxy.done());
  world.client("last words");
  EXPECT_EQ(world.sent(1), "last words");
  world.client_end();
  EXPECT_TRUE(world.proxy.done());
}

TEST(HttpProxy, AnUpgradeThatIsDeclinedLeavesRequests) {
  ProxyWorld world;
  world.client(get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n") + get("/next"));
  world.connect(1);
  world.receive(1, ok("plain"));
  EXPECT_THAT(world.sent(1), HasSubstr("GET /next"));
}

TEST(HttpProxy, AnOfferOfH2cIsLeftOut) {
  HttpProxy::Settings settings;
  settings.forwarded = false;
  ProxyWorld world(settings);
  world.client(get("/", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"));
  EXPECT_EQ(world.sent(1), get("/"));
  world.connect(1);
  world.receive(1, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n");
  EXPECT_THAT(world.answers(), StartsWith("HTTP/1.1 502")) << "nobody asked for it any more";
}

TEST(HttpProxy, WhatIsNotHttp1GoesToTheOriginalUnread) {
  for (const std::string& first :
       {std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n and frames"), std::string("\x16\x03\x01 a client hello")}) {
    ProxyWorld world;
    for (char c : first) world.client({&c, 1});
    ASSERT_EQ(world.peers.size(), 2u);
    EXPECT_EQ(world.peers[1].target, kOriginal);
    world.connect(1);
    world.receive(1, "whatever");
    EXPECT_EQ(world.answers(), "whatever");
    world.client("more");
    EXPECT_EQ(world.sent(1), first + "more");
  }
}

TEST(HttpProxy, AMethodThatBeginsAsHttp2DoesIsOne) {
  ProxyWorld world;
  for (char c : std::string("PRINT / HTTP/1.1\r\nHost: a\r\n\r\n")) world.client({&c, 1});
  world.connect(1);
  EXPECT_THAT(world.sent(1), StartsWith("PRINT / HTTP/1.1"));
}

TEST(HttpProxy, SmugglingIsRefusedAndTheConnectionEnds) {
  ProxyWorld world;
  world.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
               get("/admin"));
  EXPECT_EQ(world.peers.size(), 1u) << "no upstream saw any of it";
  const std::string answer = world.answers();
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 400 Bad Request\r\n"), HasSubstr("\r\nConnection: close\r\n")));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\ncauseway: Transfer-Encoding does not go with the other headers\n"));
  EXPECT_TRUE(world.of_client().finished);
  EXPECT_THAT(world.log, StartsWith("refused 400: "));
}

TEST(HttpProxy, ABodyThatTurnsBadIsRefusedAndItsUpstreamReset) {
  ProxyWorld world;
  world.client("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  world.connect(1);
  world.sent(1);
  world.client("5\nhello");
  EXPECT_EQ(world.sent(1), "") << "nothing of a line that was not judged";
  EXPECT_TRUE(world.peers[1].reset);
  EXPECT_THAT(world.answers(), StartsWith("HTTP/1.1 400"));
}

TEST(HttpProxy, ABadAnswerIsABadGateway) {
  ProxyWorld world;
  world.client(get("/1"));
  world.connect(1);
  world.receive(1, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_THAT(world.answers(), AllOf(StartsWith("HTTP/1.1 502 Bad Gateway\r\n"), HasSubstr("Content-Length")));
  EXPECT_TRUE(world.peers[1].reset);
  world.client(get("/2"));
  EXPECT_EQ(world.last, 2u) << "the client's connection goes on";
  world.connect(2);
  world.receive(2, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!");
  EXPECT_TRUE(world.of_client().reset) << "half an answer must not look whole";
}

TEST(HttpProxy, BytesThatNobodyAskedForAreNoAnswer) {
  ProxyWorld world;
  world.client(get("/1"));
  world.connect(1);
  world.receive(1, ok("one") + ok("poison"));
  EXPECT_EQ(world.answers(), ok("one"));
  world.client(get("/2"));
  EXPECT_EQ(world.last, 2u);
  world.connect(2);
  world.receive(2, ok("two"));
  world.receive(2, ok("poison"));
  EXPECT_TRUE(world.peers[2].reset);
  world.client(get("/3"));
  world.connect(3);
  world.receive(3, ok("three"));
  EXPECT_EQ(world.answers(), ok("two") + ok("three"));
}

TEST(HttpProxy, FewIdleConnectionsAreKept) {
  ProxyWorld world;
  for (int to = 1; to <= 8; ++to) {
    world.client(get("/", "X-To: " + std::to_string(to) + "\r\n"));
    world.connect(world.last);
    world.receive(world.last, ok("x"));
  }
  std::size_t alive = 0;
  for (const auto& [id, peer] : world.peers) alive += id != kClient && peer.alive();
  EXPECT_EQ(alive, 4u);
  EXPECT_TRUE(world.peers[8].alive());
}

TEST(HttpProxy, AClientThatEndsStillReadsItsAnswer) {
  ProxyWorld world;
  world.client(post("/", "body"));
  world.client_end();
  EXPECT_FALSE(world.peers[1].finished);
  world.connect(1);
  EXPECT_TRUE(world.peers[1].finished) << "the service learns it, as without us";
  world.receive(1, ok("answer"));
  EXPECT_EQ(world.answers(), ok("answer"));
  EXPECT_TRUE(world.of_client().closed);
}

TEST(HttpProxy, AClientThatEndsWithinItsRequestHasNone) {
  ProxyWorld world;
  world.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf");
  world.connect(1);
  world.client_end();
  EXPECT_TRUE(world.peers[1].reset) << "half a body must not look whole";
  EXPECT_TRUE(world.of_client().reset);
}

TEST(HttpProxy, AClientThatIsGoneLeavesNothing) {
  ProxyWorld world;
  world.client(get("/"));
  world.connect(1);
  world.fail(kClient, link::Reason::kConnectionReset);
  EXPECT_TRUE(world.peers[1].reset);
  EXPECT_TRUE(world.proxy.done());
}

TEST(HttpProxy, AHeadMustBecomeCompleteInTime) {
  ProxyWorld world;
  world.client("GET / HTTP/1.1\r\nHo");
  world.pass(seconds(59));
  EXPECT_EQ(world.answers(), "");
  world.client("st: a\r\n");
  world.pass(seconds(1));
  EXPECT_THAT(world.answers(), StartsWith("HTTP/1.1 408"));
  world.pass(seconds(2));
  EXPECT_TRUE(world.proxy.done());
}

TEST(HttpProxy, AnIdleClientIsClosedWhenNoUpstreamHoldsItsEndOpen) {
  ProxyWorld world;
  world.client(get("/"));
  world.connect(1);
  world.receive(1, ok("x"));
  world.pass(std::chrono::hours(2));
  EXPECT_FALSE(world.proxy.done()) << "how long is the service's to say";
  world.end(1);
  world.pass(seconds(300));
  EXPECT_TRUE(world.of_client().closed);

  ProxyWorld never;
  never.pass(seconds(299));
  EXPECT_FALSE(never.proxy.done());
  never.pass(seconds(1));
  EXPECT_TRUE(never.of_client().closed);
}

}  // namespace
}  // namespace causeway::intercept

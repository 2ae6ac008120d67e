// Messages as they should be, of both kinds.
#include <gmock/gmock.h>

#include "tests/core/http/transcript.h"

namespace causeway::http {
namespace {

using Kind = Parser::Kind;
using ResponseTo = Parser::ResponseTo;
using testing::HasSubstr;
using testing::Not;

std::string request(std::string_view bytes) { return transcript(Kind::kRequests, bytes); }
std::string response(std::string_view bytes, ResponseTo what = ResponseTo::kOther, bool finish = false) {
  return transcript(Kind::kResponses, bytes, finish, what);
}

TEST(Parser, ARequestIsItsLineAndItsHeaders) {
  EXPECT_EQ(request("GET /a?b HTTP/1.1\r\nHost: orders.shop:80\r\nx-Empty:\r\nX-User: \t anna b \r\n\r\n"),
            "GET /a?b 0 1.1\nHost=orders.shop:80\nx-Empty=\nX-User=anna b\nframing 0 0 keep\nbody \nend\n");
}

TEST(Parser, PipelinedRequestsComeOneAfterTheOther) {
  const std::string text = request(
      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
      "PUT /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nDELETE /4 "
      "HTTP/1.0\r\n\r\n");
  EXPECT_THAT(text, HasSubstr("framing 1 5 keep\nbody hello\nend\nGET /2"));
  EXPECT_THAT(
      text, HasSubstr("framing 2 0 keep\nbody 3\r\nabc\r\n0\r\n\r\n\nend\nDELETE /4 0 1.0\nframing 0 0\nbody \nend\n"));
}

TEST(Parser, AnyMethodIsOne) { EXPECT_THAT(request("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n"), HasSubstr("BREW /pot")); }

TEST(Parser, EmptyLinesBeforeARequestAreSkippedButNotWithoutEnd) {
  EXPECT_THAT(request("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
              Not(HasSubstr("bad")));
  EXPECT_THAT(request("\r\n\r\n\r\n\r\n\r\n"), HasSubstr("bad 400"));
  EXPECT_THAT(response("\r\nHTTP/1.1 200 OK\r\n\r\n"), HasSubstr("bad 502"));
}

TEST(Parser, TheConnectionGoesOnAsVersionAndConnectionSay) {
  auto keeps = [](std::string_view version, std::string_view connection) {
    return request("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(connection) + "\r\n")
               .find(" keep") != std::string::npos;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: x , CLOSE\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
}

TEST(Parser, AnUpgradeIsOneWhereConnectionNamesIt) {
  auto upgrades = [](std::string_view fields, std::string_view version = "1.1") {
    return request("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n")
               .find(" upgrade") != std::string::npos;
  };
  EXPECT_TRUE(upgrades("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"));
  EXPECT_FALSE(upgrades("Upgrade: websocket\r\n"));
  EXPECT_FALSE(upgrades("Connection: upgrade\r\n"));
  EXPECT_FALSE(upgrades("Connection: upgrade\r\nUpgrade: websocket\r\n", "1.0"));
}

TEST(Parser, ContinueIsExpectedInHttp11Only) {
  EXPECT_THAT(request("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"),
              HasSubstr(" continue"));
  EXPECT_THAT(request("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"),
              Not(HasSubstr(" continue")));
}

TEST(Parser, ThePathIsWhatStandsBeforeTheQuery) {
  auto path = [](std::string_view target) {
    Head head;
    head.target = target;
    return std::string(head.path());
  };
  EXPECT_EQ(path("/a/b?c/d"), "/a/b");
  EXPECT_EQ(path("http://orders.shop/a?b"), "/a");
  EXPECT_EQ(path("http://orders.shop"), "/");
  EXPECT_EQ(path("http://orders.shop?q=/x"), "/");
  EXPECT_EQ(path("/a%2Fb"), "/a%2Fb");
  EXPECT_EQ(path("*"), "");
  EXPECT_EQ(path("orders.shop:443"), "");
}

TEST(Parser, ResponsesEndAsTheirHeadersSay) {
  EXPECT_THAT(
      response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
      HasSubstr("body ok\nend\n  404 1.1"));
  EXPECT_THAT(response("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n"),
              HasSubstr("body 1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n\nend"));
  EXPECT_THAT(response("HTTP/1.1 999 Denied\r\nContent-Length: 2\r\n\r\nno"), HasSubstr("body no\nend"));
  EXPECT_THAT(response("HTTP/1.1 204\r\n\r\n"), HasSubstr("204 1.1\nframing 0 0 keep\nbody \nend"));
}

TEST(Parser, AResponseWithoutALengthEndsWithItsConnection) {
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\n\r\nall the rest"), "  200 1.1\nframing 3 0\npart all the rest\n");
  EXPECT_THAT(response("HTTP/1.1 200 OK\r\n\r\nall the rest", ResponseTo::kOther, true),
              HasSubstr("body all the rest\nend\nover"));
  EXPECT_THAT(response("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", ResponseTo::kOther, true),
              HasSubstr("bad 502"));
  EXPECT_THAT(response("HTTP/1.1 200 OK\r\nContent-Len", ResponseTo::kOther, true), HasSubstr("bad 502"));
}

TEST(Parser, SomeResponsesHaveNoBodyWhateverTheirHeadersSay) {
  EXPECT_THAT(response("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", ResponseTo::kHead), HasSubstr("body \nend"));
  EXPECT_THAT(response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ResponseTo::kHead),
              HasSubstr("body \nend"));
  EXPECT_THAT(response("HTTP/1.1 200 OK\r\n\r\n", ResponseTo::kHead), HasSubstr("keep\nbody \nend"));
  EXPECT_THAT(response("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
              HasSubstr("body \nend\n  204"));
  EXPECT_THAT(response("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
                       "Content-Length: 1\r\n\r\nx"),
              HasSubstr("body \nend\n  200 1.1\nContent-Length=1\nframing 1 1 keep\nbody x\nend"));
}

TEST(Parser, WhatFollowsAnUpgradeOrATunnelIsOpaque) {
  const std::string_view frames = "\x81\x05hello\r\nHTTP/1.1 200 OK\r\n\r\n";
  EXPECT_THAT(response("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n" +
                       std::string(frames)),
              HasSubstr("opaque " + std::string(frames)));
  EXPECT_THAT(response("HTTP/1.1 200 Connected\r\nContent-Length: 5\r\n\r\nopaque", ResponseTo::kConnect),
              HasSubstr("opaque opaque"));
  EXPECT_THAT(response("HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\nplain", ResponseTo::kConnect),
              HasSubstr("body plain\nend"));
}

TEST(Parser, ABodyIsPassedOnInTheBlocksItCameIn) {
  Transcript out(Kind::kRequests);
  std::string chunks = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100; ++i) chunks += "64\r\n" + std::string(100, 'x') + "\r\n";
  out.feed(chunks);
  EXPECT_EQ(out.pieces(), 1u) << "a hundred chunks of one input are one piece";
  const std::uint64_t before = copied_bytes;
  for (int i = 0; i < 10; ++i) out.feed("64\r\n" + std::string(100, 'x') + "\r\n");
  EXPECT_EQ(copied_bytes - before, 10 * 106u) << "the test's own copies";
}

TEST(Parser, ABodysEndOfChunkIsNotHeldBack) {
  Transcript out(Kind::kResponses);
  out.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello");
  EXPECT_TRUE(out.wire().ends_with("hello"));
  out.feed("\r");
  out.feed("\n");
  EXPECT_TRUE(out.wire().ends_with("hello\r\n")) << "a reader may wait for the line to end";
  out.feed("3");
  EXPECT_TRUE(out.wire().ends_with("hello\r\n"));
  out.feed("\r\nabc\r\n4");
  EXPECT_TRUE(out.wire().ends_with("3\r\nabc\r\n")) << out.wire();
  out.feed("\r\nmore\r\n0\r\n");
  EXPECT_TRUE(out.wire().ends_with("more\r\n")) << out.wire();
  out.feed("\r\n");
  EXPECT_TRUE(out.wire().ends_with("more\r\n0\r\n\r\n"));
  EXPECT_FALSE(out.bad());
}

TEST(Parser, NothingIsAllocatedForOneMoreRequest) {
  Transcript out(Kind::kRequests);
  for (int i = 0; i < 3; ++i) out.feed("GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nUser-Agent: test\r\n\r\n");
  const Field* fields = out.parser().head().fields.data();
  for (int i = 0; i < 100; ++i) out.feed("GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nUser-Agent: test\r\n\r\n");
  EXPECT_EQ(out.parser().head().fields.data(), fields);
  EXPECT_EQ(out.pool().in_use(), 0u);
}

TEST(Parser, AHeadMayBeLargeButHasABound) {
  auto of = [](std::size_t size) {
    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX-Large: ";
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
  };
  EXPECT_THAT(request(of(Parser::kMaxHead)), HasSubstr("body \nend"));
  EXPECT_THAT(request(of(Parser::kMaxHead + 1)), HasSubstr("bad 431"));
  EXPECT_THAT(request("GET /" + std::string(Parser::kMaxHead, 'x')), HasSubstr("bad 414"));
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 1; i < Parser::kMaxFields; ++i) many += "a: b\r\n";
  EXPECT_THAT(request(many + "\r\n"), HasSubstr("end"));
  EXPECT_THAT(request(many + "a: b\r\n\r\n"), HasSubstr("bad 431"));
}

}  // namespace
}  // namespace causeway::http

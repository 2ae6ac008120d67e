// What two implementations have been seen to frame differently is refused, each for its own reason.
#include <gmock/gmock.h>

#include "tests/core/http/transcript.h"

namespace causeway::http {
namespace {

using Kind = Parser::Kind;

struct Refused {
  const char* what;
  std::string_view bytes;
  unsigned status = 400;
};

std::ostream& operator<<(std::ostream& out, const Refused& refused) { return out << refused.what; }

#define HEAD "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
using namespace std::string_view_literals;

constexpr Refused kRequests[] = {
    {"both framing headers", HEAD "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"both, the other way round", HEAD "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"},
    {"both, in odd case", HEAD "tRANSFER-eNCODING: chunked\r\ncONTENT-lENGTH: 4\r\n\r\n"},
    {"a length twice", HEAD "Content-Length: 4\r\nContent-Length: 5\r\n\r\n"},
    {"the same length twice", HEAD "Content-Length: 4\r\nContent-Length: 4\r\n\r\n"},
    {"a list of lengths", HEAD "Content-Length: 4, 4\r\n\r\n"},
    {"a length with a sign", HEAD "Content-Length: +4\r\n\r\n"},
    {"a negative length", HEAD "Content-Length: -4\r\n\r\n"},
    {"a length in hexadecimal", HEAD "Content-Length: 0x4\r\n\r\n"},
    {"a length with white space", HEAD "Content-Length: 4 4\r\n\r\n"},
    {"an empty length", HEAD "Content-Length: \r\n\r\n"},
    {"a length beyond all integers", HEAD "Content-Length: 18446744073709551617\r\n\r\n"},
    {"a length beyond signed integers", HEAD "Content-Length: 9223372036854775808\r\n\r\n"},
    {"a transfer coding twice", HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"a transfer coding twice in a list", HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n", 501},
    {"a transfer coding that is not chunked", HEAD "Transfer-Encoding: gzip\r\n\r\n", 501},
    {"a transfer coding after chunked", HEAD "Transfer-Encoding: chunked, identity\r\n\r\n", 501},
    {"a transfer coding that looks like chunked", HEAD "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {"a quoted transfer coding", HEAD "Transfer-Encoding: \"chunked\"\r\n\r\n", 501},
    {"an empty transfer coding", HEAD "Transfer-Encoding:\r\n\r\n", 501},
    {"a transfer coding with a vertical tab", HEAD "Transfer-Encoding: \vchunked\r\n\r\n"},
    {"a transfer coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"white space before a colon", HEAD "Transfer-Encoding : chunked\r\n\r\n"},
    {"a tab before a colon", HEAD "Content-Length\t: 4\r\n\r\n"},
    {"white space before a name", "POST / HTTP/1.1\r\n Host: a\r\n\r\n"},
    {"a folded line", HEAD "X: a\r\n b\r\n\r\n"},
    {"a folded line with a tab", HEAD "Transfer-Encoding:\r\n\tchunked\r\n\r\n"},
    {"a header without a colon", HEAD "Content-Length\r\n\r\n"},
    {"a header without a name", HEAD ": 4\r\n\r\n"},
    {"a name with NUL", HEAD "Content-Length\0: 4\r\n\r\n"sv},
    {"a value with NUL", HEAD "X: a\0b\r\n\r\n"sv},
    {"a value with a bare CR", HEAD "X: a\rContent-Length: 4\r\n\r\n"},
    {"a value with a control character", HEAD "X: a\x01\r\n\r\n"},
    {"lines that end with LF", "POST / HTTP/1.1\nHost: a\n\n"},
    {"one line that ends with LF", HEAD "X: a\nContent-Length: 4\r\n\r\n"},
    {"a head that ends with LF", HEAD "X: a\r\n\n"},
    {"a head that ends with CR CR LF", HEAD "X: a\r\n\r\r\n"},
    {"a line of CR alone", "POST / HTTP/1.1\rHost: a\r\n\r\n"},
    {"HTTP/0.9", "GET /\r\n"},
    {"no version", "GET / \r\nHost: a\r\n\r\n"},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
    {"a version in lower case", "GET / http/1.1 HTTP/\r\nHost: a\r\n\r\n", 505},
    {"two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"white space within the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 505},
    {"white space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 505},
    {"a method that is no token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"no method", " / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"no Host", "GET / HTTP/1.1\r\n\r\n"},
    {"Host twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
    {"Host twice in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
    {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {"Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
    {"a list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
    {"a URL for another Host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"a URL with another port", "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"a URL with a user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"a URL without a host", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"a URL of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"a path that does not begin with /", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"* for a method that has none", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"CONNECT to a path", "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"CONNECT without a port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"a chunk without a size", CHUNKED "\r\n"},
    {"a chunk size that is none", CHUNKED "g\r\n"},
    {"a chunk size with a sign", CHUNKED "+5\r\nhello\r\n"},
    {"a chunk size with 0x", CHUNKED "0x5\r\nhello\r\n"},
    {"a chunk size after white space", CHUNKED " 5\r\nhello\r\n"},
    {"a chunk size before white space", CHUNKED "5 \r\nhello\r\n"},
    {"a last chunk before white space", CHUNKED "0 \r\n\r\n"},
    {"a chunk size beyond all integers", CHUNKED "10000000000000005\r\nhello\r\n"},
    {"a chunk size beyond signed integers", CHUNKED "8000000000000000\r\n"},
    {"a chunk size that ends with LF", CHUNKED "5\nhello\r\n"},
    {"a chunk size that ends with CR", CHUNKED "5\rhello\r\n"},
    {"a chunk that is longer than its size", CHUNKED "5\r\nhello!\r\n"},
    {"a chunk that ends with LF", CHUNKED "5\r\nhello\n0\r\n\r\n"},
    {"an extension without a name", CHUNKED "5;\r\nhello\r\n"},
    {"an extension after white space", CHUNKED "5 ;a=b\r\nhello\r\n"},
    {"an extension with white space", CHUNKED "5;a = b\r\nhello\r\n"},
    {"an extension with LF", CHUNKED "5;a\nGET / HTTP/1.1\r\nhello\r\n"},
    {"an extension with a quoted LF", CHUNKED "5;a=\"\n\"\r\nhello\r\n"},
    {"an extension with a quoted NUL", CHUNKED "5;a=\"\0\"\r\nhello\r\n"sv},
    {"an extension whose quote does not end", CHUNKED "5;a=\"b\r\nhello\"\r\n"},
    {"an extension with CR", CHUNKED "5;a\r;b\r\nhello\r\n"},
    {"a last chunk with a bad extension", CHUNKED "0;\r\n\r\n"},
    {"trailers that end with LF", CHUNKED "0\r\nX: a\n\r\n"},
    {"a folded trailer", CHUNKED "0\r\nX: a\r\n b\r\n\r\n"},
    {"a trailer without a name", CHUNKED "0\r\n: a\r\n\r\n"},
    {"a length in the trailers", CHUNKED "0\r\nContent-Length: 4\r\n\r\n"},
    {"a transfer coding in the trailers", CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n"},
};

class RefusedRequest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedRequest, IsRefusedHoweverItIsSplit) {
  const Refused& refused = GetParam();
  Transcript whole(Kind::kRequests), bytes(Kind::kRequests);
  whole.feed(refused.bytes);
  for (std::size_t i = 0; i < refused.bytes.size(); ++i) bytes.feed(refused.bytes.substr(i, 1));
  ASSERT_TRUE(whole.bad()) << whole.text();
  EXPECT_EQ(whole.complaint().status, refused.status) << whole.complaint().text;
  EXPECT_EQ(whole.text(), bytes.text());
}

INSTANTIATE_TEST_SUITE_P(Smuggling, RefusedRequest, testing::ValuesIn(kRequests),
                         [](const auto& each) { return "Case" + std::to_string(each.index); });

// The same bytes without what is wrong with them must pass: otherwise the above shows nothing.
TEST(Smuggling, WhatIsSpelledToTheLetterPasses) {
  for (std::string_view good : {
           HEAD "Content-Length: 4\r\n\r\nbody"sv,
           HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"sv,
           CHUNKED "5;a\r\nhello\r\n0;b=c;d=\"e f\\\"\"\r\nX: a\r\nY: b\r\n\r\n"sv,
           CHUNKED "00005\r\nhello\r\n000\r\n\r\n"sv,
           CHUNKED "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"sv,
           "GET http://A:80/ HTTP/1.1\r\nHost: a\r\n\r\n"sv,
           "GET http://a HTTP/1.1\r\nHost: a:80\r\n\r\n"sv,
           "GET https://a:443/x HTTP/1.1\r\nHost: a\r\n\r\n"sv,
           "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"sv,
           "GET / HTTP/1.1\r\nHost:\r\n\r\n"sv,
           "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"sv,
           "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"sv,
           "GET / HTTP/1.0\r\n\r\n"sv,
           "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\nX: \xc3\xa9\tb\r\n\r\n"sv,
       }) {
    const std::string text = transcript(Kind::kRequests, good, true);
    EXPECT_TRUE(text.ends_with("end\nover\n")) << good << '\n' << text;
  }
}

constexpr Refused kResponses[] = {
    {"both framing headers", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n"},
    {"a transfer coding that is not chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
    {"a transfer coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
    {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
    {"a status that is none", "HTTP/1.1 099 OK\r\n\r\n"},
    {"a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"},
    {"lines that end with LF", "HTTP/1.1 200 OK\nContent-Length: 4\n\n"},
    {"no HTTP at all", "SSH-2.0-OpenSSH_9.2\r\n"},
    {"HTTP/0.9", "<html>\r\n"},
    {"a chunk that is longer than its size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"},
};

class RefusedResponse : public testing::TestWithParam<Refused> {};

TEST_P(RefusedResponse, IsABadGatewayHoweverItIsSplit) {
  const Refused& refused = GetParam();
  Transcript whole(Kind::kResponses), bytes(Kind::kResponses);
  whole.feed(refused.bytes);
  for (std::size_t i = 0; i < refused.bytes.size(); ++i) bytes.feed(refused.bytes.substr(i, 1));
  ASSERT_TRUE(whole.bad()) << whole.text();
  EXPECT_EQ(whole.complaint().status, 502u);
  EXPECT_EQ(whole.text(), bytes.text());
}

INSTANTIATE_TEST_SUITE_P(Smuggling, RefusedResponse, testing::ValuesIn(kResponses),
                         [](const auto& each) { return "Case" + std::to_string(each.index); });

}  // namespace
}  // namespace causeway::http

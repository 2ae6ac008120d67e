// Hostile bytes as requests and as responses: whatever they are, the parser says the same however they are split, and what comes out is
// what went in.
#include "core/http/parser.h"

#include <algorithm>

#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using http::Head;
using http::Parser;

struct Made {
  std::string text;  // heads, bodies and ends, with the pieces of a body joined
  std::string wire;
  std::size_t messages = 0;
  bool bad = false, tunnel = false;
};

void note_head(const Head& head, Made& made) {
  CAUSEWAY_ASSERT(head.bytes.size() <= Parser::kMaxHead && head.bytes.ends_with("\r\n\r\n"));
  CAUSEWAY_ASSERT(head.fields.size() <= Parser::kMaxFields);
  std::string lines(head.bytes.substr(0, head.bytes.find('\n') + 1));
  for (const http::Field& field : head.fields) {
    CAUSEWAY_ASSERT(field.line.substr(0, field.name.size()) == field.name && field.line[field.name.size()] == ':');
    lines += field.line;
  }
  CAUSEWAY_ASSERT(lines + "\r\n" == head.bytes);
  CAUSEWAY_ASSERT(head.bytes.find('\0') == std::string_view::npos);
  made.text += head.bytes;
  made.text +=
      std::to_string(int(head.framing)) + ' ' + std::to_string(head.length) + (head.keep_alive ? 'k' : 'c') + '\n';
  made.wire += head.bytes;
  made.tunnel = head.framing == http::Framing::kTunnel;
}

Made parse(Parser::Kind kind, Parser::ResponseTo what, Bytes bytes, std::uint8_t split) {
  Made made;
  BufferPool pool;
  {
    Parser parser(kind, pool);
    parser.expect(what);
    std::string body;
    auto note = [&](Parser::Event event) {
      if (event == Parser::Event::kHead) note_head(parser.head(), made);
      if (event == Parser::Event::kBody) body += as_text(parser.piece().bytes());
      if (event == Parser::Event::kEnd) {
        ++made.messages;
        made.text += body + "\nend\n";
        made.wire += std::exchange(body, {});
      }
      if (event == Parser::Event::kBad) {
        made.bad = true;
        CAUSEWAY_ASSERT(parser.complaint().status >= 400 && parser.complaint().text[0] != '\0');
        made.text += parser.complaint().text;
        body.clear();
      }
    };
    std::size_t length = split;
    while (!bytes.empty() && !made.bad && !made.tunnel) {
      // Pieces of a length that changes, 0: all at once.
      const std::size_t n = split == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 1 + length % split);
      length = length * 5 + 3;
      Slice input = pool.copy(bytes.first(n));
      bytes = bytes.subspan(n);
      Parser::Event event = Parser::Event::kHead;
      while (event != Parser::Event::kMore && !made.bad) {
        event = parser.next(input);
        note(event);
      }
      CAUSEWAY_ASSERT(made.bad || made.tunnel || input.size == 0);
    }
    if (!made.bad) note(parser.finish());
    made.text += body;
  }
  CAUSEWAY_ASSERT(pool.in_use() == 0);
  return made;
}

// Byte 0: the kind, and what a response answers. Byte 1: how it is split.
bool run(Bytes bytes) {
  Input input(bytes);
  const std::uint8_t choice = input.byte();
  const auto kind = choice & 1 ? Parser::Kind::kResponses : Parser::Kind::kRequests;
  const auto what = Parser::ResponseTo(choice / 2 % 3);
  const std::uint8_t split = input.byte();
  const Bytes stream = input.rest();
  const Made whole = parse(kind, what, stream, 0);
  const Made pieces = parse(kind, what, stream, std::max<std::uint8_t>(split, 1));
  CAUSEWAY_ASSERT(whole.text == pieces.text && whole.bad == pieces.bad);
  // Of the input only empty lines before requests are left out.
  if (kind == Parser::Kind::kResponses) CAUSEWAY_ASSERT(as_text(stream).starts_with(whole.wire));
  CAUSEWAY_ASSERT(whole.wire.size() <= stream.size());
  return !whole.bad && whole.messages + whole.tunnel > 0;
}

std::vector<Seed> seeds() {
  Blob request = blob({0, 7}), response = blob({1, 3}), to_head = blob({3, 9}), to_connect = blob({5, 2});
  const std::string chunks =
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10;a=\"b\"\r\n0123456789abcdef\r\n0\r\nX-Sum: 1\r\n\r\n";
  return {
      {request +
       blob("GET /a?b HTTP/1.1\r\nHost: a:80\r\nX-User: anna\r\n\r\nGET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n")},
      {request + blob("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\nDELETE /1 HTTP/1.0\r\n\r\n")},
      {request +
       blob("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: upgrade, x\r\nUpgrade: y\r\n" + chunks)},
      {request + blob("OPTIONS * HTTP/1.1\r\nHost: [::1]\r\n\r\nCONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")},
      {response + blob("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nServer: x\r\n" + chunks +
                       "HTTP/1.1 304\r\nContent-Length: 3\r\n\r\n")},
      {response + blob("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 "
                       "OK\r\n\r\nuntil the end")},
      {response +
       blob("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello")},
      {to_head + blob("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")},
      {to_connect + blob("HTTP/1.1 200 Connected\r\n\r\nopaque")},
      {request + blob("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
       false},
      {request +
           blob("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"),
       false},
      {response + blob("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), false},
  };
}

const Registration kRegistration({"http_parser", run, seeds});

}  // namespace
}  // namespace causeway::fuzz

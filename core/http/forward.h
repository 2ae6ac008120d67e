// Heads as they go on to the next hop: without what is meant for one hop only (RFC 9110, section 7.6.1: Connection and what it names,
// Keep-Alive, Proxy-Connection, TE, Upgrade), with what this hop has to say. The framing headers stay, as bodies go on as they came.
//
// Via is not written: servers change their answers for it (nginx does not compress), and an intercept must not be noticed.
#pragma once

#include <string_view>

#include "core/base/buffer.h"
#include "core/http/head.h"

namespace causeway::http {

// An offer to change to HTTP/2 alone.
bool offers_only_h2c(const Head& request);

struct RequestHop {
  // The address the request came from, as text; IPv6 without brackets. Empty: Forwarded and X-Forwarded-For stay as they are.
  std::string_view client;
  bool keep_alive = true;  // the connection is to be used again
  bool upgrade = false;    // Upgrade stays
};
Slice forward_request(const Head& request, const RequestHop& hop, BufferPool& pool);

struct ResponseHop {
  bool keep_alive = true;
  bool to_http_1_0 = false;  // the client's version: there keep-alive has to be said
};
Slice forward_response(const Head& response, const ResponseHop& hop, BufferPool& pool);

// A response of our own, with `text` and a line feed as its body; `head_only`: to HEAD.
Slice make_response(unsigned status, std::string_view text, const ResponseHop& hop, bool head_only, BufferPool& pool);

}  // namespace causeway::http

// Heads of requests as a parser gives them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/http/parser.h"

namespace causeway::intercept {

// The head of a request for `target` with these lines, each with its CRLF; good as long as it lives.
class RequestHead {
 public:
  explicit RequestHead(const std::string& target, const std::string& lines = {}, const std::string& method = "GET")
      : parser_(http::Parser::Kind::kRequests, pool_),
        input_(pool_.copy(as_bytes(method + ' ' + target + " HTTP/1.1\r\nHost: orders.shop\r\n" + lines + "\r\n"))) {
    EXPECT_EQ(int(parser_.next(input_)), int(http::Parser::Event::kHead));
  }
  operator const http::Head&() const { return parser_.head(); }

 private:
  BufferPool pool_;
  http::Parser parser_;
  Slice input_;
};

}  // namespace causeway::intercept

// What a parser makes of bytes, as text that does not depend on how they were split: pieces of a body are joined.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/http/parser.h"

namespace causeway::http {

class Transcript {
 public:
  explicit Transcript(Parser::Kind kind, Parser::ResponseTo what = Parser::ResponseTo::kOther) : parser_(kind, pool_) {
    parser_.expect(what);
  }

  void feed(std::string_view bytes) {
    Slice input = pool_.copy(as_bytes(bytes));
    while (!bad_) {
      const Slice before = input;
      const Parser::Event event = parser_.next(input);
      note(event, before);
      if (event == Parser::Event::kMore) break;
    }
    if (tunnel_) opaque_ += as_text(input.bytes());
    EXPECT_TRUE(bad_ || tunnel_ || input.size == 0);
  }

  void finish() {
    if (!bad_) note(parser_.finish(), {});
    text_ += bad_ ? "" : "over\n";
  }

  std::string text() const {
    return text_ + (body_.empty() ? "" : "part " + body_ + '\n') + (tunnel_ ? "opaque " + opaque_ : "");
  }
  const std::string& wire() const { return wire_; }
  const Parser::Complaint& complaint() const { return parser_.complaint(); }
  bool bad() const { return bad_; }
  Parser& parser() { return parser_; }
  BufferPool& pool() { return pool_; }
  std::size_t pieces() const { return pieces_; }

 private:
  void note(Parser::Event event, const Slice& before) {
    switch (event) {
      case Parser::Event::kMore: break;
      case Parser::Event::kHead: note_head(parser_.head()); break;
      case Parser::Event::kBody: {
        const Slice& piece = parser_.piece();
        EXPECT_GT(piece.size, 0u);
        // Nothing is copied but what was split.
        EXPECT_TRUE(piece.size <= 2048 || (piece.data >= before.data && piece.data < before.data + before.size));
        body_ += as_text(piece.bytes());
        wire_ += as_text(piece.bytes());
        ++pieces_;
        break;
      }
      case Parser::Event::kEnd:
        text_ += "body " + body_ + "\nend\n";
        body_.clear();
        break;
      case Parser::Event::kBad:
        bad_ = true;
        body_.clear();  // how much of it came out before depends on the splits
        text_ += "bad " + std::to_string(complaint().status) + ' ' + complaint().text + '\n';
        break;
    }
  }

  void note_head(const Head& head) {
    text_ += std::string(head.method) + ' ' + std::string(head.target) + ' ' + std::to_string(head.status) + " 1." +
             std::to_string(head.minor) + '\n';
    std::string lines(head.bytes.substr(0, head.bytes.find('\n') + 1));
    for (const Field& field : head.fields) {
      text_ += std::string(field.name) + '=' + std::string(field.value) + '\n';
      EXPECT_TRUE(field.line.starts_with(field.name) && field.line.ends_with("\r\n"));
      lines += field.line;
    }
    EXPECT_EQ(lines + "\r\n", head.bytes);
    text_ += "framing " + std::to_string(int(head.framing)) + ' ' + std::to_string(head.length) +
             (head.keep_alive ? " keep" : "") + (head.upgrade ? " upgrade" : "") +
             (head.expects_continue ? " continue" : "") + '\n';
    tunnel_ = head.framing == Framing::kTunnel;
    wire_ += head.bytes;
  }

  BufferPool pool_;
  Parser parser_;
  std::string text_, body_, opaque_, wire_;
  bool bad_ = false, tunnel_ = false;
  std::size_t pieces_ = 0;
};

// All at once.
inline std::string transcript(Parser::Kind kind, std::string_view bytes, bool finish = false,
                              Parser::ResponseTo what = Parser::ResponseTo::kOther) {
  Transcript out(kind, what);
  out.feed(bytes);
  if (finish) out.finish();
  return out.text();
}

}  // namespace causeway::http

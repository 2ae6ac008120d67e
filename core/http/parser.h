// Cuts one direction of an HTTP/1.x connection into messages (RFC 9112). The grammar is Boost.Beast's; on top of it everything
// is refused that two implementations have been seen to frame differently, as that is what request smuggling is made of
// (RFC 9112, section 11.2): both framing headers, Content-Length twice, as a list or with anything but digits, any transfer coding but
// "chunked", folded lines, bare CR or LF, white space before a colon, control characters, chunk sizes and extensions that are not
// spelled to the letter, a request without exactly one Host, a target that does not fit its method or its Host.
//
// Push: bytes go in as slices, split anywhere; what comes out does not depend on where. Bodies come out as they are on the wire, with
// their chunk sizes, as slices of what went in. Nothing comes out that has not been judged, so whoever passes it on passes on no
// half of a line. Only what is split across inputs is copied: a head, a chunk's size line, trailers.
//
// Memory: at most one head (kMaxHead) or as much of trailers, and what kMaxFields need. One thread.
#pragma once

#include <cstddef>
#include <memory>

#include "core/base/buffer.h"
#include "core/http/head.h"

namespace causeway::http {

class Parser {
 public:
  enum class Kind : std::uint8_t { kRequests, kResponses };

  enum class Event : std::uint8_t {
    kMore,  // the input is used up
    kHead,  // head() is complete
    kBody,  // piece() is the next part of the body as it is on the wire
    kEnd,   // of the message
    kBad,   // see complaint(): where the next message would begin is unknown, the connection must end
  };

  // What to answer and why, for people.
  struct Complaint {
    unsigned status = 400;
    const char* text = "";
  };

  // What a response is to: decides whether it has a body (RFC 9112, section 6.3).
  enum class ResponseTo : std::uint8_t { kOther, kHead, kConnect };

  static constexpr std::size_t kMaxHead = 64 * 1024;
  static constexpr std::size_t kMaxFields = 256;
  static constexpr std::size_t kMaxChunkLine = 1024;

  Parser(Kind kind, BufferPool& pool);
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  // For a parser of responses, before each: what the next one that is not interim answers.
  void expect(ResponseTo what);

  // Takes what it needs from the front of `input`. Called again until it says kMore, or kBad. After a head whose framing is kTunnel it
  // takes nothing more: what is left of `input` and all that follows is opaque.
  Event next(Slice& input);
  // The input has ended: kEnd if that ended a message, kMore if none was under way, else kBad.
  Event finish();

  // After kHead, until the next call.
  const Head& head() const;
  // After kBody; may be moved from.
  Slice& piece();
  // After kBad.
  const Complaint& complaint() const;

  // Nothing of a next message has been seen.
  bool idle() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::http

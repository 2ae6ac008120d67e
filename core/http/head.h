// The head of an HTTP/1.x message as views of its bytes (RFC 9112, sections 3 to 6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace causeway::http {

struct Field {
  std::string_view name;
  std::string_view value;  // without the white space around it
  std::string_view line;   // the whole of it with its CRLF
};

// How long the message is (RFC 9112, section 6.3).
enum class Framing : std::uint8_t {
  kNone,        // ends with its head
  kLength,      // Content-Length
  kChunked,     // Transfer-Encoding: chunked
  kUntilClose,  // a response that ends with its connection
  kTunnel,      // a 101, or a 2xx to CONNECT: all that follows is opaque, both ways
};

struct Head {
  std::string_view bytes;  // all of it, with the empty line
  std::vector<Field> fields;
  std::uint8_t minor = 1;  // HTTP/1.minor, 0 or 1
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;  // for kLength
  // The connection may carry another message after this one, as far as its sender and its framing are concerned.
  bool keep_alive = true;
  bool upgrade = false;  // Upgrade, named by Connection

  // Requests.
  std::string_view method;
  std::string_view target;
  bool expects_continue = false;

  // Responses.
  unsigned status = 0;

  // The first field of that name, in any case; null if there is none.
  const Field* find(std::string_view name) const;
  // The target's path without its query, as it was sent: nothing is decoded or made canonical. "*" and an authority are
  // no paths and give nothing.
  std::string_view path() const;
};

}  // namespace causeway::http

// Boost.Beast's parser, kept behind one door: the only place that includes it. It is given what is complete and contiguous (a head, a chunk's
// line, trailers), so it never has to wait for more.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/http/parser.h"

namespace causeway::http {

class Grammar {
 public:
  explicit Grammar(bool requests);
  ~Grammar();

  // Begins a message with its head, and fills the views of `head`. False: see complaint().
  bool head(std::string_view bytes, Head& head);
  // A chunk's line, with the CRLF that ends the chunk before it; the last one's with the trailers. For bodies that are chunked.
  bool chunk_line(std::string_view bytes, std::uint64_t& size);
  // Bytes of that chunk.
  void chunk_bytes(std::string_view bytes);

  const Parser::Complaint& complaint() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::http

// Walks the records of a message behind its question, without trusting its counts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace causeway::dns {

// Offsets into the message; the owner name begins at `start` and may be compressed.
struct Record {
  enum class Section : std::uint8_t { kAnswer, kAuthority, kAdditional };
  Section section = Section::kAnswer;
  std::size_t start = 0;
  std::size_t fixed = 0;  // type, class, ttl and length: 10 bytes behind the owner name
  std::size_t rdata = 0;
  std::size_t end = 0;
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  std::uint32_t ttl = 0;  // seconds; for OPT what RFC 6891 makes of it
};

// Takes at least 11 bytes of the message a step, so a lying count costs no more than a true one.
class RecordReader {
 public:
  // `at` is the end of the question. The message has a header and outlives the reader.
  RecordReader(Bytes message, std::size_t at);

  // False at the end, or where the message is malformed.
  bool next(Record& out);
  bool malformed() const { return malformed_; }
  // Behind the last record read.
  std::size_t position() const { return at_; }

 private:
  Bytes message_;
  std::size_t at_;
  std::uint32_t left_[3]{};
  std::size_t section_ = 0;
  bool malformed_ = false;
};

}  // namespace causeway::dns

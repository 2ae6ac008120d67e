// Writes an answer record by record; a name that stands earlier in the message becomes a pointer to it (RFC 1035, section 4.1.4).
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "dns/message.h"
#include "dns/record.h"

namespace causeway::dns {

class AnswerWriter {
 public:
  // `flags` are the header's second word; the id is 0.
  AnswerWriter(std::uint16_t flags, const Question& asked);
  // `bytes` of message are expected.
  void reserve(std::size_t bytes) { out_.reserve(bytes); }

  // Into the answer section, which nothing but these have been added to. Class IN; ttl in seconds.
  void add(const Name& owner, std::uint16_t type, std::uint32_t ttl, Bytes data);
  void add_name(const Name& owner, std::uint16_t type, std::uint32_t ttl, const Name& data);

  // A record of another message, into the section it has there, with `owner` as its owner. Records come in the order of sections.
  // Unknown types are copied byte for byte (RFC 3597, section 4). False where it cannot be read, or the message would be too
  // long; then there is no more to be written.
  bool copy(Bytes message, const Record& record, const Name& owner);

  std::vector<std::uint8_t> finish() && { return std::move(out_); }

 private:
  void begin(Record::Section section, const Name& owner);
  bool append_data(Bytes message, const Record& record);
  void append_name(const Name& name, bool may_compress);

  std::vector<std::uint8_t> out_;
  std::unordered_map<std::string, std::uint16_t> seen_;  // where names stand, by their keys
};

}  // namespace causeway::dns

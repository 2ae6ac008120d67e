// Answers that came from a server: checked before anything is done with them, then made fit for who asked.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "dns/message.h"

namespace causeway::dns {

// The header and question of an answer.
struct AnswerHead {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  Rcode rcode = Rcode::kNoError;     // without the bits that an OPT record adds
  std::optional<Question> question;  // some servers leave it out of an error
  std::size_t end = kHeaderSize;     // where the records begin
};

// None for anything but an answer to a standard query.
std::optional<AnswerHead> parse_answer_head(Bytes message);

// It answers exactly what was asked (RFC 5452, section 9.1).
bool answers(const AnswerHead& head, std::uint16_t id, const Question& asked);

// What there is to know of a whole answer.
struct AnswerView {
  AnswerHead head;                         // `question` is present, rcode whole
  std::size_t answers = 0;                 // records in the answer section
  std::size_t size = 0;                    // where its last record ends; what follows counts for nothing
  std::size_t opt = 0, opt_end = 0;        // the OPT record; 0: none
  std::optional<std::uint32_t> ttl;        // seconds; the least of the answer section
  std::optional<std::uint32_t> negative_ttl;  // seconds, by the SOA of the authority section (RFC 2308, section 5)
};

// None where the message is malformed anywhere, or has no question.
std::optional<AnswerView> parse_answer(Bytes message);

// The answer as this asker shall see it: his id, the letters of the name as he wrote them, an OPT record when he had one, at most
// `limit` bytes, else header, question and OPT with TC set (RFC 2181, section 9). `answer` answers `query`'s question.
struct FittedAnswer {
  std::vector<std::uint8_t> message;
  bool truncated = false;  // by us
};
FittedAnswer fit_answer(Bytes answer, const AnswerView& view, const Query& query, std::size_t limit, std::uint16_t udp_size);

}  // namespace causeway::dns

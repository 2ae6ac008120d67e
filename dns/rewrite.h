// Gives an answer about one name to a program that asked for another, which means the same or is an alias of it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dns/answer.h"

namespace causeway::dns {

// A CNAME record.
struct Alias {
  Name owner;
  Name target;
  std::uint32_t ttl = 0;  // seconds
};

// The question becomes `asked`. `aliases` come first: they lead from `asked`'s name to the one that `answer` is about. Records of
// the name that was sent become records of the last alias' target, of `asked`'s name where there is none. Every other record stays,
// unknown types byte for byte (RFC 3597, section 4). Names come out whole except where the same name stands earlier in the
// message. AD is cleared: signatures do not cover the new owner. None where a record cannot be read, or the result would be
// longer than a message may be. `view` is parse_answer(answer).
std::optional<std::vector<std::uint8_t>> rewrite_answer(Bytes answer, const AnswerView& view, const Question& asked,
                                                        const std::vector<Alias>& aliases = {});

}  // namespace causeway::dns

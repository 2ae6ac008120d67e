// Gives an answer about a full name to a program that asked for a short one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dns/answer.h"

namespace causeway::dns {

// The question becomes `asked`, and records of the name that was sent become records of the asked name. Every other record stays,
// unknown types byte for byte (RFC 3597, section 4). Names come out whole except where the same name stands earlier in the
// message. AD is cleared: signatures do not cover the new owner. None where a record cannot be read, or the result would be
// longer than a message may be. `view` is parse_answer(answer).
std::optional<std::vector<std::uint8_t>> rewrite_answer(Bytes answer, const AnswerView& view, const Question& asked);

}  // namespace causeway::dns

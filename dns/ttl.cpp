#include "dns/ttl.h"

#include <algorithm>

#include "dns/record.h"

namespace causeway::dns {

namespace {

// RFC 6895, section 3.1: types that only questions have, and those that carry no data of a zone.
bool is_meta(std::uint16_t type) { return type == 0 || type == kTypeOpt || (type >= 128 && type <= 255); }

bool has_answer_of_type(Bytes message, const AnswerView& view, std::uint16_t type) {
  RecordReader records(message, view.head.end);
  Record record;
  while (records.next(record) && record.section == Record::Section::kAnswer) {
    if (record.type == type) return true;
  }
  return false;
}

// A TTL with the top bit set counts as 0 (RFC 2181, section 8).
std::uint32_t lowered(std::uint32_t ttl, std::uint32_t age, std::uint32_t most) {
  return ttl > 0x7fffffff || ttl <= age ? 0 : std::min(ttl - age, most);
}

}  // namespace

std::optional<Lifetime> lifetime(Bytes message, const AnswerView& view) {
  const Question& asked = *view.head.question;
  if (view.head.flags & kFlagTruncated) return std::nullopt;
  if (asked.klass != kClassIn || is_meta(asked.type)) return std::nullopt;
  Lifetime out;
  if (view.head.rcode == Rcode::kNoError && has_answer_of_type(message, view, asked.type)) {
    out.seconds = *view.ttl;
  } else if (view.head.rcode == Rcode::kNoError || view.head.rcode == Rcode::kNxDomain) {
    if (!view.negative_ttl) return std::nullopt;
    out.negative = true;
    out.seconds = std::min(*view.negative_ttl, view.ttl.value_or(*view.negative_ttl));
  }
  if (out.seconds == 0) return std::nullopt;
  return out;
}

void lower_ttls(MutableBytes message, AnswerView& view, std::uint32_t age, std::uint32_t most) {
  RecordReader records(message, view.head.end);
  Record record;
  while (records.next(record)) {
    if (record.type != kTypeOpt) store32(message.data() + record.fixed + 4, lowered(record.ttl, age, most));
  }
  if (view.ttl) view.ttl = lowered(*view.ttl, age, most);
  if (view.negative_ttl) view.negative_ttl = lowered(*view.negative_ttl, age, most);
}

}  // namespace causeway::dns

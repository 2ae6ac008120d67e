#include "dns/answer.h"

#include <algorithm>

#include "dns/record.h"

namespace causeway::dns {

namespace {

constexpr std::size_t kSoaNumbers = 20;

// The MINIMUM field, the last of an SOA record.
std::optional<std::uint32_t> negative_ttl(Bytes message, const Record& soa) {
  if (soa.end - soa.rdata < kSoaNumbers + 2) return std::nullopt;
  return std::min(soa.ttl, load32(message.data() + soa.end - 4));
}

void least(std::optional<std::uint32_t>& so_far, std::uint32_t ttl) {
  // A TTL with the top bit set counts as 0 (RFC 2181, section 8).
  if (ttl > 0x7fffffff) ttl = 0;
  so_far = so_far ? std::min(*so_far, ttl) : ttl;
}

}  // namespace

std::optional<AnswerHead> parse_answer_head(Bytes message) {
  if (message.size() < kHeaderSize) return std::nullopt;
  AnswerHead head;
  head.id = load16(message.data());
  head.flags = load16(message.data() + 2);
  if (!(head.flags & kFlagResponse) || (head.flags & kOpcodeMask)) return std::nullopt;
  head.rcode = Rcode(head.flags & kRcodeMask);
  std::uint16_t questions = load16(message.data() + 4);
  if (questions > 1) return std::nullopt;
  if (questions == 0) return head;
  std::optional<Name> name = Name::read(message, head.end, Name::Compression::kForbidden);
  if (!name || message.size() - head.end < 4) return std::nullopt;
  const std::uint8_t* fixed = message.data() + head.end;
  head.question = Question{std::move(*name), load16(fixed), load16(fixed + 2)};
  head.end += 4;
  return head;
}

bool answers(const AnswerHead& head, std::uint16_t id, const Question& asked) {
  if (head.id != id) return false;
  return head.question ? *head.question == asked : head.rcode != Rcode::kNoError && head.rcode != Rcode::kNxDomain;
}

std::optional<AnswerView> parse_answer(Bytes message) {
  std::optional<AnswerHead> head = parse_answer_head(message);
  if (!head || !head->question) return std::nullopt;
  AnswerView view;
  view.head = std::move(*head);
  RecordReader records(message, view.head.end);
  Record record;
  while (records.next(record)) {
    if (record.section == Record::Section::kAnswer) {
      ++view.answers;
      least(view.ttl, record.ttl);
    } else if (record.section == Record::Section::kAuthority && record.type == kTypeSoa) {
      if (std::optional<std::uint32_t> ttl = negative_ttl(message, record)) least(view.negative_ttl, *ttl);
    } else if (record.section == Record::Section::kAdditional && record.type == kTypeOpt) {
      if (view.opt != 0 || message[record.start] != 0) return std::nullopt;
      view.opt = record.start;
      view.opt_end = record.end;
      view.head.rcode = Rcode(std::uint16_t(view.head.rcode) | (record.ttl >> 24) << 4);
    }
  }
  if (records.malformed()) return std::nullopt;
  view.size = records.position();
  return view;
}

FittedAnswer fit_answer(Bytes answer, const AnswerView& view, const Query& query, std::size_t limit, std::uint16_t udp_size) {
  CAUSEWAY_ASSERT(view.head.question && *view.head.question == query.question);
  Bytes body = answer.first(view.size).subspan(view.head.end);
  std::uint16_t additional = load16(answer.data() + 10);
  bool has_opt = view.opt != 0;
  if (has_opt && !query.edns && view.opt_end == view.size) {
    body = body.first(view.opt - view.head.end);
    --additional;
    has_opt = false;
  }
  bool needs_opt = query.edns && !has_opt && additional < 0xffff;
  std::size_t size = view.head.end + body.size() + (needs_opt ? kPlainOptSize : 0);

  std::uint16_t flags = view.head.flags & std::uint16_t(~(kFlagRecursionDesired | kFlagCheckingDisabled));
  if (query.recursion_desired) flags |= kFlagRecursionDesired;
  if (query.checking_disabled) flags |= kFlagCheckingDisabled;
  flags |= kFlagRecursionAvailable;

  FittedAnswer out;
  if (size > limit) {
    out.truncated = true;
    out.message = empty_answer(query, view.head.rcode, udp_size);
    store16(out.message.data() + 2, std::uint16_t(flags | kFlagTruncated));
    return out;
  }
  std::vector<std::uint8_t>& message = out.message;
  message.reserve(size + 2);
  append16(message, query.id);
  append16(message, flags);
  append_bytes(message, answer.subspan(4, 6));
  append16(message, std::uint16_t(additional + needs_opt));
  append_question(message, query.question);
  append_bytes(message, body);
  if (needs_opt) {
    append_opt(message, udp_size, Rcode::kNoError, query.edns->wants_dnssec);
  } else if (has_opt) {
    store16(message.data() + view.opt + 3, udp_size);
  }
  return out;
}

}  // namespace causeway::dns

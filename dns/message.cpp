#include "dns/message.h"

#include "dns/record.h"

namespace causeway::dns {

namespace {

constexpr std::uint16_t kDnssecOk = 0x8000;
constexpr std::uint16_t kExtendedErrorOption = 15;

std::uint16_t asker_flags(const Query& query) {
  return std::uint16_t((query.recursion_desired ? kFlagRecursionDesired : 0) |
                       (query.checking_disabled ? kFlagCheckingDisabled : 0));
}

void append_header(std::vector<std::uint8_t>& out, std::uint16_t id, std::uint16_t flags, bool with_opt) {
  for (std::uint16_t word : {id, flags, std::uint16_t(1), std::uint16_t(0), std::uint16_t(0), std::uint16_t(with_opt)}) {
    append16(out, word);
  }
}

}  // namespace

ParsedQuery parse_query(Bytes message) {
  using Verdict = ParsedQuery::Verdict;
  ParsedQuery out;
  if (message.size() < kHeaderSize) return out;
  std::uint16_t flags = load16(message.data() + 2);
  if (flags & kFlagResponse) return out;

  Query& query = out.query;
  query.id = load16(message.data());
  query.recursion_desired = flags & kFlagRecursionDesired;
  query.authentic_data = flags & kFlagAuthentic;
  query.checking_disabled = flags & kFlagCheckingDisabled;
  out.verdict = Verdict::kNotImp;
  if (flags & kOpcodeMask) return out;

  out.verdict = Verdict::kFormErr;
  if (load16(message.data() + 4) != 1) return out;
  std::size_t at = kHeaderSize;
  std::optional<Name> name = Name::read(message, at, Name::Compression::kForbidden);
  if (!name || message.size() - at < 4) return out;
  query.question = {std::move(*name), load16(message.data() + at), load16(message.data() + at + 2)};

  std::uint8_t version = 0;
  RecordReader records(message, at + 4);
  Record record;
  while (records.next(record)) {
    if (record.type != kTypeOpt) continue;
    if (query.edns || record.section != Record::Section::kAdditional || message[record.start] != 0) return out;
    query.edns = Edns{record.klass, (record.ttl & kDnssecOk) != 0};
    version = std::uint8_t(record.ttl >> 16);
  }
  if (records.malformed()) return out;
  out.verdict = version == 0 ? Verdict::kGood : Verdict::kBadVersion;
  return out;
}

std::vector<std::uint8_t> encode_query(const Query& query, std::uint16_t udp_size) {
  std::vector<std::uint8_t> out;
  out.reserve(kHeaderSize + query.question.name.wire().size() + 4 + kPlainOptSize);
  append_header(out, query.id, std::uint16_t(asker_flags(query) | (query.authentic_data ? kFlagAuthentic : 0)), query.edns.has_value());
  append_question(out, query.question);
  if (query.edns) append_opt(out, udp_size, Rcode::kNoError, query.edns->wants_dnssec);
  return out;
}

std::vector<std::uint8_t> empty_answer(const Query& query, Rcode rcode, std::uint16_t udp_size, std::optional<Explanation> why) {
  std::vector<std::uint8_t> out;
  std::uint16_t flags = kFlagResponse | kFlagRecursionAvailable;
  flags = std::uint16_t(flags | asker_flags(query) | (std::uint16_t(rcode) & kRcodeMask));
  append_header(out, query.id, flags, query.edns.has_value());
  append_question(out, query.question);
  if (query.edns) append_opt(out, udp_size, rcode, query.edns->wants_dnssec, why);
  return out;
}

std::vector<std::uint8_t> header_answer(Bytes message, Rcode rcode) {
  CAUSEWAY_ASSERT(message.size() >= kHeaderSize && std::uint16_t(rcode) <= kRcodeMask);
  std::vector<std::uint8_t> out(kHeaderSize, 0);
  std::uint16_t kept = load16(message.data() + 2) & (kOpcodeMask | kFlagRecursionDesired);
  store16(out.data(), load16(message.data()));
  store16(out.data() + 2, std::uint16_t(kFlagResponse | kFlagRecursionAvailable | kept | std::uint16_t(rcode)));
  return out;
}

std::string rcode_text(Rcode rcode) {
  switch (rcode) {
    case Rcode::kNoError: return "NOERROR";
    case Rcode::kFormErr: return "FORMERR";
    case Rcode::kServFail: return "SERVFAIL";
    case Rcode::kNxDomain: return "NXDOMAIN";
    case Rcode::kNotImp: return "NOTIMP";
    case Rcode::kRefused: return "REFUSED";
    case Rcode::kNotAuth: return "NOTAUTH";
    case Rcode::kBadVersion: return "BADVERS";
  }
  return "RCODE" + std::to_string(std::uint16_t(rcode));
}

void append16(std::vector<std::uint8_t>& out, std::uint16_t value) {
  out.push_back(std::uint8_t(value >> 8));
  out.push_back(std::uint8_t(value));
}

void append_bytes(std::vector<std::uint8_t>& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_question(std::vector<std::uint8_t>& out, const Question& question) {
  append_bytes(out, question.name.wire());
  append16(out, question.type);
  append16(out, question.klass);
}

void append_opt(std::vector<std::uint8_t>& out, std::uint16_t udp_size, Rcode rcode, bool wants_dnssec,
                const std::optional<Explanation>& why) {
  out.push_back(0);
  append16(out, kTypeOpt);
  append16(out, udp_size);
  out.push_back(std::uint8_t(std::uint16_t(rcode) >> 4));
  out.push_back(0);
  append16(out, wants_dnssec ? kDnssecOk : 0);
  if (!why) return append16(out, 0);
  append16(out, std::uint16_t(6 + why->text.size()));
  append16(out, kExtendedErrorOption);
  append16(out, std::uint16_t(2 + why->text.size()));
  append16(out, why->code);
  append_bytes(out, as_bytes(why->text));
}

}  // namespace causeway::dns

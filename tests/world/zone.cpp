#include "tests/world/zone.h"

#include "dns/answer.h"

namespace causeway::world {

void Zone::add(const std::string& name, const packet::Address& address) { records_[name] = address; }

std::size_t Zone::questions(const std::string& name) const {
  auto it = asked_.find(name);
  return it == asked_.end() ? 0 : it->second;
}

std::optional<std::vector<std::uint8_t>> Zone::answer(Bytes message) const {
  dns::ParsedQuery parsed = dns::parse_query(message);
  if (parsed.verdict != dns::ParsedQuery::Verdict::kGood) return std::nullopt;
  const dns::Question& asked = parsed.query.question;
  std::string name = dns::lower(asked.name.text());
  ++asked_[name];
  auto record = records_.find(name);
  bool below = false;
  for (const auto& [owner, address] : records_) below |= owner.size() > name.size() && owner.ends_with("." + name);
  dns::Rcode rcode = record != records_.end() || below ? dns::Rcode::kNoError : dns::Rcode::kNxDomain;
  std::vector<std::uint8_t> out = dns::empty_answer(parsed.query, rcode, 1232);
  if (record == records_.end() || asked.type != dns::kTypeA) return out;
  // The record goes between the question and what may follow it.
  std::vector<std::uint8_t> head(out.begin(), out.begin() + dns::kHeaderSize), tail;
  dns::append_question(head, asked);
  tail.assign(out.begin() + std::ptrdiff_t(head.size()), out.end());
  store16(&head[6], 1);
  for (std::uint16_t field : {0xc00c, int(dns::kTypeA), int(dns::kClassIn), 0, 30, 4})
    dns::append16(head, std::uint16_t(field));
  dns::append_bytes(head, record->second.bytes());
  dns::append_bytes(head, tail);
  return head;
}

std::vector<std::uint8_t> question(const std::string& name, std::uint16_t id, std::uint16_t type) {
  dns::Query query;
  query.id = id;
  query.question.name = *dns::Name::parse(name);
  query.question.type = type;
  return dns::encode_query(query, 1232);
}

std::optional<Answer> read_answer(Bytes message) {
  auto view = dns::parse_answer(message);
  if (!view) return std::nullopt;
  Answer answer;
  answer.id = view->head.id;
  answer.rcode = view->head.rcode;
  std::size_t at = view->head.end;
  for (std::size_t i = 0; i < view->answers; ++i) {
    if (!dns::Name::skip(message, at)) return std::nullopt;
    std::uint16_t type = load16(&message[at]);
    std::size_t size = load16(&message[at + 8]);
    if (type == dns::kTypeA && size == 4)
      answer.addresses.push_back(packet::Address::from_bytes(message.subspan(at + 10, 4)));
    at += 10 + size;
  }
  return answer;
}

}  // namespace causeway::world

// DNS messages of programs and of servers: read, fitted and rewritten.
#include "dns/answer.h"
#include "dns/record.h"
#include "dns/rewrite.h"
#include "tests/dns/wire.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace dns;

void check_name(const Name& name) {
  CAUSEWAY_ASSERT(name.wire().size() <= Name::kMaxWire);
  CAUSEWAY_ASSERT(Name::parse(name.text()) == name);
  std::size_t at = 0;
  CAUSEWAY_ASSERT(Name::read(name.wire(), at, Name::Compression::kForbidden) == name && at == name.wire().size());
}

bool as_query(Bytes message) {
  ParsedQuery parsed = parse_query(message);
  switch (parsed.verdict) {
    case ParsedQuery::Verdict::kDrop: return false;
    case ParsedQuery::Verdict::kFormErr:
    case ParsedQuery::Verdict::kNotImp:
      CAUSEWAY_ASSERT(parse_query(header_answer(message, Rcode::kFormErr)).verdict == ParsedQuery::Verdict::kDrop);
      return false;
    case ParsedQuery::Verdict::kBadVersion:
    case ParsedQuery::Verdict::kGood: break;
  }
  check_name(parsed.query.question.name);
  ParsedQuery again = parse_query(encode_query(parsed.query, 1232));
  CAUSEWAY_ASSERT(again.verdict == ParsedQuery::Verdict::kGood && again.query.question == parsed.query.question);
  Explanation why{Explanation::kOther, "why"};
  std::optional<AnswerView> view = parse_answer(empty_answer(parsed.query, Rcode::kServFail, 1232, why));
  CAUSEWAY_ASSERT(view && answers(view->head, parsed.query.id, parsed.query.question));
  return true;
}

void check_names_of_records(Bytes message, const AnswerView& view) {
  RecordReader records(message, view.head.end);
  Record record;
  while (records.next(record)) {
    std::size_t at = record.start;
    std::optional<Name> owner = Name::read(message, at, Name::Compression::kAllowed);
    CAUSEWAY_ASSERT(owner && at == record.fixed && record.end <= message.size());
    check_name(*owner);
  }
}

bool as_answer(Bytes message) {
  std::optional<AnswerView> view = parse_answer(message);
  if (!view) return false;
  CAUSEWAY_ASSERT(view->size <= message.size());
  check_names_of_records(message, *view);
  Query asked;
  asked.question = *view->head.question;
  for (bool edns : {false, true}) {
    if (edns) asked.edns = Edns{1232, true};
    for (std::size_t limit : {std::size_t(512), std::size_t(1232), kMaxMessage}) {
      FittedAnswer fitted = fit_answer(message, *view, asked, limit, 1232);
      CAUSEWAY_ASSERT(fitted.message.size() <= limit);
      std::optional<AnswerHead> head = parse_answer_head(fitted.message);
      CAUSEWAY_ASSERT(head && head->question && *head->question == asked.question);
      std::optional<AnswerView> again = parse_answer(fitted.message);
      CAUSEWAY_ASSERT(again);
      CAUSEWAY_ASSERT(again->answers == (fitted.truncated ? 0 : view->answers));
    }
  }
  Question short_one = asked.question;
  short_one.name = *Name::parse("orders.shop");
  if (std::optional<Blob> rewritten = rewrite_answer(message, *view, short_one)) {
    CAUSEWAY_ASSERT(rewritten->size() <= kMaxMessage);
    std::optional<AnswerView> again = parse_answer(*rewritten);
    CAUSEWAY_ASSERT(again && again->answers == view->answers && *again->head.question == short_one);
    check_names_of_records(*rewritten, *again);
  }
  return true;
}

bool run(Bytes message) {
  if (message.size() > kMaxMessage) return false;
  bool query = as_query(message);
  bool answer = as_answer(message);
  CAUSEWAY_ASSERT(!(query && answer));
  return query || answer;
}

std::vector<Seed> seeds() {
  using namespace dns::test;
  Parts query;
  query.questions = {question("Orders.shop")};
  query.additional = {opt(1232)};
  Parts answer;
  answer.flags = kAnswer;
  answer.questions = {question("orders.shop.svc.cluster.local", kTypeSrv)};
  answer.answers = {{fuzz::blob({0xc0, 12}), kTypeSrv, 5, fuzz::blob({0, 1, 0, 2, 0, 80, 3, 'p', 'o', 'd', 0xc0, 19})},
                    cname("orders.shop.svc.cluster.local", "db.example.com"),
                    {fuzz::blob({0xc0, 12}), 65280, 5, fuzz::blob({0xc0, 12})}};
  answer.authority = {soa("cluster.local", 60, 5)};
  answer.additional = {a("pod.shop.svc.cluster.local"), opt(1232)};
  Parts negative = answer;
  negative.flags |= 3;
  negative.answers.clear();
  Parts loop = answer;
  loop.answers = {{fuzz::blob({0xc0, 46}), kTypeA, 5, fuzz::blob({10, 0, 0, 1})}};
  return {{encode(query)}, {encode(answer)}, {encode(negative)}, {encode(loop), false}, {Blob(12, 0), false}};
}

const Registration kRegistration({"dns_message", run, seeds});

}  // namespace
}  // namespace causeway::fuzz

// What becomes of an answer before it is one to the question: cut to what the cluster may say, and led on where an alias leads.
#include "dns/bailiwick.h"
#include "dns/resolver.h"

namespace causeway::dns {

namespace {

constexpr Explanation kUnrelated{Explanation::kOther, "the cluster's DNS answered about other names"};
constexpr Explanation kEndless{Explanation::kOther, "aliases lead in a circle, or on and on"};
constexpr Explanation kGarbled{Explanation::kOther, "the answer of the cluster's DNS cannot be read"};
// As the filters against rebinding of other resolvers: no data, so that a program neither asks again nor waits.
constexpr Explanation kBlocked{Explanation::kBlocked,
                               "the cluster's DNS gave this machine's own address, or one that no network may give"};

}  // namespace

// What was kept may have been somebody else's name, or this machine's address.
void Resolver::set_others(const std::vector<OtherProfile>& others) {
  rules_.set_others(others);
  flush_cache();
}

void Resolver::set_own_addresses(const std::vector<packet::Address>& own) {
  if (guard_.set_own(own)) flush_cache();
}

void Resolver::answer_mapped(JobId id, Instant now) {
  const Job& job = jobs_.find(id)->second;
  const Mapping& mapping = *job.decision.mapping;
  Question asked{job.target(), job.query.question.type, job.query.question.klass};
  if (job.aliases.empty()) ++counters_.mapped;
  bool leads_on = mapping.kind == Mapping::Kind::kAlias && asked.type != kTypeCname && asked.type != kTypeAny;
  if (leads_on) return follow(id, {{asked.name, mapping.target, Mappings::kTtl}}, now);
  std::vector<std::uint8_t> message = mapped_answer(mapping, asked);
  std::optional<AnswerView> view = parse_answer(message);
  CAUSEWAY_ASSERT(view);
  bool made = make_answer(job, message, *view);
  made ? finish(id, std::move(message), std::move(*view)) : finish(id, Rcode::kServFail, kEndless);
}

void Resolver::follow(JobId id, std::vector<Alias> aliases, Instant now) {
  Job& job = jobs_.find(id)->second;
  if (job.aliases.size() + aliases.size() > kMaxAliases) return finish(id, Rcode::kServFail, kEndless);
  aliases.front().owner = job.target();
  for (Alias& alias : aliases) job.aliases.push_back(std::move(alias));
  job.decision = decide({job.target(), job.query.question.type, job.query.question.klass});
  // In split mode this is no question of the system's: the machine is asked as nobody else would be.
  if (job.decision.owner == Decision::Owner::kRefused) job.decision.owner = Decision::Owner::kMachine;
  begin(id, now);
}

bool Resolver::keep_clusters_part(JobId id, std::vector<std::uint8_t>& message, AnswerView& view, Instant now) {
  using Verdict = Bailiwick::Verdict;
  Bailiwick part = clusters_part(message, view, rules_, guard_);
  counters_.foreign += part.foreign;
  counters_.blocked += part.blocked;
  switch (part.verdict) {
    case Verdict::kWhole: return true;
    case Verdict::kPart:
      message = std::move(part.message);
      view = std::move(part.view);
      return true;
    case Verdict::kLeadsAway:
      ++counters_.led_away;
      jobs_.find(id)->second.led_by_cluster = true;
      follow(id, std::move(part.aliases), now);
      return false;
    case Verdict::kBlocked: finish(id, Rcode::kNoError, kBlocked); return false;
    case Verdict::kUnrelated: finish(id, Rcode::kServFail, kUnrelated); return false;
    case Verdict::kEndless: finish(id, Rcode::kServFail, kEndless); return false;
    case Verdict::kMalformed: break;
  }
  ++counters_.malformed;
  finish(id, Rcode::kServFail, kGarbled);
  return false;
}

bool Resolver::keep_unblocked(JobId id, std::vector<std::uint8_t>& message, AnswerView& view) {
  if (!jobs_.find(id)->second.led_by_cluster) return true;
  Bailiwick part = without_blocked(message, view, guard_);
  counters_.blocked += part.blocked;
  if (part.verdict == Bailiwick::Verdict::kWhole) return true;
  if (part.verdict != Bailiwick::Verdict::kPart) {
    finish(id, part.blocked > 0 ? Rcode::kNoError : Rcode::kServFail, part.blocked > 0 ? kBlocked : kGarbled);
    return false;
  }
  message = std::move(part.message);
  view = std::move(part.view);
  return true;
}

bool Resolver::make_answer(const Job& job, std::vector<std::uint8_t>& message, AnswerView& view) const {
  if (*view.head.question == job.query.question && job.aliases.empty()) return true;
  std::optional<std::vector<std::uint8_t>> rewritten = rewrite_answer(message, view, job.query.question, job.aliases);
  std::optional<AnswerView> seen;
  if (rewritten) seen = parse_answer(*rewritten);
  if (!seen) return false;
  message = std::move(*rewritten);
  view = std::move(*seen);
  return true;
}

}  // namespace causeway::dns

#include "dns/resolver.h"

#include <algorithm>

#include "dns/reverse_name.h"
#include "dns/translation.h"

namespace causeway::dns {

namespace {

using engine::DnsAction;
using engine::DnsFailure;
using engine::DnsRequestId;

constexpr unsigned kSuspect = 2;

constexpr Explanation kLinkDown{Explanation::kNetworkError, "the link to the cluster is down"};
constexpr Explanation kClusterSilent{Explanation::kNoReachableAuthority, "no answer from the cluster's DNS"};
constexpr Explanation kClusterUnreachable{Explanation::kNetworkError, "the cluster's DNS cannot be reached"};
constexpr Explanation kClusterGarbled{Explanation::kOther, "the answer of the cluster's DNS cannot be read"};
constexpr Explanation kMachineSilent{Explanation::kNoReachableAuthority, "no answer from this machine's DNS servers"};
constexpr Explanation kMachineUnreachable{Explanation::kNetworkError, "this machine's DNS servers cannot be reached"};
constexpr Explanation kMachineGarbled{Explanation::kOther, "the answer of this machine's DNS server cannot be read"};
constexpr Explanation kUsedUp{Explanation::kOther, "every virtual address of this profile is in use"};
constexpr Explanation kNotGiven{Explanation::kOther, "this virtual address stands for nothing now"};
constexpr Explanation kNobodys{Explanation::kBlocked, "names that configure this machine are not asked of any network"};
constexpr Explanation kExcluded{Explanation::kBlocked, "the profile excludes this name"};
constexpr Explanation kTooLong{Explanation::kOther, "with the cluster's domain this name is too long"};

// There is no such name, or the server has nothing to say of names like that. An alias in the answer means that there is one
// (RFC 6604, section 3).
bool is_negative(const AnswerView& view) {
  if (view.head.rcode == Rcode::kRefused || view.head.rcode == Rcode::kNotAuth) return true;
  return view.head.rcode == Rcode::kNxDomain && view.answers == 0;
}

Explanation explain_nobodys(Decision::Rule rule) {
  if (rule == Decision::Rule::kExclude) return kExcluded;
  return rule == Decision::Rule::kProfile ? kTooLong : kNobodys;
}

Explanation explain_cluster(DnsFailure why) {
  switch (why) {
    case DnsFailure::kNoLink: return kLinkDown;
    case DnsFailure::kTimedOut: return kClusterSilent;
    case DnsFailure::kRefused:
    case DnsFailure::kUnreachable: break;
  }
  return kClusterUnreachable;
}

}  // namespace

Resolver::Resolver(Rules rules, const ResolverConfig& config, Random& random, Counters& counters,
                   std::vector<DnsAction>& actions)
    : rules_(std::move(rules)),
      guard_(config.reachable, config.addresses),
      config_(config),
      random_(random),
      counters_(counters),
      actions_(actions),
      namespaces_(config.max_namespaces),
      cache_(config.cache_limits) {}

void Resolver::ask(AskerId asker, const Query& query, Instant now) {
  QuestionKey key(query);
  std::optional<Cache::Found> found;
  if (cacheable(query)) found = cache_.find(key.answer(), now);
  count_cache();  // one that is too old has gone
  if (found) ++counters_.cache_hits;
  if (found && !found->message.empty()) {
    serve(asker, *found, now);
    bool renew = found->age >= config_.told_ttl && link_up_ && !by_key_.contains(key.question());
    if (!renew) return;
    ++counters_.cache_renewals;
    return begin(add_job(key, query, {}, now), now);
  }
  if (auto under_way = by_key_.find(key.question()); under_way != by_key_.end()) {
    ++counters_.coalesced;
    jobs_.find(under_way->second)->second.askers.push_back(asker);
    return;
  }
  JobId id = add_job(key, query, {asker}, now);
  if (!found) return begin(id, now);
  ++counters_.fell_through;
  to_machine(id, now);
}

Resolver::JobId Resolver::add_job(const QuestionKey& key, const Query& query, std::vector<AskerId> askers, Instant now) {
  JobId id = ++last_job_;
  by_key_.emplace(key.question(), id);
  jobs_.emplace(id, Job{query, decide(query.question), {}, false, std::string(key.question()), now, std::move(askers)});
  return id;
}

// Reverse names are told apart by what their addresses mean on this laptop.
Decision Resolver::decide(const Question& question) const {
  const std::optional<packet::Address> address = config_.addresses ? reverse_address(question.name) : std::nullopt;
  if (!address) return rules_.decide(question);
  if (config_.addresses->covers(*address)) return rules_.elsewhere();  // it is somebody else's here
  const std::optional<packet::Address> real = config_.addresses->to_real(*address);
  if (real == address) return rules_.decide(question);
  using Rule = Decision::Rule;
  if (!real) return {.owner = Decision::Owner::kMeaningless, .rule = Rule::kVirtual};
  return {.owner = Decision::Owner::kCluster, .rule = Rule::kVirtual, .cluster_name = reverse_name(*real)};
}

void Resolver::serve(AskerId asker, const Cache::Found& found, Instant now) {
  Outcome& outcome = outcomes_.emplace_back();
  outcome.askers.push_back(asker);
  outcome.message.assign(found.message.begin(), found.message.end());
  outcome.view = *found.view;
  outcome.rcode = outcome.view.head.rcode;
  lower_ttls(outcome.message, outcome.view, found.seconds_old, std::min(found.seconds_left, told_seconds()));
  translate(outcome, now);
}

// A cluster's answer gets the addresses by which this laptop reaches what it names.
void Resolver::translate(Outcome& outcome, Instant now) {
  if (!config_.addresses || translate_answer(outcome.message, outcome.view, *config_.addresses, now)) return;
  outcome.message.clear();
  outcome.rcode = Rcode::kServFail;
  outcome.why = kUsedUp;
}

void Resolver::begin(JobId id, Instant now) {
  Decision::Rule rule = jobs_.find(id)->second.decision.rule;
  switch (jobs_.find(id)->second.decision.owner) {
    case Decision::Owner::kCluster: return to_cluster(id);
    case Decision::Owner::kIfNamespace: return ask_whether_namespace(id, now);
    case Decision::Owner::kMachine: return to_machine(id, now);
    case Decision::Owner::kNobody: ++counters_.nobody; return finish(id, Rcode::kNxDomain, explain_nobodys(rule));
    case Decision::Owner::kMeaningless: return finish(id, Rcode::kNxDomain, kNotGiven);
    case Decision::Owner::kMapped: return answer_mapped(id, now);
    case Decision::Owner::kRefused: return finish(id, Rcode::kRefused, std::nullopt);
  }
}

void Resolver::ask_whether_namespace(JobId id, Instant now) {
  const std::string candidate = jobs_.find(id)->second.decision.candidate;
  if (!link_up_) return namespaces_.was_present(candidate) ? to_cluster(id) : no_namespace(id, now);
  Namespaces::Known known = namespaces_.known(candidate, now);
  if (known == Namespaces::Known::kPresent) return to_cluster(id);
  if (known == Namespaces::Known::kAbsent) return no_namespace(id, now);
  bool under_way = probes_.contains(candidate);
  if (!under_way) send_probe(candidate, now);
  bool waits = known == Namespaces::Known::kAsk && (unanswered_in_row_ < kSuspect || namespaces_.was_present(candidate));
  if (!waits) return no_namespace(id, now);
  probes_[candidate].waiting.push_back(id);
}

void Resolver::no_namespace(JobId id, Instant now) {
  Job& job = jobs_.find(id)->second;
  if (!job.decision.included) return to_machine(id, now);
  job.decision.cluster_name = job.target();
  to_cluster(id);
}

void Resolver::send_probe(const std::string& candidate, Instant now) {
  std::optional<Name> name = rules_.namespace_name(candidate);
  CAUSEWAY_ASSERT(name);
  ++counters_.namespaces;
  probes_.emplace(candidate, Probe{});
  Request request{Request::Kind::kNamespace, 0, candidate, 0, {},
                  now + std::min(config_.namespace_timeout, config_.cluster_timeout)};
  send(std::move(request), Query{}, Question{std::move(*name), kTypeA, kClassIn}, DnsAction::Kind::kAskCluster);
}

void Resolver::to_cluster(JobId id) {
  const Job& job = jobs_.find(id)->second;
  if (!link_up_) return finish(id, Rcode::kServFail, kLinkDown);
  ++counters_.cluster;
  if (cacheable(job.query)) ++counters_.cache_misses;
  Request request{Request::Kind::kCluster, id, {}, 0, {}, job.started + config_.cluster_timeout};
  const Question& asked = job.query.question;
  send(std::move(request), job.query, {job.decision.cluster_name, asked.type, asked.klass}, DnsAction::Kind::kAskCluster);
}

void Resolver::to_machine(JobId id, Instant now) {
  const Job& job = jobs_.find(id)->second;
  if (job.askers.empty()) return finish(id, Rcode::kNxDomain, std::nullopt);
  ++counters_.machine;
  Request request{Request::Kind::kMachine, id, {}, 0, {}, now + config_.machine_timeout};
  const Question& asked = job.query.question;
  send(std::move(request), job.query, {job.target(), asked.type, asked.klass}, DnsAction::Kind::kAskMachine);
}

void Resolver::send(Request request, const Query& like, Question question, DnsAction::Kind where) {
  DnsRequestId number = ++last_request_;
  Query query = like;
  query.id = request.id = std::uint16_t(random_.number());
  query.question = question;
  request.question = std::move(question);
  DnsAction action{};
  action.kind = where;
  action.request = number;
  action.message = encode_query(query, config_.udp_size);
  actions_.push_back(std::move(action));
  timers_.emplace(request.expires, number);
  requests_.emplace(number, std::move(request));
}

void Resolver::cluster_answered(DnsRequestId number, Bytes message, Instant now) {
  std::optional<Request> request = match(number, true, message);
  if (!request) return;
  unanswered_in_row_ = 0;
  if (request->kind == Request::Kind::kCluster) return cluster_settled(*request, message, now);
  std::optional<AnswerView> view = parse_answer(message);
  probe_settled(*request, view ? &*view : nullptr, now);
}

void Resolver::cluster_settled(const Request& request, Bytes message, Instant now) {
  JobId id = request.job;
  const Job& job = jobs_.find(id)->second;
  std::optional<AnswerView> view = parse_answer(message);
  if (!view) {
    ++counters_.malformed;
    return finish(id, Rcode::kServFail, kClusterGarbled);
  }
  std::vector<std::uint8_t> answer(message.begin(), message.end());
  if (!keep_clusters_part(id, answer, *view, now)) return;
  if (job.decision.falls_through && is_negative(*view)) {
    // Whoever finds it asks the machine for the name itself.
    bool keep = cacheable(job.query) && job.aliases.empty();
    if (keep) cache_.keep_absence(QuestionKey(job.query).answer(), answer, *view, now);
    count_cache();
    ++counters_.fell_through;
    return to_machine(id, now);
  }
  if (!make_answer(job, answer, *view)) {
    ++counters_.malformed;
    return finish(id, Rcode::kServFail, kClusterGarbled);
  }
  if (cacheable(job.query)) cache_.keep(QuestionKey(job.query).answer(), answer, *view, now);
  count_cache();
  lower_ttls(answer, *view, 0, told_seconds());
  finish(id, std::move(answer), std::move(*view));
  translate(outcomes_.back(), now);
}

void Resolver::machine_answered(DnsRequestId number, Bytes message, Instant) {
  std::optional<Request> request = match(number, false, message);
  if (!request) return;
  std::optional<AnswerView> view = parse_answer(message);
  std::vector<std::uint8_t> answer(message.begin(), message.end());
  if (view && !keep_unblocked(request->job, answer, *view)) return;
  if (view && make_answer(jobs_.find(request->job)->second, answer, *view)) {
    return finish(request->job, std::move(answer), std::move(*view));
  }
  ++counters_.malformed;
  finish(request->job, Rcode::kServFail, kMachineGarbled);
}

void Resolver::probe_settled(const Request& request, const AnswerView* view, Instant now) {
  const std::string& candidate = request.candidate;
  if (view && view->head.rcode == Rcode::kNoError) {
    namespaces_.present(candidate, std::chrono::seconds(view->ttl.value_or(view->negative_ttl.value_or(0))), now);
  } else if (view && is_negative(*view)) {
    namespaces_.absent(candidate, now);
  } else {
    namespaces_.unanswered(candidate, now);
  }
  auto probe = probes_.find(candidate);
  std::vector<JobId> waiting = std::move(probe->second.waiting);
  probes_.erase(probe);
  bool present = namespaces_.was_present(candidate);
  for (JobId id : waiting) present ? to_cluster(id) : no_namespace(id, now);
}

void Resolver::cluster_failed(DnsRequestId number, DnsFailure why, Instant now) {
  std::optional<Request> request = remove(number, true);
  if (!request) return;
  if (why == DnsFailure::kTimedOut) {
    ++counters_.timed_out;
    ++unanswered_in_row_;
  }
  give_up(*request, explain_cluster(why), now);
}

void Resolver::machine_failed(DnsRequestId number, DnsFailure why, Instant now) {
  std::optional<Request> request = remove(number, false);
  if (!request) return;
  if (why == DnsFailure::kTimedOut) ++counters_.timed_out;
  give_up(*request, why == DnsFailure::kTimedOut ? kMachineSilent : kMachineUnreachable, now);
}

void Resolver::give_up(const Request& request, Explanation why, Instant now) {
  if (request.kind == Request::Kind::kNamespace) return probe_settled(request, nullptr, now);
  finish(request.job, Rcode::kServFail, why);
}

void Resolver::link_changed(bool up, Instant now) {
  unanswered_in_row_ = 0;
  link_up_ = up;
  if (up) {
    namespaces_.clear();
    return flush_cache();
  }
  std::vector<DnsRequestId> lost;
  for (const auto& [number, request] : requests_) {
    if (request.kind != Request::Kind::kMachine) lost.push_back(number);
  }
  std::sort(lost.begin(), lost.end());
  for (DnsRequestId number : lost) {
    std::optional<Request> request = remove(number, true);
    DnsAction action{};
    action.kind = DnsAction::Kind::kForget;
    action.request = number;
    actions_.push_back(std::move(action));
    give_up(*request, kLinkDown, now);
  }
}

void Resolver::flush_cache() {
  cache_.clear();
  ++counters_.cache_flushes;
  count_cache();
}

void Resolver::count_cache() {
  counters_.cache_entries = cache_.size();
  counters_.cache_bytes = cache_.bytes();
}

std::uint32_t Resolver::told_seconds() const {
  return std::uint32_t(std::chrono::floor<std::chrono::seconds>(config_.told_ttl).count());
}

void Resolver::advance(Instant now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    DnsRequestId number = timers_.begin()->second;
    Request request = remove(requests_.find(number));
    ++counters_.timed_out;
    bool of_cluster = request.kind != Request::Kind::kMachine;
    if (of_cluster) ++unanswered_in_row_;
    DnsAction action{};
    action.kind = DnsAction::Kind::kForget;
    action.request = number;
    actions_.push_back(std::move(action));
    give_up(request, of_cluster ? kClusterSilent : kMachineSilent, now);
  }
}

std::optional<Resolver::Request> Resolver::match(DnsRequestId number, bool of_cluster, Bytes message) {
  auto found = requests_.find(number);
  if (found == requests_.end()) return std::nullopt;
  std::optional<AnswerHead> head = parse_answer_head(message);
  bool same_place = (found->second.kind != Request::Kind::kMachine) == of_cluster;
  if (!head || !same_place || !answers(*head, found->second.id, found->second.question)) {
    ++counters_.mismatched;
    return std::nullopt;
  }
  return remove(found);
}

std::optional<Resolver::Request> Resolver::remove(DnsRequestId number, bool of_cluster) {
  auto found = requests_.find(number);
  if (found == requests_.end() || (found->second.kind != Request::Kind::kMachine) != of_cluster) return std::nullopt;
  return remove(found);
}

Resolver::Request Resolver::remove(Requests::iterator found) {
  Request request = std::move(found->second);
  timers_.erase({request.expires, found->first});
  requests_.erase(found);
  return request;
}

void Resolver::finish(JobId id, Rcode rcode, std::optional<Explanation> why) {
  Outcome& outcome = close(id);
  outcome.rcode = rcode;
  outcome.why = why;
}

void Resolver::finish(JobId id, std::vector<std::uint8_t> message, AnswerView view) {
  Outcome& outcome = close(id);
  outcome.rcode = view.head.rcode;
  outcome.message = std::move(message);
  outcome.view = std::move(view);
}

Outcome& Resolver::close(JobId id) {
  auto found = jobs_.find(id);
  Outcome& outcome = outcomes_.emplace_back();
  outcome.askers = std::move(found->second.askers);
  by_key_.erase(found->second.key);
  jobs_.erase(found);
  return outcome;
}

void Resolver::take_outcomes(std::vector<Outcome>& out) {
  CAUSEWAY_ASSERT(out.empty());
  out.swap(outcomes_);
}

}  // namespace causeway::dns

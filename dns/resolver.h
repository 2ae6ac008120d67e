// Finds the answer to a question: asks the rules whose name it is, then the cluster or the machine, and gives up in time.
//
//               +-- listed or known ---------------> cluster --answer---------------> done
//   question ---+-- may be a namespace -> ask NS --> cluster --no, may fall through-> machine -> done
//       ^       |                             \----> machine
//       |       +-- not the cluster's -------------> machine --answer or failure----> done
//       |       +-- mapped by the profile ---------------------------------------> done
//       +---------- an alias that leads elsewhere
//
// What the cluster answers is cut to what is its to say (bailiwick.h). Where its alias, or one of the profile's, leads to another name,
// that name is a question of its own, and all together is one answer: programs do not follow aliases themselves.
//
// The cluster's part of a question takes cluster_timeout at most, asking for a namespace included. A failure of the cluster (no
// link, no answer, SERVFAIL) is told as SERVFAIL, never hidden behind the machine's answer: a stranger could own that name outside.
// Only names that are not known to be the cluster's go to the machine then, so that a dead cluster costs the rest nothing; after
// two questions without an answer they no longer wait for it either.
//
// The cluster's answers are kept, also those that say no, and served while they last, also while the link is down. One that is older
// than what programs are told an answer may last is asked for anew when it is served, so that a service which was created again has
// its new address with the next question. A new link begins with an empty cache.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/random.h"
#include "core/base/time.h"
#include "core/engine/address_map.h"
#include "core/engine/name_service.h"
#include "dns/address_guard.h"
#include "dns/answer.h"
#include "dns/cache.h"
#include "dns/counters.h"
#include "dns/namespaces.h"
#include "dns/rewrite.h"
#include "dns/rules.h"

namespace causeway::dns {

struct ResolverConfig {
  Duration cluster_timeout = std::chrono::seconds(4);
  Duration namespace_timeout = std::chrono::seconds(1);  // part of the cluster's
  Duration machine_timeout = std::chrono::seconds(12);   // a backstop: c-ares has its own, shorter one
  std::uint16_t udp_size = 1232;                         // what servers may send us in one datagram
  std::size_t max_namespaces = 4096;                     // remembered
  engine::AddressMap* addresses = nullptr;               // of the cluster; null: nothing is virtual. Outlives the resolver
  std::vector<packet::Cidr> reachable;                   // prefixes that are reached through the cluster though not its own
  bool cache = true;
  CacheLimits cache_limits;
  // The longest TTL, in whole seconds, that programs are told of a cluster's answer: some keep it for themselves, where nobody can
  // flush it.
  Duration told_ttl = std::chrono::seconds(4);
};

// Names who asked, for the caller.
using AskerId = std::uint64_t;

struct Outcome {
  std::vector<AskerId> askers;        // all who asked the same
  std::vector<std::uint8_t> message;  // an answer; empty: `rcode` is all there is
  AnswerView view;                    // of `message`; its question is the askers', but for the case of letters
  Rcode rcode = Rcode::kServFail;
  std::optional<Explanation> why;     // its text is a literal
};

// One thread, no call calls back. `actions` and `counters` outlive the resolver, as does `random`.
class Resolver {
 public:
  Resolver(Rules rules, const ResolverConfig& config, Random& random, Counters& counters,
           std::vector<engine::DnsAction>& actions);

  // The outcome comes with take_outcomes(), exactly once for each asker.
  void ask(AskerId asker, const Query& query, Instant now);

  void cluster_answered(engine::DnsRequestId number, Bytes message, Instant now);
  void cluster_failed(engine::DnsRequestId number, engine::DnsFailure why, Instant now);
  void machine_answered(engine::DnsRequestId number, Bytes message, Instant now);
  void machine_failed(engine::DnsRequestId number, engine::DnsFailure why, Instant now);
  void link_changed(bool up, Instant now);
  // Whatever the cluster said before counts no more.
  void flush_cache();

  void set_others(const std::vector<OtherProfile>& others);
  // This machine's, which no cluster may give.
  void set_own_addresses(const std::vector<packet::Address>& own);

  // Swapped into `out`, which must be empty.
  void take_outcomes(std::vector<Outcome>& out);

  Instant deadline() const { return timers_.empty() ? kNever : timers_.begin()->first; }
  void advance(Instant now);

 private:
  using JobId = std::uint64_t;

  // A question and all who asked it.
  struct Job {
    Query query;
    Decision decision;           // of target()
    std::vector<Alias> aliases;  // from the name asked for to target()
    bool led_by_cluster = false;
    const Name& target() const { return aliases.empty() ? query.question.name : aliases.back().target; }
    std::string key;
    Instant started;
    std::vector<AskerId> askers;  // none: it is asked to renew what is kept
  };

  // A message under way.
  struct Request {
    enum class Kind : std::uint8_t { kCluster, kMachine, kNamespace };
    Kind kind;
    JobId job = 0;          // not for kNamespace
    std::string candidate;  // for kNamespace
    std::uint16_t id = 0;
    Question question;
    Instant expires;
  };
  using Requests = std::unordered_map<engine::DnsRequestId, Request>;

  // Who waits to hear whether something is a namespace.
  struct Probe {
    std::vector<JobId> waiting;
  };

  JobId add_job(const QuestionKey& key, const Query& query, std::vector<AskerId> askers, Instant now);
  Decision decide(const Question& question) const;
  void serve(AskerId asker, const Cache::Found& found, Instant now);
  void translate(Outcome& outcome, Instant now);
  void begin(JobId id, Instant now);
  void ask_whether_namespace(JobId id, Instant now);
  void send_probe(const std::string& candidate, Instant now);
  void to_cluster(JobId id);
  void to_machine(JobId id, Instant now);
  void send(Request request, const Query& like, Question question, engine::DnsAction::Kind where);

  void cluster_settled(const Request& request, Bytes message, Instant now);
  void no_namespace(JobId id, Instant now);

  // resolver_follow.cpp
  void answer_mapped(JobId id, Instant now);
  void follow(JobId id, std::vector<Alias> aliases, Instant now);
  // What of `message` counts, in `message` and `view`; false where the job has been settled, or goes elsewhere.
  bool keep_clusters_part(JobId id, std::vector<std::uint8_t>& message, AnswerView& view, Instant now);
  bool keep_unblocked(JobId id, std::vector<std::uint8_t>& message, AnswerView& view);
  // The answer about target() becomes one about what was asked.
  bool make_answer(const Job& job, std::vector<std::uint8_t>& message, AnswerView& view) const;
  void probe_settled(const Request& request, const AnswerView* view, Instant now);
  void give_up(const Request& request, Explanation why, Instant now);
  // The request that `message` answers, taken off the books; none where it answers nothing we asked there.
  std::optional<Request> match(engine::DnsRequestId number, bool of_cluster, Bytes message);
  std::optional<Request> remove(engine::DnsRequestId number, bool of_cluster);
  Request remove(Requests::iterator found);

  void finish(JobId id, Rcode rcode, std::optional<Explanation> why);
  void finish(JobId id, std::vector<std::uint8_t> message, AnswerView view);
  bool cacheable(const Query& query) const { return config_.cache && query.recursion_desired; }
  void count_cache();
  std::uint32_t told_seconds() const;
  Outcome& close(JobId id);

  Rules rules_;
  AddressGuard guard_;
  ResolverConfig config_;
  Random& random_;
  Counters& counters_;
  std::vector<engine::DnsAction>& actions_;

  bool link_up_ = false;
  unsigned unanswered_in_row_ = 0;  // by the cluster
  Namespaces namespaces_;
  Cache cache_;
  JobId last_job_ = 0;
  engine::DnsRequestId last_request_ = 0;
  std::unordered_map<JobId, Job> jobs_;
  std::unordered_map<std::string, JobId, KeyHash, std::equal_to<>> by_key_;
  Requests requests_;
  std::unordered_map<std::string, Probe> probes_;
  std::set<std::pair<Instant, engine::DnsRequestId>> timers_;
  std::vector<Outcome> outcomes_;
};

}  // namespace causeway::dns

// A resolver with the cluster and the machine played by the test: what it asks is taken, what they say is given.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "dns/resolver.h"
#include "tests/dns/wire.h"

namespace causeway::dns::test {

using namespace std::chrono_literals;
using engine::DnsAction;
using engine::DnsFailure;
using engine::DnsRequestId;

// A message that the resolver wants sent.
struct Sent {
  DnsRequestId request = 0;
  Query query;
  std::string asked;
};

class ResolverTest : public testing::Test {
 protected:
  ResolverTest() : ResolverTest(rules(), {}) {}
  explicit ResolverTest(const ResolverConfig& config) : ResolverTest(rules(), config) {}
  explicit ResolverTest(const RulesConfig& rules) : ResolverTest(rules, {}) {}
  ResolverTest(const RulesConfig& rules, const ResolverConfig& config)
      : resolver(*Rules::create(rules), config, random, counters, actions) {}

  static RulesConfig rules() {
    RulesConfig config;
    config.namespaces = {"shop"};
    config.short_namespace = "team";
    config.routes = {*packet::Cidr::parse("10.96.0.0/12")};
    return config;
  }

  void SetUp() override { resolver.link_changed(true, now); }

  AskerId ask(std::string_view text, std::uint16_t type = kTypeA) { return ask(query(text, type)); }
  AskerId ask(const Query& asked) {
    resolver.ask(++last_asker, asked, now);
    collect();
    return last_asker;
  }

  // Sorts the actions into what goes where.
  void collect() {
    for (DnsAction& action : actions) {
      if (action.kind == DnsAction::Kind::kForget) {
        forgotten.push_back(action.request);
        continue;
      }
      ParsedQuery parsed = parse_query(action.message);
      ASSERT_EQ(parsed.verdict, ParsedQuery::Verdict::kGood);
      Sent sent{action.request, parsed.query, parsed.query.question.name.text()};
      (action.kind == DnsAction::Kind::kAskCluster ? cluster : machine).push_back(std::move(sent));
    }
    actions.clear();
    std::vector<Outcome> fresh;
    resolver.take_outcomes(fresh);
    for (Outcome& outcome : fresh) outcomes.push_back(std::move(outcome));
  }

  Sent take(std::vector<Sent>& from) {
    if (from.empty()) {
      ADD_FAILURE() << "nothing was asked";
      return {};
    }
    Sent first = from.front();
    from.erase(from.begin());
    return first;
  }

  static Parts reply(const Sent& to, int rcode = 0, std::vector<Rr> answers = {}) {
    Parts parts;
    parts.id = to.query.id;
    parts.flags = std::uint16_t(kAnswer | rcode);
    parts.questions = {to.query.question};
    parts.answers = std::move(answers);
    return parts;
  }
  void cluster_says(const Sent& to, int rcode, std::vector<Rr> answers = {}) {
    resolver.cluster_answered(to.request, encode(reply(to, rcode, std::move(answers))), now);
    collect();
  }
  void machine_says(const Sent& to, int rcode, std::vector<Rr> answers = {}) {
    resolver.machine_answered(to.request, encode(reply(to, rcode, std::move(answers))), now);
    collect();
  }
  void pass(Duration time) {
    now += time;
    resolver.advance(now);
    collect();
  }

  Outcome outcome() {
    if (outcomes.empty()) {
      ADD_FAILURE() << "no outcome";
      return {};
    }
    Outcome first = std::move(outcomes.front());
    outcomes.erase(outcomes.begin());
    return first;
  }
  void expect_quiet() {
    EXPECT_TRUE(cluster.empty());
    EXPECT_TRUE(machine.empty());
    EXPECT_TRUE(outcomes.empty());
    EXPECT_EQ(resolver.deadline(), kNever) << "nothing is under way";
  }

  SeededRandom random{1};
  Counters counters;
  std::vector<DnsAction> actions;
  Resolver resolver;
  Instant now{1h};
  AskerId last_asker = 0;
  std::vector<Sent> cluster, machine;
  std::vector<DnsRequestId> forgotten;
  std::vector<Outcome> outcomes;
};

}  // namespace causeway::dns::test

#include "tests/dns/resolving.h"

namespace causeway::dns {
namespace {

using namespace test;

TEST_F(ResolverTest, EqualQuestionsAreAskedOnceAndEachAskerIsAnsweredOnce) {
  AskerId first = ask("orders.shop");
  AskerId second = ask("ORDERS.shop");
  AskerId third = ask("orders.shop", kTypeAaaa);
  Query with_edns = query("orders.shop");
  with_edns.edns = Edns{1232, false};
  AskerId fourth = ask(with_edns);
  EXPECT_EQ(cluster.size(), 3u) << "another type and EDNS make another question";
  EXPECT_EQ(counters.coalesced, 1u);
  cluster_says(take(cluster), 0, {a("orders.shop.svc.cluster.local")});
  EXPECT_EQ(outcome().askers, (std::vector<AskerId>{first, second}));
  cluster_says(take(cluster), 0);
  EXPECT_EQ(outcome().askers, std::vector<AskerId>{third});
  cluster_says(take(cluster), 0);
  EXPECT_EQ(outcome().askers, std::vector<AskerId>{fourth});
}

TEST_F(ResolverTest, MismatchedAnswersAreIgnoredAndTheRightOneStillCounts) {
  ask("orders.shop");
  Sent sent = take(cluster);
  Parts wrong_id = reply(sent, 0, {a("orders.shop.svc.cluster.local", 66)});
  wrong_id.id ^= 1;
  Parts wrong_name = reply(sent);
  wrong_name.questions = {question("orders.shop")};
  Parts wrong_type = reply(sent);
  wrong_type.questions[0].type = kTypeAaaa;
  Parts no_question = reply(sent, 3);
  no_question.questions.clear();
  for (const Message& message : {encode(wrong_id), encode(wrong_name), encode(wrong_type), encode(no_question),
                                 Message{}, encode_query(sent.query, 512), Message(11, 0)}) {
    resolver.cluster_answered(sent.request, message, now);
  }
  resolver.machine_answered(sent.request, encode(reply(sent)), now);  // from the wrong place
  resolver.machine_failed(sent.request, DnsFailure::kRefused, now);
  resolver.cluster_answered(sent.request + 1, encode(reply(sent)), now);
  collect();
  EXPECT_TRUE(outcomes.empty());
  EXPECT_EQ(counters.mismatched, 8u);
  cluster_says(sent, 0, {a("orders.shop.svc.cluster.local")});
  EXPECT_EQ(outcome().rcode, Rcode::kNoError);
  cluster_says(sent, 0, {a("orders.shop.svc.cluster.local")});  // twice
  expect_quiet();
}

TEST_F(ResolverTest, IdsAreNotTheAskersAndNotCounted) {
  std::vector<std::uint16_t> ids;
  for (int i = 0; i < 32; ++i) {
    ask("s" + std::to_string(i) + ".shop");
    ids.push_back(take(cluster).query.id);
  }
  int steps_of_one = 0;
  for (std::size_t i = 1; i < ids.size(); ++i) steps_of_one += std::uint16_t(ids[i] - ids[i - 1]) == 1;
  EXPECT_LT(steps_of_one, 3);
}

}  // namespace
}  // namespace causeway::dns

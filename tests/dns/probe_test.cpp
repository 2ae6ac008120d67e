#include "dns/probe.h"

#include <gtest/gtest.h>

#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace test;

ProofQuestion asked(std::string_view domain = "cluster.local") {
  SeededRandom random(1);
  return *prove_cluster_dns(domain, random);
}

Parts reply_to(const ProofQuestion& proof, std::uint16_t flags) {
  Parts parts;
  parts.id = proof.id;
  parts.flags = std::uint16_t(kAnswer | flags);
  parts.questions = {proof.question};
  return parts;
}

TEST(Probe, AsksForTheServiceThatEveryClusterHas) {
  ProofQuestion proof = asked("k8s.example");
  ParsedQuery parsed = parse_query(proof.message);
  ASSERT_EQ(parsed.verdict, ParsedQuery::Verdict::kGood);
  EXPECT_EQ(parsed.query.id, proof.id);
  EXPECT_EQ(parsed.query.question.name.text(), "kubernetes.default.svc.k8s.example");
}

TEST(Probe, ADomainThatIsNoneIsRefused) {
  SeededRandom random(1);
  EXPECT_FALSE(prove_cluster_dns("a..b", random));
  EXPECT_FALSE(prove_cluster_dns(std::string(240, 'x'), random));
}

TEST(Probe, AnyAnswerProvesTheWayAndAuthorityProvesTheDomain) {
  ProofQuestion proof = asked();
  Result<Proof> good = check_proof(proof, encode(reply_to(proof, 0)));
  ASSERT_TRUE(good);
  EXPECT_TRUE(good->serves_domain);
  EXPECT_EQ(good->rcode_text, "NOERROR");
  EXPECT_TRUE(check_proof(proof, encode(reply_to(proof, 3 | kFlagAuthoritative)))->serves_domain);
  EXPECT_FALSE(check_proof(proof, encode(reply_to(proof, 3)))->serves_domain);
  Result<Proof> refused = check_proof(proof, encode(reply_to(proof, 5)));
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->serves_domain);
  EXPECT_EQ(refused->rcode_text, "REFUSED");
}

TEST(Probe, SomethingElseProvesNothing) {
  ProofQuestion proof = asked();
  EXPECT_FALSE(check_proof(proof, {}));
  EXPECT_FALSE(check_proof(proof, proof.message)) << "an echo of the question";
  Parts other = reply_to(proof, 0);
  other.id ^= 1;
  EXPECT_FALSE(check_proof(proof, encode(other)));
  other = reply_to(proof, 0);
  other.questions = {question("x.y")};
  EXPECT_FALSE(check_proof(proof, encode(other)));
}

}  // namespace
}  // namespace causeway::dns

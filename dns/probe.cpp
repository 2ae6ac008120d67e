#include "dns/probe.h"

#include "dns/answer.h"

namespace causeway::dns {

Result<ProofQuestion> prove_cluster_dns(std::string_view cluster_domain, Random& random) {
  std::optional<Name> domain = Name::parse(cluster_domain);
  std::optional<Name> name;
  if (domain) name = Name::parse("kubernetes.default.svc")->followed_by(*domain);
  if (!name) return fail(ErrorCode::kInvalid, "the cluster domain '" + std::string(cluster_domain) + "' is not a domain name");
  ProofQuestion out;
  out.id = std::uint16_t(random.number());
  out.question = {std::move(*name), kTypeA, kClassIn};
  Query query;
  query.id = out.id;
  query.question = out.question;
  out.message = encode_query(query, kPlainUdpSize);
  return out;
}

Result<Proof> check_proof(const ProofQuestion& asked, Bytes reply) {
  std::optional<AnswerHead> head = parse_answer_head(reply);
  if (!head) return fail(ErrorCode::kProtocol, "what the cluster's DNS sent is not a DNS answer");
  if (!answers(*head, asked.id, asked.question)) {
    return fail(ErrorCode::kProtocol, "the cluster's DNS answered another question than " + asked.question.name.text());
  }
  Proof proof;
  proof.rcode = head->rcode;
  proof.rcode_text = rcode_text(head->rcode);
  bool has_authority = head->flags & kFlagAuthoritative;
  proof.serves_domain = head->rcode == Rcode::kNoError || (head->rcode == Rcode::kNxDomain && has_authority);
  return proof;
}

}  // namespace causeway::dns

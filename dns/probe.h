// The question that proves the way to the cluster's DNS, for `tunctl up`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/base/result.h"
#include "dns/message.h"

namespace causeway::dns {

struct ProofQuestion {
  std::uint16_t id = 0;
  Question question;
  std::vector<std::uint8_t> message;  // to be sent to the cluster's DNS
};

// Asks for kubernetes.default.svc.DOMAIN, which every Kubernetes cluster has. Fails where `cluster_domain` is no domain name.
Result<ProofQuestion> prove_cluster_dns(std::string_view cluster_domain, Random& random);

struct Proof {
  Rcode rcode = Rcode::kNoError;
  std::string rcode_text;      // "NOERROR"
  // NOERROR, or NXDOMAIN with authority. Otherwise the domain is probably wrong: the server answers, but not for that domain.
  bool serves_domain = false;
};

// Any answer to the question is proof of the way; an Error says why `reply` is none.
Result<Proof> check_proof(const ProofQuestion& asked, Bytes reply);

}  // namespace causeway::dns

// Which destinations a gateway may dial. Asked for every address, also those that a name resolved to.
#pragma once

#include <vector>

#include "core/packet/address.h"

namespace causeway::flow {

class Policy {
 public:
  // `allow` empty: everything but loopback, unspecified, link-local (which holds the metadata addresses 169.254.169.254
  // and fe80::), multicast, broadcast and fd00:ec2::254. Otherwise what one of `allow` contains. `deny` wins over both.
  Policy() = default;
  Policy(std::vector<packet::Cidr> allow, std::vector<packet::Cidr> deny);

  // The gateway's own listening endpoints and addresses: never dialled on the port it listens on.
  void set_own(std::vector<packet::Endpoint> own);

  // IPv4-mapped IPv6 addresses are judged as the IPv4 address.
  bool allows(const packet::Endpoint& destination) const;

 private:
  std::vector<packet::Cidr> allow_;
  std::vector<packet::Cidr> deny_;
  std::vector<packet::Endpoint> own_;
};

}  // namespace causeway::flow

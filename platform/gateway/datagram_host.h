// What relays of datagrams need of the driver besides what every relay does.
#pragma once

#include "core/engine/gateway.h"
#include "platform/relay/relay.h"

namespace causeway::platform {

class DatagramHost : public RelayHost {
 public:
  virtual engine::Gateway& engine() = 0;
  virtual DeadlineList& dns_deadlines() = 0;
  virtual const std::vector<packet::Endpoint>& dns_servers() = 0;  // never empty
  virtual Random& random() = 0;
  // kScratch bytes for a datagram, used by one call at a time.
  static constexpr std::size_t kScratch = 64 * 1024;
  virtual MutableBytes scratch() = 0;

 protected:
  ~DatagramHost() = default;
};

}  // namespace causeway::platform

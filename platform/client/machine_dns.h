// Passes whole DNS messages on to the machine's own servers and hands back their answers as they come: for the names that are not
// the cluster's.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/engine/name_service.h"
#include "platform/client/dns_channel.h"

namespace causeway::platform {

class MachineDns {
 public:
  struct Callbacks {
    std::function<void(engine::DnsRequestId request, Bytes message)> answered;
    std::function<void(engine::DnsRequestId request, engine::DnsFailure why)> failed;
  };
  // Questions under way at once; more are told that nobody can be reached.
  static constexpr std::size_t kMost = 8192;

  MachineDns(Loop& loop, Callbacks callbacks);
  // Nothing is called back any more.
  ~MachineDns();

  // From now on. Questions under way at other servers are told so. Nothing happens where they are the same. Not inside a callback.
  void set_servers(const std::vector<packet::Address>& servers, std::uint16_t port = 53);
  const std::vector<packet::Address>& servers() const { return servers_; }

  // A callback may come before it returns.
  void ask(engine::DnsRequestId request, Bytes message);
  // Its callback does not come.
  void forget(engine::DnsRequestId request);

 private:
  struct Question;
  void answered(Question& question, int status, Bytes message);

  Loop& loop_;
  Callbacks callbacks_;
  std::vector<packet::Address> servers_;
  std::unique_ptr<DnsChannel> channel_;
  std::size_t under_way_ = 0;
  std::unordered_map<engine::DnsRequestId, Question*> wanted_;  // c-ares holds the questions until it calls back
};

}  // namespace causeway::platform

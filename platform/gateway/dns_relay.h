// A flow of questions to the gateway's own DNS servers.
#pragma once

#include <list>

#include "platform/gateway/dns_question.h"
#include "platform/gateway/datagram_host.h"

namespace causeway::platform {

class DnsRelay final : public Relay {
 public:
  DnsRelay(DatagramHost& host, engine::RelayId id) : host_(host), id_(id) {}

  void start() override;
  void writable() override;

 private:
  void answered(std::list<DnsQuestion>::iterator question, Bytes answer, link::Reason why);

  static constexpr std::size_t kAtOnce = 8;  // questions under way; what comes beyond is dropped

  DatagramHost& host_;
  engine::RelayId id_;
  std::list<DnsQuestion> questions_;
};

}  // namespace causeway::platform

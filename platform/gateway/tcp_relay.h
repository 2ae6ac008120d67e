// A stream joined to a TCP connection to a service.
#pragma once

#include <memory>
#include <vector>

#include "platform/gateway/relay.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class TcpRelay final : public Relay {
 public:
  // `candidates`, not empty, are tried in this order.
  TcpRelay(RelayHost& host, engine::RelayId id, std::vector<packet::Endpoint> candidates);

  void start() override;
  void writable() override;
  void resume_reading() override;
  void finish() override;
  void close(bool reset) override;

 private:
  // False where the relay is gone.
  bool read();
  bool write();

  void dial_next();
  int connect_to(const packet::Endpoint& to);
  void connected();
  void ready(int events);
  void watch();
  void fail(int error);

  RelayHost& host_;
  engine::RelayId id_;
  std::vector<packet::Endpoint> candidates_;
  std::size_t next_ = 0;
  link::Reason reason_ = link::Reason::kHostUnreachable;  // of the last candidate that failed
  DeadlineList::Deadline deadline_;
  Descriptor socket_;
  std::unique_ptr<Poll> poll_;
  bool dialling_ = true;
  bool reading_ = true;  // not paused by the engine, and no end was seen
  bool service_ended_ = false;
  bool own_ended_ = false;
  bool both_ended_ = false;  // and the kernel has told
  bool blocked_ = false;     // something waits for the socket to take it
};

}  // namespace causeway::platform

// A TCP connection, dialled or accepted, joined to what the engine has on its other side.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "platform/relay/relay.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class TcpRelay final : public Relay {
 public:
  // Told the local end of each socket before anybody can have accepted it.
  using Dialling = std::function<void(const packet::Endpoint& local)>;
  // `candidates`, not empty, are tried in this order.
  TcpRelay(RelayHost& host, engine::RelayId id, std::vector<packet::Endpoint> candidates, Dialling dialling = {});
  // Was accepted.
  TcpRelay(RelayHost& host, engine::RelayId id, Descriptor socket);

  void start() override;
  void writable() override;
  void resume_reading() override;
  void finish() override;
  void close(bool reset) override;

 private:
  // False where the relay is gone.
  bool read();
  bool write();

  void set_options();
  void dial_next();
  int connect_to(const packet::Endpoint& to);
  void connected();
  void ready(int events);
  void watch();
  void fail(int error);

  RelayHost& host_;
  engine::RelayId id_;
  std::vector<packet::Endpoint> candidates_;
  Dialling told_;
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

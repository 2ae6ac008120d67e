// One caller of the control socket. Inside platform/control only.
#pragma once

#include <deque>

#include "platform/control/peer.h"
#include "platform/control/server.h"
#include "platform/loop/clock.h"

namespace causeway::platform {

class ControlServer::Connection {
 public:
  Connection(ControlServer& server, CallerId id, Descriptor socket, Peer peer);

  uid_t user() const { return peer_.user; }
  bool answering() const { return answering_; }
  void send(const control::Answer& answer);

 private:
  static constexpr std::size_t kMaxUnsent = 48 * control::kMaxLine;  // all services of a gateway, with their intercepts

  void ready(int events);
  bool read();
  bool take_lines();
  void take(std::string_view line);
  bool write();
  void rest();

  ControlServer& server_;
  CallerId id_;
  Descriptor socket_;
  Peer peer_;
  std::string received_;  // less than a line, or lines that wait for the present answer
  std::string unsent_;
  bool answering_ = false;  // a request waits for its answer
  bool no_more_ = false;    // the caller has shut down its sending half
  bool closing_ = false;    // ends once all is sent
  bool broken_ = false;     // to be removed
  Instant since_;           // the last time that the caller did something
  Poll poll_;
  Timer timer_;
};

}  // namespace causeway::platform

// tund's end of the control socket: who calls, what they may, one request at a time for each.
//
// Everything a caller does is bounded: how many there are, how long a line is, how long they may be idle, how much of an answer
// waits for them and for how long. All on the loop's thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/control/rights.h"
#include "platform/loop/loop.h"
#include "platform/net/socket.h"

namespace causeway::platform {

using CallerId = std::uint64_t;  // never used again

class ControlServer {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // A request that the caller is allowed to make. It is answered with send(), now or later; until the answer that closes it the
    // caller's next request waits.
    virtual void asked(CallerId caller, const control::Asker& asker, const control::Request& request) = 0;
    // The caller went away with its request unanswered. Not called for the server's own end.
    virtual void left(CallerId caller) = 0;
  };

  struct Options {
    std::optional<gid_t> group;            // its members may change things; without one, root alone
    std::size_t max_callers = 128;         // tied intercepts keep theirs
    std::size_t max_callers_of_user = 32;  // root excepted
    Duration idle = std::chrono::seconds(30);
    Duration stalled = std::chrono::seconds(10);
  };

  // `listening`: a unix stream socket that listens, non-blocking.
  ControlServer(Loop& loop, Descriptor listening, const Options& options, Handler& handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // Nothing happens where the caller is gone.
  void send(CallerId caller, const control::Answer& answer);

 private:
  class Connection;
  void accept();
  void admit(Descriptor socket);
  void remove(CallerId caller);

  Loop& loop_;
  Options options_;
  Handler& handler_;
  Descriptor listening_;
  CallerId last_id_ = 0;
  std::unordered_map<CallerId, std::unique_ptr<Connection>> connections_;
  std::unique_ptr<Poll> poll_;
  std::unique_ptr<Timer> accept_again_;  // descriptors ran out
};

}  // namespace causeway::platform

// The userspace TCP/IP stack: lwIP, driven so that neither a lookup nor a timer costs more with more connections.
//
// Who uses it has done the demultiplexing (engine::Stack), so lwIP is shown one connection at a time: its lists hold only the
// connection that a segment, a call or a timer is for, and nothing in between. A connection with nothing outstanding is on no
// list and has no timer. IP is not lwIP's business here: addresses come from the parsed packet, headers are written by
// tun/ip_output.cpp.
//
// lwIP's state is global: one Stack at a time in a process. It serves several devices: attach() once for each.
//
// One thread, and none of the objects that attach() gave may outlive the Stack.
#pragma once

#include <memory>

#include "core/base/random.h"
#include "core/engine/stack.h"

namespace causeway::tun {

struct StackOptions {
  std::size_t max_connections = 65536;  // over all attachments
  // What an app may send beyond what was consumed, per connection. 64 KiB to 4 MiB; other values are taken to the nearest.
  std::uint32_t receive_window = 2 * 1024 * 1024;
  // Less where more connections than this holds windows send or have something waiting: they share it, down to 64 KiB each.
  // Windows begin there too, and double as they are used.
  std::size_t receive_budget = 32 * 1024 * 1024;
  // What write() takes beyond what the app has acknowledged, per connection. At most 4 MiB.
  std::uint32_t send_buffer = 2 * 1024 * 1024;
  // How long an acknowledgement of a little data waits for a reply to carry it.
  Duration ack_delay = std::chrono::milliseconds(1);
};

struct StackCounters {
  std::uint64_t accepted = 0;
  std::uint64_t over_limit = 0;       // accept() refused: max_connections
  std::uint64_t segments_in = 0;
  std::uint64_t segments_dropped = 0;  // for a connection that is gone, or that no state allows
  std::uint64_t packets_out = 0;
  std::uint64_t timed_out = 0;  // the app stopped answering
};

class Machine;

class Stack {
 public:
  // `pool` and `random` outlive the Stack; `random` is used here only.
  Stack(BufferPool& pool, Random& random, const StackOptions& options = {});
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // What one device's engine drives. Destroying it forgets its connections without a word to the apps; abort() them before if
  // they should hear.
  std::unique_ptr<engine::Stack> attach();

  std::size_t connections() const;
  const StackCounters& counters() const;

 private:
  std::unique_ptr<Machine> machine_;
};

}  // namespace causeway::tun

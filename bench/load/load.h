// What cw-load can do. Each call runs to its end, prints one line of JSON and gives the exit code; what fails throws std::system_error.
#pragma once

#include <cstdint>
#include <string>

namespace causeway::load {

struct Target {
  std::string address;  // IPv4 or IPv6, no name
  std::uint16_t port = 0;
  double warm_up = 2;  // seconds that are not counted
  double seconds = 5;  // seconds that are
};

// Echoes TCP and UDP on `port`; on the next port answers one byte per connection and closes. Ends with SIGTERM only.
int serve(std::uint16_t port);

// One byte there and back on one connection, one at a time: {"requests", "p50_us", "p99_us", "max_us"}.
int request_response(const Target& target);

// Connect, one byte, its answer, the other side's close, close; `parallel` of them at any time. {"per_second", "failed", "by_second"}.
int connect_rate(const Target& target, unsigned parallel);

// Datagrams of `size` bytes of which `window` are on their way at any time: {"per_second", "loss"}.
int udp_echo(const Target& target, unsigned window, unsigned size);

// Opens `flows` connections, proves each by an echo, prints {"open", "seconds"}, and keeps them until its input ends.
int hold(const Target& target, unsigned flows);

}  // namespace causeway::load

// What cw-load can do. Each call runs to its end, prints one line of JSON and gives the exit code; what fails throws std::system_error.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace causeway::load {

struct Target {
  std::string address;  // IPv4 or IPv6, no name
  std::uint16_t port = 0;
  double warm_up = 2;  // seconds that are not counted
  double seconds = 5;  // seconds that are
};

// On `port` echoes TCP and UDP; on the next answers one byte per connection and closes; on the third takes connections and never
// reads; on the fourth writes for ever and never reads. Ends with SIGTERM only.
int serve(std::uint16_t port);

// One byte there and back, one at a time on each of `connections`: {"requests", "p50_us", "p99_us", "max_us"} of them all.
int request_response(const Target& target, unsigned connections);

// Connect, one byte, its answer, the other side's close, close; `parallel` of them at any time, from the addresses `from` in
// turn (empty: as the kernel chooses). {"per_second", "failed", "by_second"}.
int connect_rate(const Target& target, unsigned parallel, const std::vector<std::string>& from);

// Datagrams of `size` bytes of which `window` are on their way at any time: {"per_second", "loss"}.
int udp_echo(const Target& target, unsigned window, unsigned size);

// Opens `flows` connections, proves each by an echo, prints {"open", "seconds"}, and keeps them until its input ends.
int hold(const Target& target, unsigned flows);

// Opens `flows` connections that it never reads from and, with `pour`, always writes to. When nothing has moved on them for a while
// prints {"open", "bytes"}, how much they had taken until then, and keeps them as they are until its input ends.
int stall(const Target& target, unsigned flows, bool pour);

}  // namespace causeway::load

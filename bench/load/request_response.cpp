#include <algorithm>
#include <cstdio>
#include <vector>

#include "bench/load/load.h"
#include "bench/load/sockets.h"

namespace causeway::load {

int request_response(const Target& target) {
  Descriptor socket = connected(address_of(target.address, target.port), SOCK_STREAM);
  read_timeout(socket.get(), std::chrono::seconds(10));
  std::vector<double> microseconds;
  microseconds.reserve(1 << 20);
  const auto start = Clock::now();
  const auto counted = start + seconds(target.warm_up);
  const auto end = counted + seconds(target.seconds);
  for (auto before = start; before < end;) {
    char byte = 'x';
    if (send(socket.get(), &byte, 1, MSG_NOSIGNAL) != 1) fail("send");
    ssize_t got = recv(socket.get(), &byte, 1, 0);
    if (got != 1) {
      if (got == 0) errno = ECONNRESET;
      fail("no answer");
    }
    const auto after = Clock::now();
    if (before >= counted) microseconds.push_back(std::chrono::duration<double, std::micro>(after - before).count());
    before = after;
  }
  if (microseconds.empty()) {
    errno = ETIMEDOUT;
    fail("no answer in time");
  }
  std::sort(microseconds.begin(), microseconds.end());
  auto quantile = [&](double part) {
    return microseconds[static_cast<std::size_t>(part * static_cast<double>(microseconds.size() - 1))];
  };
  std::printf("{\"requests\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n", microseconds.size(),
              quantile(0.5), quantile(0.99), microseconds.back());
  return 0;
}

}  // namespace causeway::load

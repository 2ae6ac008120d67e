#include <poll.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "bench/load/load.h"
#include "bench/load/sockets.h"

namespace causeway::load {
namespace {

constexpr int kLostAfterMs = 200;

struct Counts {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
};

}  // namespace

// When nothing has come for a while, what is still out is taken for lost and the window is filled again.
int udp_echo(const Target& target, unsigned window, unsigned size) {
  Descriptor socket = connected(address_of(target.address, target.port), SOCK_DGRAM);
  std::vector<char> datagram(size, 'x');
  std::vector<char> answer(65536);
  const auto start = Clock::now();
  const auto counted = start + seconds(target.warm_up);
  const auto end = counted + seconds(target.seconds);
  std::uint64_t number = 0;
  std::uint64_t first_counted = 0;
  unsigned out = 0;
  Counts counts;
  for (auto now = start; now < end; now = Clock::now()) {
    const bool counting = now >= counted;
    if (!counting) first_counted = number;
    for (; out < window; ++out) {
      std::memcpy(datagram.data(), &number, sizeof number);
      if (send(socket.get(), datagram.data(), datagram.size(), 0) < 0) {
        if (errno == ECONNREFUSED || errno == ENOBUFS || errno == EAGAIN) break;
        fail("send");
      }
      ++number;
      counts.sent += counting ? 1 : 0;
    }
    pollfd wait{.fd = socket.get(), .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, kLostAfterMs) <= 0) {
      out = 0;
      continue;
    }
    while (true) {
      ssize_t got = recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
      if (got < 0) break;
      if (static_cast<std::size_t>(got) != datagram.size()) continue;
      std::uint64_t of = 0;
      std::memcpy(&of, answer.data(), sizeof of);
      if (of >= number) continue;
      out -= out > 0 ? 1 : 0;
      counts.answered += counting && of >= first_counted ? 1 : 0;
    }
  }
  // What was on its way at the end is neither answered nor lost.
  const std::uint64_t settled = counts.sent > out ? counts.sent - out : 0;
  const double loss =
      settled > counts.answered ? static_cast<double>(settled - counts.answered) / static_cast<double>(settled) : 0;
  std::printf("{\"per_second\": %.1f, \"loss\": %.6f}\n", static_cast<double>(counts.answered) / target.seconds, loss);
  return 0;
}

}  // namespace causeway::load

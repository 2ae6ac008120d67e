#include <algorithm>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

#include "bench/load/load.h"
#include "bench/load/sockets.h"

namespace causeway::load {
namespace {

using Microseconds = std::vector<double>;

void ask_and_wait(const Target& target, Clock::time_point start, Microseconds& took) {
  Descriptor socket = connected(address_of(target.address, target.port), SOCK_STREAM);
  read_timeout(socket.get(), std::chrono::seconds(10));
  const auto counted = start + seconds(target.warm_up);
  const auto end = counted + seconds(target.seconds);
  for (auto before = Clock::now(); before < end;) {
    char byte = 'x';
    if (send(socket.get(), &byte, 1, MSG_NOSIGNAL) != 1) fail("send");
    ssize_t got = recv(socket.get(), &byte, 1, 0);
    if (got != 1) {
      if (got == 0) errno = ECONNRESET;
      fail("no answer");
    }
    const auto after = Clock::now();
    if (before >= counted) took.push_back(std::chrono::duration<double, std::micro>(after - before).count());
    before = after;
  }
}

}  // namespace

int request_response(const Target& target, unsigned connections) {
  const auto start = Clock::now();
  std::vector<Microseconds> each(connections);
  std::vector<std::exception_ptr> errors(connections);
  auto one = [&](unsigned i) {
    try {
      ask_and_wait(target, start, each[i]);
    } catch (...) {
      errors[i] = std::current_exception();
    }
  };
  for (Microseconds& took : each) took.reserve((1 << 20) / connections);
  std::vector<std::thread> others;
  for (unsigned i = 1; i < connections; ++i) others.emplace_back(one, i);
  one(0);
  for (std::thread& other : others) other.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  Microseconds all;
  for (const Microseconds& took : each) all.insert(all.end(), took.begin(), took.end());
  if (all.empty()) {
    errno = ETIMEDOUT;
    fail("no answer in time");
  }
  std::sort(all.begin(), all.end());
  auto quantile = [&](double part) {
    return all[static_cast<std::size_t>(part * static_cast<double>(all.size() - 1))];
  };
  std::printf("{\"requests\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n", all.size(), quantile(0.5),
              quantile(0.99), all.back());
  return 0;
}

}  // namespace causeway::load

#include <poll.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <numeric>
#include <vector>

#include "bench/load/load.h"
#include "bench/load/sockets.h"

namespace causeway::load {
namespace {

constexpr auto kStill = std::chrono::milliseconds(500);  // without a byte moved, and it stands
constexpr auto kPatience = std::chrono::seconds(20);

class Stalled {
 public:
  Stalled(const Address& address, bool pour) : socket_(connected(address, SOCK_STREAM)), pour_(pour) {
    // What it holds goes with it: nobody will read it.
    linger now{1, 0};
    if (setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now) != 0) fail("SO_LINGER");
  }

  pollfd awaited() const { return {socket_.get(), static_cast<short>(pour_ ? POLLOUT : 0), 0}; }

  // How many bytes it has taken so far, from the app or from the other side.
  std::uint64_t bytes() {
    if (pour_) return written_;
    int waiting = 0;
    if (ioctl(socket_.get(), FIONREAD, &waiting) != 0) fail("FIONREAD");
    return static_cast<std::uint64_t>(waiting);
  }

  void ready(short events) {
    if ((events & (POLLERR | POLLHUP)) != 0) {
      errno = ECONNRESET;
      fail("a stalled connection");
    }
    if ((events & POLLOUT) == 0) return;
    static constexpr std::array<char, 65536> kBytes{};
    ssize_t sent = send(socket_.get(), kBytes.data(), kBytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) fail("send");
    if (sent > 0) written_ += static_cast<std::uint64_t>(sent);
  }

 private:
  Descriptor socket_;
  bool pour_;
  std::uint64_t written_ = 0;
};

class StalledFlows {
 public:
  StalledFlows(const Address& address, unsigned flows, bool pour) {
    flows_.reserve(flows);
    for (unsigned i = 0; i < flows; ++i) flows_.emplace_back(address, pour);
  }

  std::uint64_t bytes() {
    return std::accumulate(flows_.begin(), flows_.end(), std::uint64_t{0},
                           [](std::uint64_t sum, Stalled& flow) { return sum + flow.bytes(); });
  }

  // Until something can be done or `limit` is over. False: the program's input has something or has ended.
  bool wait(int limit_ms) {
    polled_.assign(1, {STDIN_FILENO, POLLIN, 0});
    for (const Stalled& flow : flows_) polled_.push_back(flow.awaited());
    if (poll(polled_.data(), polled_.size(), limit_ms) < 0 && errno != EINTR) fail("poll");
    for (std::size_t i = 0; i < flows_.size(); ++i) flows_[i].ready(polled_[i + 1].revents);
    return polled_[0].revents == 0;
  }

 private:
  std::vector<Stalled> flows_;
  std::vector<pollfd> polled_;
};

}  // namespace

int stall(const Target& target, unsigned count, bool pour) {
  StalledFlows flows(address_of(target.address, target.port), count, pour);
  const auto end = Clock::now() + kPatience;
  std::uint64_t before = 0;
  for (auto moved = Clock::now(); Clock::now() - moved < kStill || before == 0;) {
    if (Clock::now() > end) {
      errno = ETIMEDOUT;
      fail("it does not come to a standstill");
    }
    if (!flows.wait(50)) return 0;
    if (flows.bytes() == before) continue;
    before = flows.bytes();
    moved = Clock::now();
  }
  std::printf("{\"open\": %u, \"bytes\": %llu}\n", count, static_cast<unsigned long long>(before));
  std::fflush(stdout);
  while (flows.wait(-1)) {
  }
  return 0;
}

}  // namespace causeway::load

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/load/load.h"
#include "bench/load/sockets.h"

namespace causeway::load {
namespace {

// One of the connections that are open at a time; when it has ended the next one takes its place.
class Slot {
 public:
  enum class Step { kGoesOn, kDone, kFailed };

  // `from`: nullptr where the kernel is to choose.
  void start(const Address& address, const Address* from, int epoll, Clock::time_point now) {
    socket_ = make_socket(address.family(), SOCK_STREAM, SOCK_NONBLOCK);
    no_delay(socket_.get());
    if (from) bind_address(socket_.get(), *from);
    started = now;
    answered_ = false;
    refused_ = connect(socket_.get(), address.get(), address.size) != 0 && errno != EINPROGRESS;
    epoll_event event{.events = EPOLLOUT, .data = {.ptr = this}};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket_.get(), &event) != 0) fail("epoll_ctl");
  }

  Step ready(int epoll, std::uint32_t events) {
    if (refused_) return end(Step::kFailed);
    if ((events & EPOLLOUT) != 0) {
      if (send(socket_.get(), "x", 1, MSG_NOSIGNAL) != 1) return end(Step::kFailed);
      epoll_event event{.events = EPOLLIN, .data = {.ptr = this}};
      if (epoll_ctl(epoll, EPOLL_CTL_MOD, socket_.get(), &event) != 0) fail("epoll_ctl");
      return Step::kGoesOn;
    }
    std::array<char, 16> buffer;
    while (true) {
      ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (got == 0) return end(answered_ ? Step::kDone : Step::kFailed);
      if (got < 0) return errno == EAGAIN ? Step::kGoesOn : end(Step::kFailed);
      answered_ = true;
    }
  }

  void give_up() { socket_.reset(); }

  Clock::time_point started;

 private:
  Step end(Step outcome) {
    socket_.reset();
    return outcome;
  }

  Descriptor socket_;
  bool answered_ = false;
  bool refused_ = false;
};

// Each may have all ports, so that they do not run out where connections linger for a minute.
class Sources {
 public:
  explicit Sources(const std::vector<std::string>& addresses) {
    for (const std::string& text : addresses) addresses_.push_back(address_of(text, 0));
  }

  const Address* next() { return addresses_.empty() ? nullptr : &addresses_[count_++ % addresses_.size()]; }

 private:
  std::vector<Address> addresses_;
  std::size_t count_ = 0;
};

struct Counts {
  std::vector<std::uint64_t> by_second;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
};

void print(const Counts& counts, double seconds) {
  std::string list;
  for (std::uint64_t count : counts.by_second) list += (list.empty() ? "" : ", ") + std::to_string(count);
  std::printf("{\"per_second\": %.1f, \"failed\": %llu, \"by_second\": [%s]}\n",
              static_cast<double>(counts.done) / seconds, static_cast<unsigned long long>(counts.failed), list.c_str());
}

}  // namespace

int connect_rate(const Target& target, unsigned parallel, const std::vector<std::string>& from) {
  const Address address = address_of(target.address, target.port);
  Sources sources(from);
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  std::vector<Slot> slots(parallel);
  const auto start = Clock::now();
  const auto counted = start + seconds(target.warm_up);
  const auto end = counted + seconds(target.seconds);
  for (Slot& slot : slots) slot.start(address, sources.next(), epoll.get(), start);

  Counts counts;
  counts.by_second.resize(static_cast<std::size_t>(target.seconds + 0.999));
  std::array<epoll_event, 256> events;
  auto checked = start;
  for (auto now = start; now < end; now = Clock::now()) {
    int ready = epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), 100);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    now = Clock::now();
    for (int i = 0; i < ready; ++i) {
      auto* slot = static_cast<Slot*>(events[static_cast<std::size_t>(i)].data.ptr);
      const Slot::Step step = slot->ready(epoll.get(), events[static_cast<std::size_t>(i)].events);
      if (step == Slot::Step::kGoesOn) continue;
      if (now >= counted && now < end) {
        (step == Slot::Step::kDone ? counts.done : counts.failed) += 1;
        const auto second = static_cast<std::size_t>(std::chrono::duration<double>(now - counted).count());
        if (step == Slot::Step::kDone && second < counts.by_second.size()) ++counts.by_second[second];
      }
      slot->start(address, sources.next(), epoll.get(), now);
    }
    if (now - checked < std::chrono::seconds(1)) continue;
    checked = now;
    for (Slot& slot : slots) {
      if (now - slot.started < std::chrono::seconds(5)) continue;
      ++counts.failed;
      slot.give_up();
      slot.start(address, sources.next(), epoll.get(), now);
    }
  }
  print(counts, target.seconds);
  return 0;
}

}  // namespace causeway::load

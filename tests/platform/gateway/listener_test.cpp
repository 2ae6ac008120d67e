#include "platform/gateway/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <ctime>

#include "platform/loop/deadline_list.h"

namespace causeway::platform {
namespace {

const packet::Endpoint kAnyPort{packet::Address::v4(127, 0, 0, 1), 0};

Descriptor connected_to(const packet::Endpoint& endpoint) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  SocketAddress to(endpoint);
  ::connect(socket.get(), to.get(), to.size);
  return socket;
}

TEST(Listener, GivesTheConnectionAndItsSource) {
  Loop loop;
  packet::Endpoint source;
  auto listener = Listener::open(loop, kAnyPort, [&](Descriptor, const packet::Endpoint& from) {
    source = from;
    loop.stop();
  });
  ASSERT_TRUE(listener);
  Descriptor client = connected_to((*listener)->endpoint());
  loop.run();
  EXPECT_EQ(source, local_endpoint(client.get()));
}

TEST(Listener, AnAddressInUseSaysSo) {
  Loop loop;
  auto first = Listener::open(loop, kAnyPort, [](Descriptor, const packet::Endpoint&) {});
  auto second = Listener::open(loop, (*first)->endpoint(), [](Descriptor, const packet::Endpoint&) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

TEST(Listener, RestsWithoutDescriptorsAndGoesOnWithThem) {
  Loop loop;
  int accepted = 0;
  auto listener = Listener::open(loop, kAnyPort, [&](Descriptor, const packet::Endpoint&) {
    ++accepted;
    loop.stop();
  });
  ASSERT_TRUE(listener);
  Timer none(loop, [&] { loop.stop(); });
  none.set(boot_now() + std::chrono::milliseconds(150));
  Descriptor client = connected_to((*listener)->endpoint());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  Descriptor next(open("/dev/null", O_RDONLY));
  rlimit few{rlim_t(next.get()), before.rlim_max};
  next.reset();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::clock_t cpu = std::clock();
  loop.run();
  EXPECT_EQ(accepted, 0);
  EXPECT_LT(double(std::clock() - cpu) / CLOCKS_PER_SEC, 0.1);  // it does not spin
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  loop.run();
  EXPECT_EQ(accepted, 1);
}

TEST(DeadlineList, FallsDueInOrderAndOnlyWhereItWasNotStopped) {
  Loop loop;
  DeadlineList list(loop, std::chrono::milliseconds(20));
  DeadlineList::Deadline first, second, third;
  std::string order;
  first.start(list, [&] { order += '1'; });
  second.start(list, [&] { order += '2'; });
  third.start(list, [&] {
    order += '3';
    loop.stop();
  });
  second.stop();
  Instant begin = boot_now();
  loop.run();
  EXPECT_EQ(order, "13");
  EXPECT_GE(boot_now() - begin, std::chrono::milliseconds(19));
}

TEST(DeadlineList, ADeadlineMayEndAnotherAndStartAgain) {
  Loop loop;
  DeadlineList list(loop, std::chrono::milliseconds(5));
  DeadlineList::Deadline first;
  auto second = std::make_unique<DeadlineList::Deadline>();
  int times = 0;
  std::function<void()> again = [&] {
    second.reset();
    if (++times == 3) return loop.stop();
    first.start(list, again);
  };
  first.start(list, again);
  second->start(list, [] { FAIL() << "it was destroyed"; });
  loop.run();
  EXPECT_EQ(times, 3);
}

}  // namespace
}  // namespace causeway::platform

#include "platform/loop/loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

using namespace std::chrono_literals;

struct Pair {
  int a = -1, b = -1;
  Pair() {
    int both[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) != 0) abort();
    a = both[0];
    b = both[1];
  }
  ~Pair() {
    close(a);
    if (b >= 0) close(b);
  }
  void take() const {
    char c;
    EXPECT_EQ(read(a, &c, 1), 1);
  }
  void poke() const { EXPECT_EQ(write(b, "x", 1), 1); }
};

TEST(Loop, PostedWorkRunsAlthoughNothingIsWaitedFor) {
  Loop loop;
  int ran = 0;
  loop.post([&] {
    ++ran;
    loop.post([&] { ++ran; });
  });
  loop.run();
  EXPECT_EQ(ran, 2);
}

TEST(Loop, AStopFromAnotherThreadEndsARunThatWaits) {
  Loop loop;
  Timer never(loop, [] { ADD_FAILURE(); });
  never.set(boot_now() + 1h);
  bool posted = false;
  std::thread other([&] {
    loop.post([&] { posted = true; });
    loop.stop();
  });
  loop.run();
  other.join();
  EXPECT_TRUE(posted);
}

TEST(Loop, AStopDoesNotReachIntoTheNextRun) {
  Loop loop;
  Timer timer(loop, [&] { loop.stop(); });
  timer.set(boot_now());
  loop.run();
  bool due = false;
  Timer again(loop, [&] {
    due = true;
    loop.stop();
  });
  again.set(boot_now() + 5ms);
  loop.run();
  EXPECT_TRUE(due);
}

TEST(Loop, WorkAtTheTurnsEndRunsBehindAllThatWasReady) {
  Loop loop;
  Pair first, second;
  first.poke();
  second.poke();
  std::vector<std::string> order;
  auto ready = [&](int fd) {
    return [&, fd](int) {
      char c;
      EXPECT_EQ(read(fd, &c, 1), 1);
      order.push_back("event");
      loop.at_turn_end([&] { order.push_back("end"); });
      if (order.size() >= 2) loop.stop();
    };
  };
  Poll one(loop, first.a, ready(first.a)), two(loop, second.a, ready(second.a));
  one.watch(Poll::kReadable);
  two.watch(Poll::kReadable);
  loop.run();
  EXPECT_EQ(order, (std::vector<std::string>{"event", "event", "end", "end"}));
}

TEST(Loop, WorkAtTheTurnsEndThatAsksAgainRunsInTheNextTurn) {
  Loop loop;
  Pair pair;
  int ends = 0, events = 0;
  Poll poll(loop, pair.a, [&](int) {
    ++events;
    pair.take();
    if (ends >= 3) loop.stop();
  });
  poll.watch(Poll::kReadable);
  std::function<void()> again = [&] {
    ++ends;
    if (ends < 3) loop.at_turn_end(again);
    if (ends == 3) pair.poke();
  };
  loop.at_turn_end(again);
  loop.run();
  EXPECT_EQ(ends, 3);
  EXPECT_EQ(events, 1);
}

TEST(TurnEnd, RunsOnceATurnHoweverOftenItIsAsked) {
  Loop loop;
  int ran = 0;
  TurnEnd end(loop, [&] {
    ++ran;
    loop.stop();
  });
  loop.post([&] {
    end.ask();
    end.ask();
  });
  loop.run();
  EXPECT_EQ(ran, 1);
}

TEST(TurnEnd, IsNotRunWhenItsOwnerHasGone) {
  Loop loop;
  auto end = std::make_unique<TurnEnd>(loop, [] { ADD_FAILURE(); });
  loop.post([&] {
    end->ask();
    end.reset();
  });
  loop.run();
}

TEST(TurnEnd, MayEndItself) {
  Loop loop;
  std::unique_ptr<TurnEnd> end;
  int ran = 0;
  end = std::make_unique<TurnEnd>(loop, [&] {
    ++ran;
    end->ask();
    end.reset();
  });
  loop.post([&] { end->ask(); });
  loop.run();
  EXPECT_EQ(ran, 1);
}

TEST(TurnEnd, OfADestroyedOwnerIsFreedWithTheLoop) {
  auto loop = std::make_unique<Loop>();
  auto end = std::make_unique<TurnEnd>(*loop, [] { ADD_FAILURE(); });
  end->ask();
  end.reset();
}

TEST(Poll, SaysNothingBeforeItIsToldWhatToWaitForNorAfterItsEnd) {
  Loop loop;
  Pair pair;
  pair.poke();
  int ready = 0;
  auto poll = std::make_unique<Poll>(loop, pair.a, [&](int) {
    ++ready;
    pair.take();
    loop.stop();
  });
  Timer timer(loop, [&] {
    EXPECT_EQ(ready, 0);
    poll->watch(Poll::kReadable);
  });
  timer.set(boot_now() + 2ms);
  loop.run();
  EXPECT_EQ(ready, 1);
  poll.reset();
  pair.poke();
  Timer last(loop, [&] { loop.stop(); });
  last.set(boot_now() + 2ms);
  loop.run();
  EXPECT_EQ(ready, 1);
}

TEST(Poll, MayBeDestroyedInItsOwnCallback) {
  Loop loop;
  Pair pair;
  pair.poke();
  std::unique_ptr<Poll> poll;
  poll = std::make_unique<Poll>(loop, pair.a, [&](int) {
    poll.reset();
    loop.stop();
  });
  poll->watch(Poll::kReadable);
  loop.run();
  EXPECT_FALSE(poll);
}

TEST(Poll, SaysThatTheOtherEndIsGone) {
  Loop loop;
  Pair pair;
  close(pair.b);
  pair.b = -1;
  int events = 0;
  Poll poll(loop, pair.a, [&](int got) {
    events = got;
    loop.stop();
  });
  poll.watch(Poll::kReadable);
  loop.run();
  EXPECT_TRUE(events & Poll::kReadable);
}

TEST(Timer, IsDueInOrderAndAtOnceForWhatHasPassed) {
  Loop loop;
  std::vector<int> order;
  Timer later(loop, [&] {
    order.push_back(2);
    loop.stop();
  });
  Timer sooner(loop, [&] { order.push_back(1); });
  Timer past(loop, [&] { order.push_back(0); });
  Instant now = boot_now();
  later.set(now + 20ms);
  sooner.set(now + 5ms);
  past.set(now - 1h);
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  EXPECT_GE(boot_now() - now, 20ms);
}

TEST(Timer, ThatWasStoppedIsNotDue) {
  Loop loop;
  Timer stopped(loop, [] { ADD_FAILURE(); });
  stopped.set(boot_now() + 1ms);
  stopped.set(kNever);
  Timer end(loop, [&] { loop.stop(); });
  end.set(boot_now() + 10ms);
  loop.run();
}

TEST(Timer, MayDestroyItself) {
  Loop loop;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&] {
    timer.reset();
    loop.stop();
  });
  timer->set(boot_now());
  loop.run();
  EXPECT_FALSE(timer);
}

TEST(SignalWatch, BringsTheSignalToTheLoop) {
  Loop loop;
  SignalWatch watch(loop, SIGUSR1, [&] { loop.stop(); });
  Timer poke(loop, [] { kill(getpid(), SIGUSR1); });
  poke.set(boot_now());
  Timer guard(loop, [&] {
    ADD_FAILURE();
    loop.stop();
  });
  guard.set(boot_now() + 5s);
  loop.run();
}

}  // namespace
}  // namespace causeway::platform

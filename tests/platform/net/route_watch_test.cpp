#include "platform/net/route_watch.h"

#include <gtest/gtest.h>

#include "platform/loop/clock.h"
#include "tests/platform/host/in_namespace.h"

namespace causeway::platform {
namespace {

using test::in_namespace;
using test::run;

// A watch on a loop that is run for as long as a test likes.
struct Watched {
  Loop loop;
  int told = 0;
  Instant last{};
  std::unique_ptr<RouteWatch> watch;
  std::unique_ptr<Timer> limit;

  Watched() {
    auto made = RouteWatch::create(loop, [this] {
      ++told;
      last = boot_now();
      if (until_told) loop.stop();
    });
    EXPECT_TRUE(made) << made.error().message;
    if (made) watch = std::move(*made);
    limit = std::make_unique<Timer>(loop, [this] { loop.stop(); });
  }
  // Gives whether it was told within that time.
  bool wait(Duration most) {
    until_told = true;
    int before = told;
    limit->set(boot_now() + most);
    loop.run();
    return told > before;
  }
  void run_for(Duration time) {
    until_told = false;
    limit->set(boot_now() + time);
    loop.run();
  }
  bool until_told = false;
};

using namespace std::chrono_literals;

TEST(RouteWatch, TellsOfRoutesRulesAddressesAndDevices) {
  in_namespace([] {
    Watched watched;
    ASSERT_TRUE(watched.watch);
    for (const char* command : {"ip link add up0 type veth peer name far0", "ip link set up0 up && ip link set far0 up",
                                "ip addr add 192.0.2.2/24 dev up0", "ip -6 addr add 2001:db8::2/64 dev up0 nodad",
                                "ip route add 10.0.0.0/8 via 192.0.2.1", "ip route del 10.0.0.0/8",
                                "ip -6 route add fd00:96::/64 dev up0", "ip rule add pref 100 lookup 52",
                                "ip -6 rule add pref 100 lookup 52", "ip addr del 192.0.2.2/24 dev up0", "ip link del up0"}) {
      watched.run_for(250ms);  // what was before is over
      Instant began = boot_now();
      run(command);
      ASSERT_TRUE(watched.wait(3s)) << command;
      EXPECT_LT(watched.last - began, 1s) << command;
    }
  });
}

TEST(RouteWatch, SaysNothingWhereNothingChanges) {
  in_namespace([] {
    Watched watched;
    ASSERT_TRUE(watched.watch);
    run("ip route show table all; ip rule");
    EXPECT_FALSE(watched.wait(300ms));
  });
}

TEST(RouteWatch, ABurstIsToldAFewTimesAndItsEndIsNotMissed) {
  in_namespace([] {
    run("ip link add up0 type veth peer name far0 && ip link set up0 up && ip link set far0 up");
    Watched watched;
    ASSERT_TRUE(watched.watch);
    watched.run_for(300ms);
    int before = watched.told;
    // More than the socket's buffer holds, as nobody reads meanwhile.
    run("for i in $(seq 0 39); do for j in $(seq 0 249); do echo route add 10.$i.$j.0/24 dev up0; done; done | ip -batch -");
    watched.run_for(1s);
    EXPECT_GE(watched.told, before + 1);
    EXPECT_LE(watched.told, before + 4);
    before = watched.told;
    run("ip route add 192.0.2.0/24 dev up0");
    EXPECT_TRUE(watched.wait(3s)) << "the overflow did not end it";
  });
}

TEST(RouteWatch, MayEndInItsOwnCallback) {
  in_namespace([] {
    Loop loop;
    std::unique_ptr<RouteWatch> watch;
    auto made = RouteWatch::create(loop, [&] { watch.reset(); });
    ASSERT_TRUE(made);
    watch = std::move(*made);
    run("ip rule add pref 100 lookup 52");
    loop.run();  // nothing is waited for any more
    EXPECT_FALSE(watch);
  });
}

}  // namespace
}  // namespace causeway::platform

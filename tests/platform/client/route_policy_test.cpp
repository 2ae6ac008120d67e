#include "platform/client/route_policy.h"

#include <gtest/gtest.h>

namespace causeway::platform {
namespace {

using config::ConflictPolicy;
using packet::Cidr;

Cidr cidr(const char* text) { return *Cidr::parse(text); }

const std::vector<Cidr> kRoutes{cidr("10.96.0.0/16"), cidr("10.244.0.0/16"), cidr("fd00:96::/112")};
const std::vector<Cidr> kRanges{cidr("198.18.0.0/20")};
const std::vector<RouteConflict> kConflicts{{cidr("10.96.0.0/16"), cidr("10.0.0.0/8"), "wg0 (WireGuard)", 0},
                                            {cidr("fd00:96::/112"), cidr("fd00::/8"), "tun0 (TUN)", 0}};

TEST(RoutePolicy, VirtualHidesWhatHasARangeAndLeavesTheRest) {
  RouteDecision decision = decide_routes(ConflictPolicy::kVirtual, kRoutes, kConflicts, kRanges);
  EXPECT_EQ(decision.routed, (std::vector<Cidr>{kRoutes[1], kRoutes[2]}));
  EXPECT_EQ(decision.hidden, std::vector<Cidr>{kRoutes[0]});
  EXPECT_EQ(decision.conflicts, (std::vector<std::string>{
                                    "10.96.0.0/16: wg0 (WireGuard) has 10.0.0.0/8: its addresses are virtual here",
                                    "fd00:96::/112: tun0 (TUN) has fd00::/8: it goes into the tunnel"}));
}

TEST(RoutePolicy, WinRoutesEverythingAndSaysSo) {
  RouteDecision decision = decide_routes(ConflictPolicy::kWin, kRoutes, kConflicts, kRanges);
  EXPECT_EQ(decision.routed, kRoutes);
  EXPECT_TRUE(decision.hidden.empty());
  EXPECT_EQ(decision.conflicts.size(), 2u);
}

TEST(RoutePolicy, WithoutConflictsNothingIsToldAndAllIsRouted) {
  for (ConflictPolicy policy : {ConflictPolicy::kVirtual, ConflictPolicy::kFail, ConflictPolicy::kWin}) {
    RouteDecision decision = decide_routes(policy, kRoutes, {}, kRanges);
    EXPECT_EQ(decision.routed, kRoutes);
    EXPECT_TRUE(decision.hidden.empty() && decision.conflicts.empty());
  }
}

TEST(RoutePolicy, FailNamesBothRoutesAndWhatToDo) {
  Error error = conflict_error(kConflicts);
  EXPECT_EQ(error.code, ErrorCode::kConflict);
  EXPECT_NE(error.message.find("10.96.0.0/16: wg0 (WireGuard) has 10.0.0.0/8; fd00:96::/112: tun0 (TUN) has fd00::/8"),
            std::string::npos);
  EXPECT_FALSE(error.advice.empty());
  std::vector<RouteConflict> many(9, kConflicts[0]);
  EXPECT_NE(conflict_error(many).message.find("and 5 more"), std::string::npos);
}

}  // namespace
}  // namespace causeway::platform

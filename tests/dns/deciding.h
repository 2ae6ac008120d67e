// Tables of names and of what the rules decide about each.
#pragma once

#include <gtest/gtest.h>

#include "dns/rules.h"
#include "tests/dns/wire.h"

namespace causeway::dns::test {

using Owner = Decision::Owner;

inline RulesConfig usual() {
  RulesConfig config;
  config.namespaces = {"shop", "com-shop"};
  config.routes = {*packet::Cidr::parse("10.96.0.0/12"), *packet::Cidr::parse("172.20.0.0/18"),
                   *packet::Cidr::parse("fd00:10:96::/108")};
  return config;
}

struct Row {
  const char* asked;
  Owner owner;
  const char* cluster_name = nullptr;  // kCluster and kIfNamespace
  bool falls_through = false;
  const char* candidate = "";
};

inline void check(const RulesConfig& config, const std::vector<Row>& rows, std::uint16_t type = kTypeA) {
  Result<Rules> rules = Rules::create(config);
  ASSERT_TRUE(rules);
  for (const Row& row : rows) {
    for (const std::string& asked : {std::string(row.asked), std::string(row.asked) + "."}) {
      if (asked == "..") continue;
      Decision got = rules->decide(question(asked, type));
      EXPECT_EQ(got.owner, row.owner) << asked;
      if (row.cluster_name) {
        EXPECT_EQ(got.cluster_name, name(row.cluster_name)) << asked << ": " << got.cluster_name.text();
      }
      EXPECT_EQ(got.falls_through, row.falls_through) << asked;
      EXPECT_EQ(got.candidate, row.candidate) << asked;
    }
  }
}

}  // namespace causeway::dns::test

#include "core/flow/service_name.h"

#include <gtest/gtest.h>

#include <string>

namespace causeway::flow {
namespace {

TEST(ServiceName, IsOneThatCanBeTyped) {
  for (const char* name : {"orders", "orders.shop", "A9", "a_b-c"}) EXPECT_TRUE(is_service_name(name)) << name;
  for (const char* name : {"", "-a", ".a", "a b", "a/b", "a\n", "\xc3\xa4"})
    EXPECT_FALSE(is_service_name(name)) << name;
  EXPECT_TRUE(is_service_name(std::string(253, 'a')));
  EXPECT_FALSE(is_service_name(std::string(254, 'a')));
}

}  // namespace
}  // namespace causeway::flow

#include "platform/client/hello_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace causeway::platform {
namespace {

class HelloStoreTest : public ::testing::Test {
 protected:
  HelloStoreTest() {
    char name[] = "/tmp/causeway-test-XXXXXX";
    folder_ = mkdtemp(name);
    key_[0] = 0xab;
    file_ = folder_ + "/hello-ab000000";
  }
  ~HelloStoreTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_, file_;
  noise::PublicKey key_{};
};

TEST_F(HelloStoreTest, WhatWasKeptIsThereInTheNextRun) {
  HelloStore store(folder_, key_);
  EXPECT_EQ(store.load(), 0u);
  store.keep(18'446'744'073'709'551'615u);
  EXPECT_EQ(HelloStore(folder_, key_).load(), 18'446'744'073'709'551'615u);
  store.keep(7);
  EXPECT_EQ(HelloStore(folder_, key_).load(), 7u);
}

TEST_F(HelloStoreTest, LeavesOneFileThatOnlyItsOwnerReads) {
  HelloStore(folder_, key_).keep(1);
  struct stat s {};
  ASSERT_EQ(stat(file_.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()), 1);
}

TEST_F(HelloStoreTest, GarbageIsNoNumber) {
  for (const char* text : {"", "x", "-1", "99999999999999999999999999"}) {
    std::ofstream(file_) << text;
    EXPECT_EQ(HelloStore(folder_, key_).load(), 0u) << text;
  }
}

TEST_F(HelloStoreTest, ALinkIsNotFollowed) {
  std::ofstream(folder_ + "/elsewhere") << 5;
  std::filesystem::create_symlink(folder_ + "/elsewhere", file_);
  EXPECT_EQ(HelloStore(folder_, key_).load(), 0u);
  HelloStore(folder_, key_).keep(9);
  EXPECT_EQ(HelloStore(folder_, key_).load(), 9u);
  int other = 0;
  std::ifstream(folder_ + "/elsewhere") >> other;
  EXPECT_EQ(other, 5);
}

TEST(HelloStore, WithoutAFolderKeepsNothing) {
  HelloStore store("", noise::PublicKey{});
  store.keep(5);
  EXPECT_EQ(store.load(), 0u);
}

}  // namespace
}  // namespace causeway::platform

#include "platform/host/profile_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "platform/host/request_check.h"

namespace causeway::platform {
namespace {

class ProfileFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ + "/keys");
    put("demo.toml", "routes = []\n", 0644);
    put("keys/demo.key", "secret\n", 0600);
    std::ofstream(outside_) << "not for you\n";
  }
  void TearDown() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::remove(outside_);
  }
  void put(const std::string& name, const std::string& text, mode_t mode) {
    std::ofstream(folder_ + '/' + name) << text;
    ::chmod((folder_ + '/' + name).c_str(), mode);
  }
  ErrorCode refusal(std::string_view name, bool secret = false) {
    auto file = open_beneath(folder_, name, secret);
    EXPECT_FALSE(file) << name;
    return file ? ErrorCode::kSystem : file.error().code;
  }

  std::string folder_ = ::testing::TempDir() + "causeway-profiles-" + std::to_string(::getpid());
  std::string outside_ = folder_ + "-outside";
};

TEST_F(ProfileFiles, AreOpenedForReading) {
  auto file = open_beneath(folder_, "keys/demo.key", true);
  ASSERT_TRUE(file) << file.error().message;
  char text[16]{};
  EXPECT_EQ(::read(file->get(), text, sizeof text), 7);
  EXPECT_STREQ(text, "secret\n");
  EXPECT_LT(::write(file->get(), "x", 1), 0);
  EXPECT_EQ(::fcntl(file->get(), F_GETFD), FD_CLOEXEC);
  EXPECT_TRUE(open_beneath(folder_, "demo.toml", false));
}

TEST_F(ProfileFiles, NothingOutsideIsReached) {
  std::string name = std::filesystem::path(outside_).filename().string();
  EXPECT_EQ(refusal("../" + name), ErrorCode::kInvalid);
  EXPECT_EQ(refusal("keys/../../" + name), ErrorCode::kInvalid);
  EXPECT_EQ(refusal(outside_), ErrorCode::kInvalid);
  std::filesystem::create_symlink(outside_, folder_ + "/link");
  std::filesystem::create_symlink("demo.toml", folder_ + "/inner");
  std::filesystem::create_directory_symlink("/", folder_ + "/root");
  EXPECT_EQ(refusal("link"), ErrorCode::kPermission);
  EXPECT_EQ(refusal("inner"), ErrorCode::kPermission);
  EXPECT_NE(refusal("root/etc/passwd"), ErrorCode::kSystem);
  EXPECT_EQ(refusal("absent"), ErrorCode::kNotFound);
}

TEST_F(ProfileFiles, OnlyRegularFilesOfModestSizeAreOpened) {
  ASSERT_EQ(::mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal("pipe"), ErrorCode::kInvalid) << "and without waiting for a writer";
  EXPECT_EQ(refusal("keys"), ErrorCode::kInvalid);
  put("large", std::string(kMaxFileSize + 1, 'x'), 0600);
  EXPECT_EQ(refusal("large"), ErrorCode::kLimit);
}

TEST_F(ProfileFiles, ASecretIsOpenToNobodyElse) {
  for (mode_t mode : {0640u, 0604u, 0620u, 0602u, 0601u, 0644u}) {
    put("loose.key", "x", mode);
    EXPECT_EQ(refusal("loose.key", true), ErrorCode::kPermission) << std::oct << mode;
    EXPECT_TRUE(open_beneath(folder_, "loose.key", false));
  }
  put("tight.key", "x", 0400);
  EXPECT_TRUE(open_beneath(folder_, "tight.key", true));
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chown((folder_ + "/tight.key").c_str(), 12, 0), 0);
  EXPECT_EQ(refusal("tight.key", true), ErrorCode::kPermission);
}

}  // namespace
}  // namespace causeway::platform

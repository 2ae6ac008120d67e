#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/noise/keys.h"
#include "platform/net/interfaces.h"
#include "platform/net/name_lookup.h"
#include "platform/net/secret_file.h"
#include "platform/net/socket.h"

namespace causeway::platform {
namespace {

TEST(SocketAddress, GoesThereAndBack) {
  for (const char* text : {"10.1.2.3:80", "[2001:db8::1]:65535", "0.0.0.0:0", "[::]:7700"}) {
    EXPECT_EQ(SocketAddress(*packet::Endpoint::parse(text)).endpoint().text(), text);
  }
  EXPECT_EQ(SocketAddress(*packet::Endpoint::parse("[::ffff:10.1.2.3]:80")).endpoint().text(), "10.1.2.3:80");
}

TEST(ResolvConf, GivesItsFirstThreeServers) {
  auto servers = resolv_conf_servers(
      "# nameserver 1.1.1.1\nsearch a.b\nnameserver\t10.0.0.1\r\nnameserver fe80::1%eth0\n"
      "nameservers 10.9.9.9\nnameserver 10.0.0.2 trailing\nnameserver ::1\nnameserver 10.0.0.4\nnameserver");
  ASSERT_EQ(servers.size(), 3u);
  EXPECT_EQ(servers[0].text(), "10.0.0.1:53");
  EXPECT_EQ(servers[1].text(), "10.0.0.2:53");
  EXPECT_EQ(servers[2].text(), "[::1]:53");
  EXPECT_TRUE(resolv_conf_servers("").empty());
}

TEST(NameLookup, FindsAddressesAndTellsWhereThereAreNone) {
  Loop loop;
  // Nothing listens there: "localhost" needs no server.
  NameLookup lookup(loop, {{packet::Address::v4(127, 0, 0, 1), 1}});
  int answers = 0;
  lookup.find("localhost", [&](Result<std::vector<packet::Address>> found) {
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->front().is_loopback());
    ++answers;
  });
  lookup.find("orders.shop.invalid", [&](Result<std::vector<packet::Address>> found) {
    EXPECT_FALSE(found);
    if (++answers == 2) loop.stop();
  });
  if (answers < 2) loop.run();
  EXPECT_EQ(answers, 2);
}

class KeyFile : public testing::Test {
 protected:
  KeyFile() { CAUSEWAY_ASSERT(mkdtemp(folder_.data())); }
  ~KeyFile() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& text, mode_t mode) {
    std::string path = folder_ + "/key";
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  std::string folder_ = std::filesystem::temp_directory_path() / "causeway-net-XXXXXX";
  std::string text_ = noise::encode_key(std::array<std::uint8_t, 32>{1, 2, 3});
};

TEST_F(KeyFile, IsReadWithWhiteSpaceAround) {
  auto key = read_key_file(file("\n " + text_ + "\n", 0600));
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->bytes()[2], 3);
  EXPECT_TRUE(read_key_file(file(text_, 0400)));
}

TEST_F(KeyFile, IsRefusedWhereOthersHaveARight) {
  for (mode_t mode : {0640, 0620, 0610, 0604, 0602, 0601}) {
    auto key = read_key_file(file(text_, mode));
    ASSERT_FALSE(key) << mode;
    EXPECT_EQ(key.error().code, ErrorCode::kPermission);
  }
}

TEST_F(KeyFile, IsRefusedWhereItHoldsNoKey) {
  EXPECT_EQ(read_key_file(file("short", 0600)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(read_key_file(file(text_ + text_, 0600)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(read_key_file(folder_).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(read_key_file(folder_ + "/none").error().code, ErrorCode::kNotFound);
}

TEST(TextFile, IsRefusedBeyondItsBound) {
  EXPECT_TRUE(read_text_file("/proc/self/status", 64 * 1024));
  EXPECT_EQ(read_text_file("/proc/self/status", 10).error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace causeway::platform

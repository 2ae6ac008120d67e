#include "platform/host/resolver_file.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "tests/platform/host/in_namespace.h"

namespace causeway::platform {
namespace {

using packet::Address;
using test::in_namespace;
using test::read_text;
using test::write_text;

constexpr const char* kOriginal = "nameserver 192.0.2.53\nsearch home.example\n# no end of line";

Address address(const char* text) { return *Address::parse(text); }

const StandIn kDemo{"demo", {address("10.96.255.1")}};
const StandIn kStage{"stage", {address("10.200.255.1"), address("fd00:200::1")}};

// No root is needed for a file of one's own.
class ResolverFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    write_text(file_, kOriginal);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<Address> servers() { return parse_resolv_conf(read_text(file_)).servers; }
  // The one line that standing down gives.
  std::string down(const StandIn& stub) {
    auto lines = resolver_.stand_down(stub.profile);
    EXPECT_TRUE(lines) << lines.error().message;
    EXPECT_EQ(lines->size(), 1u);
    return lines->empty() ? "" : lines->front();
  }
  void expect_nothing_left() {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      EXPECT_TRUE(entry.path() == file_ || entry.path().filename() == "target") << entry.path();
    }
  }

  std::string folder_ = ::testing::TempDir() + "causeway-resolver-" + std::to_string(::getpid());
  std::string file_ = folder_ + "/resolv.conf";
  std::string resolved_ = folder_ + "/resolved";
  ResolverFile resolver_{{file_, folder_ + "/resolver", resolved_}};
};

TEST_F(ResolverFileTest, StandsInAndGivesTheOriginalBack) {
  ::chmod(file_.c_str(), 0600);
  auto machine = resolver_.stand_in(kDemo);
  ASSERT_TRUE(machine) << machine.error().message;
  EXPECT_TRUE(machine->standing_in);
  EXPECT_EQ(machine->how, file_ + ", replaced");
  EXPECT_EQ(machine->servers, std::vector<Address>{address("192.0.2.53")});
  EXPECT_EQ(machine->search, std::vector<std::string>{"home.example"});
  EXPECT_EQ(servers(), kDemo.servers);
  EXPECT_EQ(down(kDemo), file_ + " restored");
  EXPECT_EQ(read_text(file_), kOriginal);
  struct stat info {};
  ASSERT_EQ(::stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777u, 0600u);
  expect_nothing_left();
  auto again = resolver_.stand_down("demo");
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->empty());
}

TEST_F(ResolverFileTest, AskingAgainChangesNothingButTheServers) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  std::string once = read_text(file_);
  auto again = resolver_.stand_in(kDemo);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->servers, std::vector<Address>{address("192.0.2.53")}) << "never our own stub";
  EXPECT_EQ(read_text(file_), once);
  ASSERT_TRUE(resolver_.stand_in({"demo", {address("10.96.255.2")}}));
  EXPECT_EQ(servers(), std::vector<Address>{address("10.96.255.2")});
  down(kDemo);
  EXPECT_EQ(read_text(file_), kOriginal);
}

TEST_F(ResolverFileTest, TheFirstOfTwoProfilesLeavesTheSecondWorking) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  auto second = resolver_.stand_in(kStage);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->servers, std::vector<Address>{address("192.0.2.53")});
  EXPECT_EQ(servers(), kDemo.servers) << "the first alone, which asks the second: some resolvers ask all at once";
  EXPECT_EQ(down(kDemo), file_ + " names the stub of stage");
  EXPECT_EQ(servers(), kStage.servers);
  EXPECT_EQ(down(kStage), file_ + " restored");
  EXPECT_EQ(read_text(file_), kOriginal);
  expect_nothing_left();
}

TEST_F(ResolverFileTest, TheSecondOfTwoProfilesGoesUnseen) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  std::string alone = read_text(file_);
  ASSERT_TRUE(resolver_.stand_in(kStage));
  EXPECT_EQ(down(kStage), file_ + " names the stub of demo");
  EXPECT_EQ(read_text(file_), alone);
  down(kDemo);
  EXPECT_EQ(read_text(file_), kOriginal);
}

TEST_F(ResolverFileTest, WhatAnotherProgramWroteStays) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  write_text(file_, "nameserver 198.51.100.1\n");
  EXPECT_NE(down(kDemo).find("rewritten since by another program"), std::string::npos);
  EXPECT_EQ(read_text(file_), "nameserver 198.51.100.1\n");
  expect_nothing_left();
}

TEST_F(ResolverFileTest, WhatAnotherProgramWroteIsTheOriginalOfTheNextProfile) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  write_text(file_, "nameserver 198.51.100.1\n");
  auto machine = resolver_.stand_in(kStage);
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->servers, std::vector<Address>{address("198.51.100.1")});
  down(kStage);
  down(kDemo);
  EXPECT_EQ(read_text(file_), "nameserver 198.51.100.1\n");
}

TEST_F(ResolverFileTest, AnEditedStandInLosesOurServersAlone) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  ASSERT_TRUE(resolver_.stand_in(kStage));
  write_text(file_, read_text(file_) + "options timeout:1\n");
  EXPECT_NE(down(kDemo).find("edited since"), std::string::npos);
  EXPECT_EQ(servers(), kStage.servers);
  down(kStage);
  EXPECT_EQ(servers(), std::vector<Address>{address("192.0.2.53")});
  EXPECT_NE(read_text(file_).find("options timeout:1"), std::string::npos);
  EXPECT_EQ(read_text(file_).find("causeway"), std::string::npos);
}

TEST_F(ResolverFileTest, ASymbolicLinkStaysAndItsTargetIsWritten) {
  std::string target = folder_ + "/target";
  std::filesystem::rename(file_, target);
  std::filesystem::create_symlink("target", file_);
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  EXPECT_TRUE(std::filesystem::is_symlink(file_));
  EXPECT_EQ(servers(), kDemo.servers);
  down(kDemo);
  EXPECT_TRUE(std::filesystem::is_symlink(file_));
  EXPECT_EQ(read_text(target), kOriginal);
  expect_nothing_left();
}

TEST_F(ResolverFileTest, ALinkThatWasTurnedElsewhereStaysAndTheOldTargetIsPutBack) {
  std::string target = folder_ + "/target";
  std::filesystem::rename(file_, target);
  std::filesystem::create_symlink("target", file_);
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  std::filesystem::remove(file_);
  write_text(file_, "nameserver 198.51.100.1\n");
  auto lines = resolver_.stand_down("demo");
  ASSERT_TRUE(lines);
  EXPECT_EQ(lines->size(), 2u);
  EXPECT_EQ(read_text(target), kOriginal);
  EXPECT_EQ(read_text(file_), "nameserver 198.51.100.1\n");
}

TEST_F(ResolverFileTest, AFileWithASecondNameIsWrittenInPlace) {
  std::filesystem::create_hard_link(file_, folder_ + "/target");
  auto machine = resolver_.stand_in(kDemo);
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->how, file_ + ", written in place");
  EXPECT_EQ(read_text(folder_ + "/target"), read_text(file_));
  down(kDemo);
  EXPECT_EQ(read_text(folder_ + "/target"), kOriginal);
}

TEST_F(ResolverFileTest, AFileThatWasNotThereIsRemovedAgain) {
  std::filesystem::remove(file_);
  auto machine = resolver_.stand_in(kDemo);
  ASSERT_TRUE(machine) << machine.error().message;
  EXPECT_EQ(servers(), kDemo.servers);
  EXPECT_EQ(down(kDemo), file_ + " removed again");
  EXPECT_FALSE(std::filesystem::exists(file_));
  expect_nothing_left();
}

TEST_F(ResolverFileTest, AFileThatSomebodyRemovedStaysSo) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  std::filesystem::remove(file_);
  EXPECT_NE(down(kDemo).find("removed since by another program"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file_));
  expect_nothing_left();
}

TEST_F(ResolverFileTest, LookingChangesNothing) {
  auto machine = resolver_.look({address("192.0.2.53")});
  ASSERT_TRUE(machine);
  EXPECT_FALSE(machine->standing_in);
  EXPECT_TRUE(machine->servers.empty()) << "a stub's address that was left in the file is not the machine's server";
  EXPECT_EQ(read_text(file_), kOriginal);
  expect_nothing_left();
}

TEST_F(ResolverFileTest, WhereSystemdResolvedListensWeStayOut) {
  write_text(file_, "nameserver 127.0.0.53\noptions edns0\n");
  auto idle = resolver_.stand_in(kDemo);
  ASSERT_TRUE(idle);
  EXPECT_TRUE(idle->standing_in) << "nobody listens";
  down(kDemo);

  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, resolved_.c_str(), sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  ASSERT_EQ(::listen(socket.get(), 4), 0);
  auto machine = resolver_.stand_in(kDemo);
  ASSERT_TRUE(machine);
  EXPECT_FALSE(machine->standing_in);
  EXPECT_NE(machine->how.find("systemd-resolved"), std::string::npos);
  EXPECT_EQ(machine->servers, std::vector<Address>{address("127.0.0.53")});
  EXPECT_EQ(read_text(file_), "nameserver 127.0.0.53\noptions edns0\n");
}

// A crash leaves the journal as it is; a new object finds it.
TEST_F(ResolverFileTest, AfterACrashAtAnyPointTheOriginalComesBack) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  std::string written = read_text(file_), journal = read_text(folder_ + "/resolver");
  for (const std::string& found : {written, std::string(kOriginal), written.substr(0, 100), std::string()}) {
    write_text(folder_ + "/resolver", journal);
    write_text(file_, found);
    auto lines = ResolverFile({file_, folder_ + "/resolver", resolved_}).recover();
    ASSERT_TRUE(lines) << lines.error().message;
    EXPECT_EQ(read_text(file_), kOriginal) << "found: " << found;
    expect_nothing_left();
  }
}

// overwrite_file() never makes the file shorter before all is written, so a crash leaves the end of what was there.
TEST_F(ResolverFileTest, AWriteInPlaceThatWasCutOffAnywhereIsKnownAsOurs) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  std::string one = read_text(file_), journal_of_one = read_text(folder_ + "/resolver");
  ASSERT_TRUE(resolver_.stand_in(kStage));
  std::string two = read_text(file_), journal_of_two = read_text(folder_ + "/resolver");
  auto cut = [](const std::string& before, const std::string& after, std::size_t n) {
    return after.substr(0, n) + (n < before.size() ? before.substr(n) : "");
  };
  auto expect_back = [&](const std::string& journal, const std::string& before, const std::string& after) {
    for (std::size_t n = 0; n <= after.size(); ++n) {
      write_text(folder_ + "/resolver", journal);
      write_text(file_, cut(before, after, n));
      ASSERT_TRUE(resolver_.recover());
      ASSERT_EQ(read_text(file_), kOriginal) << "cut off after " << n << " bytes";
    }
  };
  expect_back(journal_of_one, kOriginal, one);
  expect_back(journal_of_one, one, kOriginal);
  expect_back(journal_of_two, one, two);
  expect_back(journal_of_two, two, kOriginal);
}

TEST_F(ResolverFileTest, WithoutItsJournalAStandInIsPutBackFromItsOwnComments) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  for (bool unreadable : {false, true}) {
    std::string written = read_text(file_);
    std::filesystem::remove(folder_ + "/resolver");
    if (unreadable) write_text(folder_ + "/resolver", "garbage\n");
    auto lines = resolver_.recover();
    ASSERT_TRUE(lines);
    EXPECT_EQ(lines->size(), unreadable ? 2u : 1u);
    EXPECT_EQ(read_text(file_), std::string(kOriginal) + '\n');
    write_text(file_, written);
  }
}

TEST_F(ResolverFileTest, AStandInThatWasLeftOverIsNotTakenForTheOriginal) {
  ASSERT_TRUE(resolver_.stand_in(kDemo));
  std::filesystem::remove(folder_ + "/resolver");
  auto machine = resolver_.stand_in(kStage);
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->servers, std::vector<Address>{address("192.0.2.53")});
  down(kStage);
  EXPECT_EQ(servers(), std::vector<Address>{address("192.0.2.53")});
}

TEST_F(ResolverFileTest, WhatIsNoFileOrTooLargeIsLeftAlone) {
  write_text(file_, std::string(kMaxResolvConf + 1, '#'));
  EXPECT_FALSE(resolver_.stand_in(kDemo));
  std::filesystem::remove(file_);
  std::filesystem::create_directory(file_);
  EXPECT_FALSE(resolver_.stand_in(kDemo));
  EXPECT_TRUE(std::filesystem::is_directory(file_));
}

// As `ip netns exec` has it.
TEST(ResolverFileMount, AMountedFileIsWrittenInPlaceAndSeenThroughBothNames) {
  in_namespace([] {
    write_text("/run/theirs", kOriginal);
    ::chmod("/run/theirs", 0604);
    write_text("/run/resolv.conf", "");
    ASSERT_EQ(::mount("/run/theirs", "/run/resolv.conf", nullptr, MS_BIND, nullptr), 0);
    ResolverFile resolver({"/run/resolv.conf", "/run/state/resolver"});
    auto machine = resolver.stand_in(kDemo);
    ASSERT_TRUE(machine) << machine.error().message;
    EXPECT_EQ(machine->how, "/run/resolv.conf, written in place");
    EXPECT_EQ(parse_resolv_conf(read_text("/run/theirs")).servers, kDemo.servers);
    auto lines = resolver.recover();
    ASSERT_TRUE(lines);
    EXPECT_EQ(read_text("/run/theirs"), kOriginal);
    struct stat info {};
    ASSERT_EQ(::stat("/run/theirs", &info), 0);
    EXPECT_EQ(info.st_mode & 07777u, 0604u);
    EXPECT_EQ(test::run("ls -A /run"), "resolv.conf\nstate\ntheirs\n");
  });
}

TEST(ResolverFileMount, AFullDiskLeavesTheFileAndSaysSo) {
  in_namespace([] {
    test::run("mkdir /run/small && mount -t tmpfs -o size=8k tmpfs /run/small");
    write_text("/run/small/resolv.conf", kOriginal);
    test::run("head -c 4096 /dev/zero > /run/small/filler");
    ResolverFile resolver({"/run/small/resolv.conf", "/run/small/resolver"});
    EXPECT_FALSE(resolver.stand_in(kDemo));
    EXPECT_EQ(read_text("/run/small/resolv.conf"), kOriginal);
  });
}

}  // namespace
}  // namespace causeway::platform

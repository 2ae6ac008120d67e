#include "platform/host/journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "platform/host/files.h"
#include "platform/host/resolver_state.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;

Changes some_changes() {
  Changes changes;
  changes.where = "boot 42";
  changes.table = 7701;
  changes.priority = 5000;
  changes.device = "cw-demo";
  changes.addresses = {*Address::parse("10.96.255.1"), *Address::parse("fd00:96::1")};
  changes.routes = {*Cidr::parse("10.96.0.0/16"), *Cidr::parse("fd00:96::/112")};
  changes.index = 7;
  return changes;
}

TEST(Changes, ComeBackFromTheirText) {
  Changes changes = some_changes();
  auto read = Changes::parse(changes.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text(), changes.text());
  EXPECT_EQ(read->where, "boot 42");
  EXPECT_EQ(read->table, 7701u);
  EXPECT_EQ(read->priority, 5000u);
  EXPECT_EQ(read->index, 7u);
  EXPECT_EQ(read->unreadable, 0u);
}

TEST(Changes, WhereverACrashCutsThemOffTheWholeLinesCount) {
  std::string text = some_changes().text();
  for (std::size_t size = 0; size <= text.size(); ++size) {
    auto read = Changes::parse(text.substr(0, size));
    if (text.find('\n') >= size) {
      EXPECT_FALSE(read);
      continue;
    }
    ASSERT_TRUE(read) << size;
    EXPECT_EQ(read->unreadable, 0u) << size;
    EXPECT_EQ(read->index, size < text.size() ? 0u : 7u) << "a line that is not whole does not count";
  }
}

TEST(Changes, GarbageIsCountedAndPassedOver) {
  auto read = Changes::parse(
      "causeway-journal 1\nnonsense\ntable 254 5000\ntable 7700\ndevice eth0\ndevice cw-../x\naddress 1.2.3\n"
      "route 10.96.0.1/16\nindex 0\nindex -1\nindex 99999999999999\nindex 9\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->unreadable, 10u);
  EXPECT_TRUE(read->device.empty());
  EXPECT_EQ(read->table, 0u) << "the machine's main table is none of ours";
  EXPECT_EQ(read->index, 9u);
  EXPECT_FALSE(Changes::parse("causeway-journal 2\nindex 9\n"));
  EXPECT_FALSE(Changes::parse(""));
}

ResolverState some_state() {
  ResolverState state;
  state.file = "/run/a folder/resolv.conf";
  state.owner = {0640, 12, 34};
  state.original = "nameserver 192.0.2.53\n\noriginal 3\nstub x";
  state.active = {{"demo", {*Address::parse("10.96.255.1"), *Address::parse("fd00:96::1")}}, {"stage", {}}};
  state.before = {{"demo", {*Address::parse("10.96.255.1")}}};
  return state;
}

TEST(ResolverState, ComesBackFromItsText) {
  ResolverState state = some_state();
  auto read = ResolverState::parse(state.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->file, state.file);
  EXPECT_EQ(read->owner.mode, 0640u);
  EXPECT_EQ(read->owner.uid, 12u);
  EXPECT_EQ(read->owner.gid, 34u);
  EXPECT_EQ(read->original, state.original);
  EXPECT_TRUE(read->existed);
  EXPECT_EQ(read->active, state.active);
  EXPECT_EQ(read->before, state.before);
  state.existed = false;
  state.original.clear();
  read = ResolverState::parse(state.text());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->existed);
}

TEST(ResolverState, NothingShorterThanTheWholeIsTaken) {
  std::string text = some_state().text();
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(ResolverState::parse(text.substr(0, size))) << size;
  EXPECT_FALSE(ResolverState::parse(text + "x"));
  EXPECT_FALSE(ResolverState::parse("causeway-resolver 2" + text.substr(text.find('\n'))));
}

TEST(Journal, IsForItsOwnerAloneAndEndsWithTheFile) {
  std::string folder = ::testing::TempDir() + "causeway-journal-" + std::to_string(::getpid());
  ASSERT_TRUE(make_private_folder(folder));
  Journal journal(folder);
  Changes changes = some_changes();
  changes.index = 0;
  ASSERT_TRUE(journal.begin("demo", changes));
  ASSERT_TRUE(journal.add_index("demo", 12));
  EXPECT_EQ(journal.left_over(), std::vector<std::string>{"demo"});
  auto read = journal.read("demo");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->index, 12u);
  struct stat info {};
  ASSERT_EQ(::stat((folder + "/demo.changes").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777u, 0600u);
  ASSERT_TRUE(journal.end("demo"));
  ASSERT_TRUE(journal.end("demo"));
  EXPECT_TRUE(journal.left_over().empty());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace causeway::platform

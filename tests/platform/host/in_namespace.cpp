#include "tests/platform/host/in_namespace.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

namespace causeway::platform::test {
namespace {

// Says which step failed and why, or nothing.
std::string enter() {
  if (::geteuid() != 0) return "needs root";
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return std::string("unshare: ") + std::strerror(errno);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return std::string("mount: ") + std::strerror(errno);
  if (::mount("tmpfs", "/run", "tmpfs", 0, nullptr) != 0) return std::string("tmpfs: ") + std::strerror(errno);
  if (::mkdir("/run/state", 0700) != 0) return "mkdir";
  if (std::system("ip link set lo up") != 0) return "ip does not work";
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) return "no /dev/net/tun";
  return {};
}

[[noreturn]] void child(int report, const std::function<void()>& body) {
  std::string reason = enter();
  if (!reason.empty()) {
    [[maybe_unused]] ssize_t n = ::write(report, reason.data(), reason.size());
    ::_exit(2);
  }
  body();
  std::fflush(nullptr);
  ::_exit(::testing::Test::HasFailure() ? 1 : 0);
}

}  // namespace

void in_namespace(const std::function<void()>& body) {
  int report[2];
  ASSERT_EQ(::pipe(report), 0);
  std::fflush(nullptr);
  pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) child(report[1], body);
  ::close(report[1]);
  char reason[200]{};
  ssize_t n = ::read(report[0], reason, sizeof reason - 1);
  ::close(report[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  if (n > 0) GTEST_SKIP() << reason;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the child ended with status " << status;
}

std::string run(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  EXPECT_TRUE(pipe) << command;
  if (!pipe) return {};
  std::string output;
  char part[4096];
  for (std::size_t n; (n = std::fread(part, 1, sizeof part, pipe)) > 0;) output.append(part, n);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return output;
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  EXPECT_TRUE(file) << path;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void wait_for_local_route(const std::string& address) {
  run("for i in $(seq 200); do ip -6 route show table local | grep -q '^local " + address +
      " ' && exit 0; sleep 0.02; done; exit 1");
}

std::string network_snapshot() {
  // The kernel adds and removes the routes of IPv6's multicast by itself, a moment after a device has come up.
  return run("ip -j addr") + run("ip rule; ip -6 rule") + run("ip -j route show table all") +
         run("ip -6 route show table all | grep -v '^multicast ff00::/8 ' || true");
}

}  // namespace causeway::platform::test

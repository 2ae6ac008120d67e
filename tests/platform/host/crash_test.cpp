// Kills the process that changes the machine before each system call by which it could change anything, one after the other, and
// looks whether whoever comes next finds everything as it was. No moment between two steps is left out.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "platform/host/machine_host.h"
#include "tests/platform/host/in_namespace.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;
using test::in_namespace;
using test::network_snapshot;
using test::read_text;
using test::run;
using test::write_text;

constexpr const char* kResolvConf = "/run/etc/resolv.conf";
constexpr const char* kOriginal = "# by hand\nnameserver 192.0.2.53\nsearch home.example\noptions timeout:1\n";

Address address(const char* text) { return *Address::parse(text); }

std::unique_ptr<MachineHost> make_host() {
  auto host = MachineHost::create({"/run/state", "/run/profiles", kResolvConf});
  EXPECT_TRUE(host) << host.error().message;
  return host ? std::move(*host) : nullptr;
}

bool changes_something(const __ptrace_syscall_info& call) {
  switch (call.entry.nr) {
    case SYS_openat: return call.entry.args[2] & O_CREAT;
    case SYS_write:
    case SYS_sendmsg:
    case SYS_sendto:
    case SYS_ioctl:
    case SYS_ftruncate:
    case SYS_fchmod:
    case SYS_fchown:
    case SYS_unlinkat:
    case SYS_renameat2:
#ifdef SYS_rename
    case SYS_open:
    case SYS_rename:
    case SYS_unlink:
    case SYS_mkdir:
    case SYS_chmod:
#endif
      return true;
    default: return false;
  }
}

enum class End { kKilled, kRanThrough, kNoTracing };

// Runs `work` in a process of its own that is killed before its `n`-th call (from 1) that changes something.
End killed_at(unsigned n, const std::function<void()>& work) {
  pid_t pid = ::fork();
  if (pid == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(2);
    ::raise(SIGSTOP);
    work();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  if (!WIFSTOPPED(status)) return End::kNoTracing;
  ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  for (unsigned seen = 0; ::ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr) == 0 && ::waitpid(pid, &status, 0) == pid;) {
    if (!WIFSTOPPED(status)) break;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    __ptrace_syscall_info call{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof call, &call) <= 0) break;
    if (call.op != PTRACE_SYSCALL_INFO_ENTRY || !changes_something(call) || ++seen < n) continue;
    ::kill(pid, SIGKILL);
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return End::kKilled;
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "it ended with " << status;
  return End::kRanThrough;
}

// All that somebody could find changed.
std::string machine() {
  struct stat info {};
  EXPECT_EQ(::stat(kResolvConf, &info), 0);
  return network_snapshot() + run("find /run/state /run/etc -printf '%P %m %U:%G\\n' | sort") + read_text(kResolvConf);
}

void make_uplink() {
  run("ip link add up0 type veth peer name far0");
  run("ip link set up0 addrgenmode none && ip link set far0 addrgenmode none && ip link set far0 up && ip link set up0 up");
  run("ip addr add 192.0.2.2/24 dev up0 && ip route add default via 192.0.2.1");
  run("for i in $(seq 200); do [ \"$(ip -6 route show table local ff00::/8 | grep -c -e 'dev up0' -e 'dev far0')\" = 2 ] && "
      "exit 0; sleep 0.02; done; exit 1");
  run("mkdir /run/etc");
  write_text(kResolvConf, kOriginal);
  ::chmod(kResolvConf, 0640);
  EXPECT_EQ(::chown(kResolvConf, 12, 34), 0);
}

NetworkRequest request_of(const char* profile, const char* own, const char* route) {
  NetworkRequest request;
  request.profile = profile;
  request.addresses = {address(own)};
  request.routes = {*Cidr::parse(route), *Cidr::parse("203.0.113.0/24")};
  request.keep = {address("203.0.113.7")};
  return request;
}

void bring_up(MachineHost& host, const char* profile, const char* own, const char* route) {
  auto attached = host.attach(request_of(profile, own, route));
  ASSERT_TRUE(attached) << attached.error().message;
  auto resolver = host.set_resolver({profile, {address(own)}, true});
  ASSERT_TRUE(resolver) << resolver.error().message;
  EXPECT_TRUE(resolver->standing_in);
}

// `prepare` is done by a process that is killed as well, with all of its work done.
void expect_nothing_left(const std::function<void()>& prepare, const std::function<void()>& work) {
  make_host();  // its folder and its lock are there from the first start on
  std::string before = machine();
  unsigned n = 1;
  for (End end = End::kKilled; end == End::kKilled; ++n) {
    if (prepare) {
      EXPECT_EQ(killed_at(~0u, prepare), End::kRanThrough);
    }
    end = killed_at(n, work);
    if (end == End::kNoTracing) GTEST_SKIP() << "no process may be traced here";
    auto host = make_host();
    auto lines = host->recover();
    EXPECT_TRUE(host->clean());
    host.reset();
    ASSERT_EQ(machine(), before) << "killed before its call number " << n << " that changes something";
  }
  EXPECT_GT(n, 10u) << "there was hardly anything to interrupt";
}

void up_and_down() {
  auto host = make_host();
  bring_up(*host, "demo", "10.96.255.1", "10.96.0.0/16");
  auto lines = host->detach("demo");
  EXPECT_TRUE(lines) << lines.error().message;
  (void)host.release();  // what is left at the end is for the next one too
}

TEST(Crash, AtAnyPointOfUpAndDownLeavesNothingBehindTheNextStart) {
  in_namespace([] {
    make_uplink();
    expect_nothing_left({}, up_and_down);
  });
}

TEST(Crash, WhileSeveralProfilesShareResolverAndKeptRoutesLeavesNothingEither) {
  in_namespace([] {
    make_uplink();
    expect_nothing_left({}, [] {
      auto host = make_host();
      bring_up(*host, "demo", "10.96.255.1", "10.96.0.0/16");
      bring_up(*host, "other", "10.97.255.1", "10.97.0.0/16");
      EXPECT_TRUE(host->detach("demo"));
      (void)host.release();
    });
  });
}

TEST(Crash, WhileRoutesChangeLeavesNothingEither) {
  in_namespace([] {
    make_uplink();
    expect_nothing_left({}, [] {
      auto host = make_host();
      NetworkRequest request = request_of("demo", "10.96.255.1", "10.96.0.0/16");
      request.exclude = {*Cidr::parse("10.96.8.0/24")};
      auto attached = host->attach(request);
      ASSERT_TRUE(attached) << attached.error().message;
      RoutesRequest changed{"demo", request.routes, {*Cidr::parse("10.96.9.0/24")}, request.keep};
      changed.routes.push_back(*Cidr::parse("10.96.8.0/24"));
      EXPECT_TRUE(host->change_routes(changed));
      EXPECT_TRUE(host->detach("demo"));
      (void)host.release();
    });
  });
}

TEST(Crash, WithAResolvConfThatIsAMountLeavesNothingEither) {
  in_namespace([] {
    make_uplink();
    run("cp -a /run/etc/resolv.conf /run/mounted");
    ASSERT_EQ(::mount("/run/mounted", kResolvConf, nullptr, MS_BIND, nullptr), 0);
    expect_nothing_left({}, up_and_down);
  });
}

TEST(Crash, OfTheOneThatCleansUpLeavesTheRestToTheNext) {
  in_namespace([] {
    make_uplink();
    auto leave = [] {
      auto host = make_host();
      bring_up(*host, "demo", "10.96.255.1", "10.96.0.0/16");
      (void)host.release();
    };
    expect_nothing_left(leave, [] {
      auto host = make_host();
      host->recover();
      (void)host.release();
    });
  });
}

}  // namespace
}  // namespace causeway::platform

#include "platform/host/helper.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "platform/host/split.h"
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

// Answers from a list, and remembers what it was asked.
class PlayedHost final : public Host {
 public:
  Result<AttachedNetwork> attach(const NetworkRequest& request) override {
    asked.push_back("attach " + request.profile);
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    peer = Descriptor(ends[0]);
    return AttachedNetwork{"cw-" + request.profile, Descriptor(ends[1]), request.routes};
  }
  Result<std::vector<RouteConflict>> conflicts(const ConflictsRequest& request) override {
    asked.push_back("conflicts " + request.profile);
    return std::vector<RouteConflict>{{request.routes.front(), *Cidr::parse("10.0.0.0/8"), "wg0 (WireGuard)", 2}};
  }
  Result<ChangedRoutes> change_routes(const RoutesRequest& request) override {
    asked.push_back("routes " + request.profile + (request.repair ? " repaired" : ""));
    return ChangedRoutes{{"the route 10.96.0.0/16"}};
  }
  Result<MachineResolver> set_resolver(const ResolverRequest& request) override {
    asked.push_back("resolver " + request.profile);
    return MachineResolver{request.servers, {"home.example"}, true, "played"};
  }
  Result<std::vector<std::string>> detach(std::string_view profile) override {
    asked.push_back("detach " + std::string(profile));
    return std::vector<std::string>{"one", "two"};
  }
  Result<Descriptor> open_file(std::string_view name, bool) override {
    asked.push_back("open " + std::string(name));
    return fail(ErrorCode::kPermission, "it is open to others", "chmod 600 it");
  }
  std::vector<std::string> asked;
  Descriptor peer;
};

struct Pair {
  Descriptor helper, engine;
  Pair() {
    auto made = make_message_sockets();
    EXPECT_TRUE(made);
    helper = std::move(made->first);
    engine = std::move(made->second);
  }
};

NetworkRequest demo() {
  NetworkRequest request;
  request.profile = "demo";
  request.addresses = {*Address::parse("10.96.255.1")};
  request.routes = {*Cidr::parse("10.96.0.0/16")};
  return request;
}

TEST(HostHelper, CallsGoThroughWithTheirDescriptorsAndErrors) {
  Pair pair;
  PlayedHost played;
  std::thread helper([&] {
    HostServer server(std::move(pair.helper), played);
    while (server.serve()) continue;
  });
  {
    RemoteHost remote(std::move(pair.engine));
    auto attached = remote.attach(demo());
    ASSERT_TRUE(attached);
    EXPECT_EQ(attached->device, "cw-demo");
    EXPECT_EQ(attached->skipped, demo().routes);
    EXPECT_EQ(::write(attached->tun.get(), "x", 1), 1);
    char got = 0;
    EXPECT_EQ(::read(played.peer.get(), &got, 1), 1);
    auto machine = remote.set_resolver({"demo", {*Address::parse("10.96.255.1")}, true});
    ASSERT_TRUE(machine);
    EXPECT_TRUE(machine->standing_in);
    EXPECT_EQ(machine->search, std::vector<std::string>{"home.example"});
    auto conflicts = remote.conflicts({"demo", demo().routes, {}, {}});
    ASSERT_TRUE(conflicts);
    ASSERT_EQ(conflicts->size(), 1u);
    EXPECT_EQ(conflicts->front().text(), "10.96.0.0/16: wg0 (WireGuard) has 10.0.0.0/8 and 2 more");
    auto changed = remote.change_routes({"demo", demo().routes, {}, {}, true});
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->lost, std::vector<std::string>{"the route 10.96.0.0/16"});
    auto file = remote.open_file("demo.key", true);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, ErrorCode::kPermission);
    EXPECT_EQ(file.error().advice, "chmod 600 it");
    auto lines = remote.detach("demo");
    ASSERT_TRUE(lines);
    EXPECT_EQ(*lines, (std::vector<std::string>{"one", "two"}));
    EXPECT_FALSE(remote.detach("No Name"));
    EXPECT_FALSE(remote.open_file("../x", false));
  }
  helper.join();
  EXPECT_EQ(played.asked, (std::vector<std::string>{"attach demo", "resolver demo", "conflicts demo", "routes demo repaired",
                                                    "open demo.key", "detach demo"}));
}

TEST(HostHelper, WithoutAHelperCallsFailAtOnce) {
  Pair pair;
  pair.helper.reset();
  RemoteHost remote(std::move(pair.engine));
  auto attached = remote.attach(demo());
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().code, ErrorCode::kUnavailable);
}

TEST(HostHelper, AnswersToCallsGivenUpArePassedOver) {
  Pair pair;
  RemoteHost remote(std::move(pair.engine));
  std::thread helper([&] {
    auto request = receive_message(pair.helper.get());
    ASSERT_TRUE(request);
    auto read = decode_host_request(request->bytes);
    ASSERT_TRUE(read);
    ASSERT_TRUE(send_message(pair.helper.get(), encode(Numbered<HostAnswer>{999, DetachedAnswer{{"late"}}})));
    ASSERT_TRUE(send_message(pair.helper.get(), encode(Numbered<HostAnswer>{read->number, DetachedAnswer{{"mine"}}})));
  });
  auto lines = remote.detach("demo");
  helper.join();
  ASSERT_TRUE(lines);
  EXPECT_EQ(*lines, std::vector<std::string>{"mine"});
}

TEST(HostHelper, WhatIsMalformedOrTooLargeEndsTheService) {
  std::vector<std::uint8_t> over = encode(Numbered<HostRequest>{1, DetachRequest{"demo"}});
  over.back() = '/';
  for (const auto& message : {std::vector<std::uint8_t>{1}, std::vector<std::uint8_t>(300, 0xff), over}) {
    Pair pair;
    PlayedHost played;
    HostServer server(std::move(pair.helper), played);
    ASSERT_TRUE(send_message(pair.engine.get(), message));
    EXPECT_FALSE(server.serve());
    EXPECT_TRUE(played.asked.empty());
  }
  Pair pair;
  PlayedHost played;
  HostServer server(std::move(pair.helper), played);
  std::vector<std::uint8_t> large(kMaxHostMessage + 1);
  ASSERT_EQ(::send(pair.engine.get(), large.data(), large.size(), 0), ssize_t(large.size()));
  EXPECT_FALSE(server.serve());
}

TEST(HostHelper, DescriptorsThatNobodyAskedForAreClosed) {
  Pair pair;
  PlayedHost played;
  HostServer server(std::move(pair.helper), played);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Descriptor reads(ends[0]), writes(ends[1]);
  ASSERT_TRUE(send_message(pair.engine.get(), encode(Numbered<HostRequest>{1, DetachRequest{"demo"}}), writes.get()));
  writes.reset();
  EXPECT_TRUE(server.serve());
  char nothing;
  EXPECT_EQ(::read(reads.get(), &nothing, 1), 0) << "no writer is left";
}

TEST(Privileges, TheEnginesUserIsNeverRoot) {
  EXPECT_FALSE(find_engine_user("root"));
  EXPECT_FALSE(find_engine_user("0"));
  auto number = find_engine_user("64321");
  ASSERT_TRUE(number);
  EXPECT_EQ(number->uid, 64321u);
  auto nobody = find_engine_user("nobody");
  ASSERT_TRUE(nobody);
  EXPECT_EQ(nobody->text, "nobody");
  auto absent = find_engine_user("no-such-user-here");
  ASSERT_TRUE(absent);
  EXPECT_EQ(absent->uid, kNamelessId);
  EXPECT_NE(absent->text.find("no-such-user-here"), std::string::npos);
}

std::string status_line(const std::string& key) {
  std::string text = read_text("/proc/self/status");
  std::size_t at = text.find(key + ":\t");
  return text.substr(at + key.size() + 2, text.find('\n', at) - at - key.size() - 2);
}

TEST(Privileges, NothingIsLeftToTheEngine) {
  in_namespace([] {
    auto dropped = drop_privileges({kNamelessId, kNamelessId, ""});
    ASSERT_TRUE(dropped) << dropped.error().message;
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
      EXPECT_EQ(status_line(set), "0000000000000000") << set;
    EXPECT_EQ(status_line("NoNewPrivs"), "1");
    EXPECT_EQ(status_line("Groups").find_first_not_of(' '), std::string::npos);
    EXPECT_EQ(::getuid(), kNamelessId);
    EXPECT_NE(::setuid(0), 0);
    EXPECT_NE(::access("/run/state", R_OK), 0);
  });
}

TEST(Privileges, TheHelperKeepsWhatItNeedsAndNoMore) {
  in_namespace([] {
    ASSERT_TRUE(keep_helper_privileges());
    std::uint64_t needs =
        1u << CAP_NET_ADMIN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_CHOWN | 1u << CAP_FOWNER | 1u << CAP_KILL;
    for (const char* set : {"CapPrm", "CapEff", "CapBnd"})
      EXPECT_EQ(std::stoull(status_line(set), nullptr, 16), needs) << set;
    EXPECT_EQ(status_line("NoNewPrivs"), "1");
    EXPECT_NE(::setuid(1), 0);
  });
}

// A helper and its engine, in a child, since it gives privileges away for good. The engine says through `ready` that it is up.
class SplitProcess {
 public:
  using Engine = std::function<int(Host& host, const std::function<void()>& ready)>;

  explicit SplitProcess(const Engine& engine) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ready_ = Descriptor(ends[0]);
    Descriptor writes(ends[1]);
    helper_ = ::fork();
    if (helper_ == 0) ::_exit(run_child(engine, std::move(writes)));
  }

  // The engine's process; 0 when it ended without being ready.
  pid_t wait_ready() {
    pid_t engine = 0;
    return ::read(ready_.get(), &engine, sizeof engine) == sizeof engine ? engine : 0;
  }
  void signal(int number) { EXPECT_EQ(::kill(helper_, number), 0); }
  // The helper's exit code.
  int wait() {
    int status = 0;
    EXPECT_EQ(::waitpid(helper_, &status, 0), helper_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  static int run_child(const Engine& engine, Descriptor writes) {
    auto host = MachineHost::create({"/run/state", "/run/profiles", "/run/resolv.conf"});
    if (!host) return 99;
    auto ready = [&] {
      pid_t pid = ::getpid();
      EXPECT_EQ(::write(writes.get(), &pid, sizeof pid), ssize_t(sizeof pid));
    };
    SplitParts parts;
    parts.engine = [&](Host& remote) { return engine(remote, ready); };
    parts.log = [](const std::string&) {};
    parts.patience = std::chrono::milliseconds(300);
    return run_split(std::move(*host), {kNamelessId, kNamelessId, ""}, parts);
  }

  Descriptor ready_;
  pid_t helper_ = -1;
};

int split_in_child(const std::function<int(Host&)>& engine) {
  return SplitProcess([&](Host& host, const std::function<void()>&) { return engine(host); }).wait();
}

ResolverRequest resolver() { return {"demo", {*Address::parse("10.96.255.1")}, true}; }

TEST(Split, AnEngineWithoutRightsBringsATunnelUpAndTheHelperUndoesWhatItLeaves) {
  in_namespace([] {
    write_text("/run/resolv.conf", "nameserver 192.0.2.53\n");
    ASSERT_EQ(::chown("/run/resolv.conf", 12, 34), 0);
    run("mkdir /run/profiles && echo secret > /run/profiles/demo.key && chmod 600 /run/profiles/demo.key");
    std::string before = network_snapshot();
    int code = split_in_child([](Host& host) {
      if (::getuid() != kNamelessId || ::access("/run/profiles/demo.key", R_OK) == 0) return 1;
      auto attached = host.attach(demo());
      if (!attached) return 2;
      auto machine = host.set_resolver(resolver());
      if (!machine || !machine->standing_in) return 3;
      if (run("ip route get 10.96.1.1").find("dev cw-demo") == std::string::npos) return 4;
      auto key = host.open_file("demo.key", true);
      char text[8]{};
      if (!key || ::read(key->get(), text, sizeof text) != 7) return 5;
      if (read_text("/run/resolv.conf").find("10.96.255.1") == std::string::npos) return 6;
      return 42;
    });
    EXPECT_EQ(code, 42);
    EXPECT_EQ(network_snapshot(), before);
    EXPECT_EQ(read_text("/run/resolv.conf"), "nameserver 192.0.2.53\n");
    struct stat info {};
    ASSERT_EQ(::stat("/run/resolv.conf", &info), 0);
    EXPECT_EQ(info.st_uid, 12u);
  });
}

TEST(Split, AnEngineThatCrashesIsCleanedUpAfterAndTheCodeTells) {
  in_namespace([] {
    write_text("/run/resolv.conf", "nameserver 192.0.2.53\n");
    std::string before = network_snapshot();
    int code = split_in_child([](Host& host) {
      auto attached = host.attach(demo());
      if (!attached || !host.set_resolver(resolver())) return 1;
      ::raise(SIGKILL);
      return 2;
    });
    EXPECT_EQ(code, 128 + SIGKILL);
    EXPECT_EQ(network_snapshot(), before);
    EXPECT_EQ(read_text("/run/resolv.conf"), "nameserver 192.0.2.53\n");
  });
}

TEST(Split, SigtermLetsTheEngineGoFirst) {
  in_namespace([] {
    std::string before = network_snapshot();
    SplitProcess process([](Host& host, const std::function<void()>& ready) {
      sigset_t wanted;
      ::sigemptyset(&wanted);
      ::sigaddset(&wanted, SIGTERM);
      ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
      auto attached = host.attach(demo());
      if (!attached) return 1;
      ready();
      int signal = 0;
      ::sigwait(&wanted, &signal);
      auto lines = host.detach("demo");
      return lines && !lines->empty() ? 7 : 3;
    });
    ASSERT_NE(process.wait_ready(), 0);
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(), 7);
    EXPECT_EQ(network_snapshot(), before);
  });
}

// Brings a tunnel up, and waits for whatever comes, deaf to SIGTERM.
int run_deaf_engine(Host& host, const std::function<void()>& ready) {
  ::signal(SIGTERM, SIG_IGN);
  auto attached = host.attach(demo());
  if (!attached || !host.set_resolver(resolver())) return 1;
  ready();
  for (;;) ::pause();
}

TEST(Split, AnEngineThatDoesNotEndIsKilledAndCleanedUpAfter) {
  in_namespace([] {
    write_text("/run/resolv.conf", "nameserver 192.0.2.53\n");
    std::string before = network_snapshot();
    SplitProcess process(run_deaf_engine);
    ASSERT_NE(process.wait_ready(), 0);
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(), kExitEngineStuck);
    EXPECT_EQ(network_snapshot(), before);
    EXPECT_EQ(read_text("/run/resolv.conf"), "nameserver 192.0.2.53\n");
  });
}

TEST(Split, AfterKillMinus9OfTheHelperTheEngineEndsAndTheNextStartPutsThingsBack) {
  in_namespace([] {
    write_text("/run/resolv.conf", "nameserver 192.0.2.53\n");
    std::string before = network_snapshot();
    SplitProcess process(run_deaf_engine);
    pid_t engine = process.wait_ready();
    ASSERT_NE(engine, 0);
    // Waits for the engine too, which then is a child of ours.
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    process.signal(SIGKILL);
    EXPECT_EQ(process.wait(), 128 + SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(engine, &status, 0), engine);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    EXPECT_EQ(run("ip link show").find("cw-demo"), std::string::npos) << "the device went with its descriptor";
    EXPECT_NE(read_text("/run/resolv.conf"), "nameserver 192.0.2.53\n");
    auto host = MachineHost::create({"/run/state", "/run/profiles", "/run/resolv.conf"});
    ASSERT_TRUE(host);
    EXPECT_FALSE((*host)->recover().empty());
    EXPECT_EQ(network_snapshot(), before);
    EXPECT_EQ(read_text("/run/resolv.conf"), "nameserver 192.0.2.53\n");
  });
}

}  // namespace
}  // namespace causeway::platform

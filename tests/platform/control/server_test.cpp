#include "platform/control/server.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "platform/control/client.h"
#include "platform/control/listen.h"

namespace causeway::platform {
namespace {

using namespace std::chrono_literals;
using control::Answer;
using control::Request;

struct Folder {
  Folder() {
    char name[] = "/tmp/causeway-control-XXXXXX";
    path = mkdtemp(name);
    chmod(path.c_str(), 0755);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

// A server on a thread of its own, whose handler is the test's. Callbacks run on that thread.
class Running final : public ControlServer::Handler {
 public:
  explicit Running(ControlServer::Options options = {}) : path(folder_.path + "/control.sock") {
    auto listening = listen_on(path);
    EXPECT_TRUE(listening) << listening.error().message;
    server = std::make_unique<ControlServer>(loop, std::move(*listening), options, *this);
    answer = [this](CallerId caller, const Request&) { server->send(caller, control::StatusAnswer{}); };
    gone = [](CallerId) {};
  }
  ~Running() override { stop(); }

  void start() {
    thread_ = std::thread([this] { loop.run(); });
  }
  void stop() {
    if (thread_.joinable()) {
      loop.stop();
      thread_.join();
    }
    server.reset();
  }

  void asked(CallerId caller, const control::Asker& asker, const Request& request) override {
    last_user = asker.user;
    answer(caller, request);
  }
  void left(CallerId caller) override { gone(caller); }

 private:
  Folder folder_;

 public:
  std::string path;
  Loop loop;
  std::unique_ptr<ControlServer> server;
  std::function<void(CallerId, const Request&)> answer;
  std::function<void(CallerId)> gone;
  uid_t last_user = 12345;

 private:
  std::thread thread_;
};

ControlClient client(const std::string& path) {
  auto made = ControlClient::connect(path);
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

// A socket for what a ControlClient would not send.
struct Raw {
  explicit Raw(const std::string& path) : socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address;
    EXPECT_TRUE(fill_socket_address(path, address));
    EXPECT_EQ(connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    timeval guard{20, 0};
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &guard, sizeof guard);
  }
  void say(std::string_view text) {
    while (!text.empty()) {
      ssize_t size = send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (size <= 0) return;
      text.remove_prefix(std::size_t(size));
    }
  }
  // All that comes until the server hangs up.
  std::string rest() {
    std::string out;
    char buffer[4096];
    for (ssize_t size; (size = recv(socket.get(), buffer, sizeof buffer, 0)) > 0;)
      out.append(buffer, std::size_t(size));
    return out;
  }
  std::string line() {
    std::string out;
    for (char c; out.find('\n') == std::string::npos && recv(socket.get(), &c, 1, 0) == 1;) out += c;
    return out;
  }
  Descriptor socket;
};

std::size_t lines(const std::string& text) { return std::size_t(std::count(text.begin(), text.end(), '\n')); }

TEST(ControlServer, ARequestIsAnsweredAndTheCallerIsKnown) {
  Running running;
  running.start();
  ControlClient caller = client(running.path);
  ASSERT_TRUE(caller.send(control::StatusRequest{}));
  auto answer = caller.receive(10s);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(std::holds_alternative<control::StatusAnswer>(*answer));
  running.stop();
  EXPECT_EQ(running.last_user, getuid());
}

TEST(ControlServer, RequestsOfOneCallerAreAnsweredOneAfterTheOther) {
  Running running;
  std::vector<CallerId> waiting;
  std::size_t most = 0;
  running.answer = [&](CallerId caller, const Request&) {
    waiting.push_back(caller);
    most = std::max(most, waiting.size());
    running.loop.post([&, caller] {
      waiting.pop_back();
      running.server->send(caller, control::StepAnswer{"echo", 1us, ""});
      running.server->send(caller, control::StatusAnswer{});
    });
  };
  running.start();
  Raw caller(running.path);
  std::string request = control::encode(Request(control::StatusRequest{}));
  caller.say(request + request + request);
  shutdown(caller.socket.get(), SHUT_WR);
  EXPECT_EQ(lines(caller.rest()), 6u);
  running.stop();
  EXPECT_EQ(most, 1u);
}

TEST(ControlServer, ARequestMayComeInPieces) {
  Running running;
  running.start();
  Raw caller(running.path);
  for (char c : control::encode(Request(control::StatusRequest{}))) caller.say({&c, 1});
  EXPECT_NE(caller.line().find("\"status\""), std::string::npos);
}

TEST(ControlServer, AMistakeIsAnsweredAndTheNextRequestStillServed) {
  Running running;
  running.start();
  Raw caller(running.path);
  caller.say("what\n" + control::encode(Request(control::StatusRequest{})));
  EXPECT_NE(caller.line().find("\"error\""), std::string::npos);
  EXPECT_NE(caller.line().find("\"status\""), std::string::npos);
}

TEST(ControlServer, ALineWithoutEndIsAnsweredAndTheCallerClosed) {
  Running running;
  running.start();
  Raw caller(running.path);
  std::thread sender([&] { caller.say(std::string(1 << 20, 'x')); });
  std::string got = caller.rest();
  sender.join();
  EXPECT_EQ(lines(got), 1u);
  EXPECT_NE(got.find("64 KiB"), std::string::npos);
}

TEST(ControlServer, WhoAsksForNothingIsClosed) {
  ControlServer::Options options;
  options.idle = 50ms;
  Running running(options);
  running.start();
  Raw caller(running.path);
  EXPECT_EQ(caller.rest(), "");
}

TEST(ControlServer, WhoTakesNoAnswerIsClosed) {
  ControlServer::Options options;
  options.stalled = 100ms;
  Running running(options);
  std::atomic<bool> left = false;
  running.gone = [&](CallerId) { left = true; };
  running.answer = [&](CallerId caller, const Request&) {
    // More than the kernel takes for a reader that does not read.
    for (int i = 0; i < 400; ++i)
      running.server->send(caller, control::StepAnswer{"echo", 1us, std::string(1000, 'x')});
  };
  running.start();
  Raw caller(running.path);
  caller.say(control::encode(Request(control::StatusRequest{})));
  for (int i = 0; i < 1000 && !left; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(left);
}

TEST(ControlServer, MoreThanIsKeptForACallerClosesItAtOnce) {
  ControlServer::Options options;
  options.stalled = std::chrono::hours(1);
  Running running(options);
  std::atomic<bool> left = false;
  running.gone = [&](CallerId) { left = true; };
  running.answer = [&](CallerId caller, const Request&) {
    for (int i = 0; i < 4000; ++i)
      running.server->send(caller, control::StepAnswer{"echo", 1us, std::string(1000, 'x')});
  };
  running.start();
  Raw caller(running.path);
  caller.say(control::encode(Request(control::StatusRequest{})));
  for (int i = 0; i < 1000 && !left; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(left);
}

TEST(ControlServer, ACallerThatLeavesWhileItWaitsIsTold) {
  Running running;
  std::atomic<CallerId> asked = 0, left = 0;
  running.answer = [&](CallerId caller, const Request&) { asked = caller; };
  running.gone = [&](CallerId caller) { left = caller; };
  running.start();
  {
    Raw caller(running.path);
    caller.say(control::encode(Request(control::StatusRequest{})));
    for (int i = 0; i < 1000 && !asked; ++i) std::this_thread::sleep_for(10ms);
  }
  for (int i = 0; i < 1000 && !left; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_NE(left, 0u);
  EXPECT_EQ(left, asked);
  running.stop();
}

TEST(ControlServer, ACallerThatOnlyStopsSendingIsStillAnswered) {
  Running running;
  std::atomic<CallerId> asked = 0;
  running.answer = [&](CallerId caller, const Request&) { asked = caller; };
  running.gone = [&](CallerId) { ADD_FAILURE() << "it has not left"; };
  running.start();
  Raw caller(running.path);
  caller.say(control::encode(Request(control::StatusRequest{})));
  shutdown(caller.socket.get(), SHUT_WR);
  for (int i = 0; i < 1000 && !asked; ++i) std::this_thread::sleep_for(10ms);
  std::this_thread::sleep_for(50ms);
  running.loop.post([&] { running.server->send(asked, control::StatusAnswer{}); });
  EXPECT_NE(caller.rest().find("\"status\""), std::string::npos);
}

TEST(ControlServer, HowManyCallAtOnceIsBounded) {
  ControlServer::Options options;
  options.max_callers = 3;
  Running running(options);
  running.start();
  std::vector<std::unique_ptr<Raw>> callers;
  for (int i = 0; i < 3; ++i) {
    callers.push_back(std::make_unique<Raw>(running.path));
    callers.back()->say(control::encode(Request(control::StatusRequest{})));
    EXPECT_NE(callers.back()->line().find("\"status\""), std::string::npos);
  }
  Raw fourth(running.path);
  EXPECT_NE(fourth.rest().find("too many callers"), std::string::npos);
  callers.clear();
  for (int i = 0; i < 1000; ++i) {
    Raw fifth(running.path);
    fifth.say(control::encode(Request(control::StatusRequest{})));
    if (fifth.line().find("\"status\"") != std::string::npos) return;
    std::this_thread::sleep_for(10ms);
  }
  ADD_FAILURE() << "a place is not given back";
}

// Runs `work` as another user; gives what it returned. Needs root.
int as_user(uid_t user, gid_t group, std::vector<gid_t> groups, const std::function<int()>& work) {
  pid_t child = fork();
  if (child == 0) {
    bool changed = setgroups(groups.size(), groups.data()) == 0 && setgid(group) == 0 && setuid(user) == 0;
    _exit(changed ? work() : 99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

// 0: done; otherwise the kind of error and 1.
int ask(const std::string& path, const Request& request) {
  auto caller = ControlClient::connect(path);
  if (!caller) return 90;
  if (!caller->send(request)) return 91;
  auto answer = caller->receive(10s);
  if (!answer) return 92;
  auto* error = std::get_if<control::ErrorAnswer>(&*answer);
  return error ? int(error->kind) + 1 : 0;
}

constexpr uid_t kStranger = 64201;
constexpr gid_t kGroup = 64202;
constexpr int kForbidden = int(ErrorCode::kPermission) + 1;

TEST(ControlServer, OnlyRootAndTheGroupMayChangeThingsAndEverybodyMayAsk) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to be somebody else";
  ControlServer::Options options;
  options.group = kGroup;
  Running running(options);
  running.start();
  auto up = [&] { return ask(running.path, control::UpRequest{"demo", {}}); };
  auto down = [&] { return ask(running.path, control::DownRequest{"demo"}); };
  auto status = [&] { return ask(running.path, control::StatusRequest{}); };
  EXPECT_EQ(up(), 0);
  EXPECT_EQ(as_user(kStranger, kStranger, {}, up), kForbidden);
  EXPECT_EQ(as_user(kStranger, kStranger, {}, down), kForbidden);
  EXPECT_EQ(as_user(kStranger, kStranger, {}, status), 0);
  EXPECT_EQ(as_user(kStranger, kStranger, {1, kGroup, 2}, up), 0);
  EXPECT_EQ(as_user(kStranger, kGroup, {}, down), 0) << "by its primary group";
  std::vector<gid_t> many(200, kStranger);
  many.push_back(kGroup);
  EXPECT_EQ(as_user(kStranger, kStranger, many, up), 0) << "more groups than asked for at first";
}

TEST(ControlServer, WithoutAGroupRootAloneMayChangeThings) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to be somebody else";
  Running running;
  running.start();
  auto up = [&] { return ask(running.path, control::UpRequest{"demo", {}}); };
  EXPECT_EQ(as_user(kStranger, 0, {0}, up), kForbidden) << "root's group is not root";
  EXPECT_EQ(up(), 0);
}

TEST(ControlServer, OneUserCannotTakeAllPlaces) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to be somebody else";
  ControlServer::Options options;
  options.max_callers_of_user = 2;
  Running running(options);
  running.start();
  int result = as_user(kStranger, kStranger, {}, [&] {
    Raw first(running.path), second(running.path);
    std::string request = control::encode(Request(control::StatusRequest{}));
    first.say(request);
    second.say(request);
    if (first.line().empty() || second.line().empty()) return 1;
    return Raw(running.path).rest().find("too many callers") == std::string::npos ? 2 : 0;
  });
  EXPECT_EQ(result, 0);
  EXPECT_EQ(ask(running.path, control::StatusRequest{}), 0);
}

TEST(ControlSocket, OneThatADeadDaemonLeftIsReplaced) {
  Folder folder;
  std::string path = folder.path + "/a/b/control.sock";
  ASSERT_TRUE(listen_on(path));
  EXPECT_TRUE(std::filesystem::exists(path));
  auto again = listen_on(path);
  ASSERT_TRUE(again) << again.error().message;
  struct stat state {};
  stat(path.c_str(), &state);
  EXPECT_EQ(state.st_mode & 0777, 0666u);
}

TEST(ControlSocket, OneOfALivingDaemonIsLeftAlone) {
  Folder folder;
  auto first = listen_on(folder.path + "/control.sock");
  ASSERT_TRUE(first);
  auto second = listen_on(folder.path + "/control.sock");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(ControlClient::connect(folder.path + "/control.sock"));
}

TEST(ControlSocket, AFileInItsPlaceIsLeftAlone) {
  Folder folder;
  std::string path = folder.path + "/control.sock";
  fclose(fopen(path.c_str(), "w"));
  auto made = listen_on(path);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ControlSocket, ADeadDaemonsIsRemovedAndNothingElse) {
  Folder folder;
  std::string path = folder.path + "/control.sock";
  EXPECT_FALSE(*remove_dead_socket(path));
  {
    auto living = listen_on(path);
    ASSERT_TRUE(living);
    EXPECT_FALSE(*remove_dead_socket(path));
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_TRUE(*remove_dead_socket(path));
  EXPECT_FALSE(std::filesystem::exists(path));
  fclose(fopen(path.c_str(), "w"));
  EXPECT_FALSE(*remove_dead_socket(path));
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ControlSocket, PathsThatFitNoSocketAreRefused) {
  EXPECT_FALSE(listen_on(""));
  EXPECT_FALSE(listen_on("/tmp/" + std::string(200, 'a')));
  EXPECT_FALSE(ControlClient::connect("/tmp/" + std::string(200, 'a')));
}

TEST(ControlClient, SaysWhenNobodyListens) {
  Folder folder;
  auto none = ControlClient::connect(folder.path + "/none.sock");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
  { ASSERT_TRUE(listen_on(folder.path + "/dead.sock")); }
  auto dead = ControlClient::connect(folder.path + "/dead.sock");
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code, ErrorCode::kUnavailable);
}

TEST(ControlClient, DoesNotWaitForever) {
  Running running;
  running.answer = [](CallerId, const Request&) {};
  running.start();
  ControlClient caller = client(running.path);
  ASSERT_TRUE(caller.send(control::StatusRequest{}));
  auto answer = caller.receive(20ms);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kTimedOut);
}

TEST(ControlClient, SaysWhenTheDaemonEnds) {
  Running running;
  running.answer = [&](CallerId, const Request&) { running.loop.post([&] { running.loop.stop(); }); };
  running.start();
  ControlClient caller = client(running.path);
  ASSERT_TRUE(caller.send(control::StatusRequest{}));
  std::thread end([&] {
    std::this_thread::sleep_for(50ms);
    running.stop();
  });
  auto answer = caller.receive(10s);
  end.join();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace causeway::platform

// Several users of one machine, who are real: each asks from a process of its own, and the kernel says who it is.
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tools/caller.h"

namespace causeway::tund {
namespace {

constexpr gid_t kGroup = 64202;

struct User {
  uid_t user;
  std::vector<gid_t> groups;
};

const User kRoot{0, {}}, kAnna{64211, {kGroup}}, kBob{64212, {1, kGroup}}, kStranger{64213, {64213}};

class Users : public testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root to be somebody else";
    daemon = std::make_unique<Daemon>(options());
    daemon->profiles.write("demo.toml", "ok orders:http prices:http");
    daemon->profiles.write("other.toml", "ok orders:http");
  }

  static platform::ControlServer::Options options() {
    platform::ControlServer::Options out;
    out.group = kGroup;
    return out;
  }

  // All answers to one request, the one that closes it last.
  std::vector<Answer> ask(const User& user, const control::Request& request) const {
    int both[2];
    EXPECT_EQ(pipe(both), 0);
    pid_t child = fork();
    if (child == 0) {
      // What other callers of this test have open ends with them, not with this process.
      for (int each = 3; each < 1024; ++each) {
        if (each != both[1]) close(each);
      }
      bool changed =
          setgroups(user.groups.size(), user.groups.data()) == 0 && setgid(user.user) == 0 && setuid(user.user) == 0;
      std::string lines = changed ? asked(request) : "";
      for (std::size_t at = 0; at < lines.size();) {
        ssize_t size = write(both[1], lines.data() + at, lines.size() - at);
        if (size <= 0) break;
        at += std::size_t(size);
      }
      _exit(0);
    }
    close(both[1]);
    std::string got;
    char buffer[4096];
    for (ssize_t size; (size = read(both[0], buffer, sizeof buffer)) > 0;) got.append(buffer, std::size_t(size));
    close(both[0]);
    waitpid(child, nullptr, 0);
    std::vector<Answer> answers;
    for (std::size_t end; (end = got.find('\n')) != std::string::npos; got.erase(0, end + 1)) {
      auto answer = control::parse_answer(got.substr(0, end));
      EXPECT_TRUE(answer) << got;
      if (answer) answers.push_back(*answer);
    }
    EXPECT_FALSE(answers.empty());
    if (answers.empty()) answers.push_back(control::ErrorAnswer{});
    return answers;
  }

  template <class T>
  T want(const User& user, const control::Request& request) const {
    return Caller::as<T>(ask(user, request).back());
  }

  template <class T>
  static std::vector<T> all(const std::vector<Answer>& answers) {
    std::vector<T> out;
    for (const Answer& each : answers) {
      if (const T* one = std::get_if<T>(&each)) out.push_back(*one);
    }
    return out;
  }

  static control::InterceptRequest intercept(const std::string& service, control::Headers headers = {}) {
    control::InterceptRequest request{"demo", service, std::move(headers), "", "127.0.0.1", 8080, false};
    return request;
  }

  std::unique_ptr<Daemon> daemon;

 private:
  std::string asked(const control::Request& request) const {
    auto client = platform::ControlClient::connect(daemon->socket);
    if (!client || !client->send(request)) return "";
    std::string lines;
    for (;;) {
      auto answer = client->receive(20s);
      if (!answer) return lines;
      lines += control::encode(*answer);
      if (control::is_final(*answer)) return lines;
    }
  }
};

TEST_F(Users, AnotherProfileComesUpBesideTheFirst) {
  EXPECT_EQ(want<control::UpAnswer>(kAnna, control::UpRequest{"demo", {}}).owner, "");
  EXPECT_EQ(want<control::UpAnswer>(kBob, control::UpRequest{"other", {}}).outcome, control::UpOutcome::kUp);
  auto tunnels = all<control::TunnelAnswer>(ask(kBob, control::StatusRequest{}));
  ASSERT_EQ(tunnels.size(), 2u);
  EXPECT_EQ(tunnels[0].state + ' ' + tunnels[0].owner, "up user 64211");
  EXPECT_EQ(tunnels[1].state + ' ' + tunnels[1].owner, "up user 64212");
}

TEST_F(Users, TheSameProfileIsJoinedAndStaysItsOwners) {
  want<control::UpAnswer>(kAnna, control::UpRequest{"demo", {}});
  auto joined = want<control::UpAnswer>(kBob, control::UpRequest{"demo", {}});
  EXPECT_EQ(joined.outcome, control::UpOutcome::kAlreadyUp);
  EXPECT_EQ(joined.owner, "user 64211");
  auto refused = want<control::ErrorAnswer>(kBob, control::DownRequest{"demo"});
  EXPECT_EQ(refused.kind, ErrorCode::kPermission);
  EXPECT_EQ(refused.message, "demo was brought up by user 64211, and is not yours to end");
  EXPECT_EQ(all<control::TunnelAnswer>(ask(kBob, control::StatusRequest{"demo"})).at(0).state, "up");
  EXPECT_TRUE(want<control::DownAnswer>(kAnna, control::DownRequest{"demo"}).was_up);
}

TEST_F(Users, RootTakesAnythingDownAndAMemberNotWhatIsRoots) {
  want<control::UpAnswer>(kAnna, control::UpRequest{"demo", {}});
  EXPECT_TRUE(want<control::DownAnswer>(kRoot, control::DownRequest{"demo"}).was_up);
  want<control::UpAnswer>(kRoot, control::UpRequest{"demo", {}});
  EXPECT_EQ(want<control::ErrorAnswer>(kAnna, control::DownRequest{"demo"}).kind, ErrorCode::kPermission);
  EXPECT_FALSE(want<control::DownAnswer>(kAnna, control::DownRequest{"other"}).was_up) << "there is nothing to refuse";
}

TEST_F(Users, WithoutANameDownMeansOnesOwn) {
  want<control::UpAnswer>(kAnna, control::UpRequest{"demo", {}});
  want<control::UpAnswer>(kBob, control::UpRequest{"other", {}});
  EXPECT_EQ(want<control::ErrorAnswer>(kRoot, control::DownRequest{}).kind, ErrorCode::kInvalid) << "which?";
  EXPECT_EQ(want<control::DownAnswer>(kBob, control::DownRequest{}).profile, "other");
  EXPECT_EQ(want<control::ErrorAnswer>(kBob, control::DownRequest{}).kind, ErrorCode::kPermission) << "anna's is left";
}

TEST_F(Users, AnUpThatItsOwnerGivesUpBecomesTheNextOnes) {
  daemon->profiles.write("demo.toml", "hang");
  Caller root(*daemon);
  {
    Caller first(*daemon);
    first.ask(control::UpRequest{"demo", {}});
    first.wait_for_step();
    // Bob joins, and stays; root gives up.
    std::thread bob([&] {
      EXPECT_EQ(want<control::ErrorAnswer>(kBob, control::UpRequest{"demo", {}}).kind, ErrorCode::kConflict);
    });
    std::this_thread::sleep_for(300ms);
    std::thread leaving([gone = std::make_unique<Caller>(std::move(first))]() mutable { gone.reset(); });
    leaving.join();
    for (int i = 0; i < 1000; ++i) {
      root.answer(control::StatusRequest{"demo"});
      if (std::get<control::TunnelAnswer>(root.before.at(0)).owner == "user 64212") break;
      std::this_thread::sleep_for(10ms);
    }
    EXPECT_EQ(std::get<control::TunnelAnswer>(root.before.at(0)).owner, "user 64212");
    EXPECT_TRUE(want<control::DownAnswer>(kBob, control::DownRequest{"demo"}).was_up);
    bob.join();
  }
}

TEST_F(Users, WhoIsNotInTheGroupLooksAndNothingElse) {
  want<control::UpAnswer>(kAnna, control::UpRequest{"demo", {}});
  for (const control::Request& request :
       {control::Request(control::UpRequest{"other", {}}), control::Request(control::UpRequest{"demo", {}}),
        control::Request(control::DownRequest{"demo"}), control::Request(intercept("orders")),
        control::Request(control::LeaveRequest{"demo", "orders", {}, "", 0}),
        control::Request(control::EnvironmentRequest{"demo", "orders"})}) {
    EXPECT_EQ(want<control::ErrorAnswer>(kStranger, request).kind, ErrorCode::kPermission) << control::encode(request);
  }
  want<control::VersionAnswer>(kStranger, control::VersionRequest{});
  want<control::ListAnswer>(kStranger, control::ListRequest{"demo"});
  auto tunnel = all<control::TunnelAnswer>(ask(kStranger, control::StatusRequest{"demo"})).at(0);
  EXPECT_EQ(tunnel.state, "up");
  EXPECT_EQ(tunnel.own_key + tunnel.gateway_key, "");
}

TEST_F(Users, AnInterceptIsLeftByItsOwnerAndByRoot) {
  want<control::UpAnswer>(kAnna, control::UpRequest{"demo", {}});
  want<control::InterceptAnswer>(kAnna, intercept("orders", {{"x-user", "anna"}}));
  want<control::InterceptAnswer>(kBob, intercept("orders", {{"x-user", "bob"}}));
  control::LeaveRequest annas{"demo", "orders", {{"x-user", "anna"}}, "", 0}, all_of_it{"demo", "orders", {}, "", 0};
  auto refused = want<control::ErrorAnswer>(kBob, annas);
  EXPECT_EQ(refused.kind, ErrorCode::kPermission);
  EXPECT_EQ(refused.message, "orders is intercepted by user 64211, and is not yours to end");
  EXPECT_EQ(want<control::LeaveAnswer>(kBob, all_of_it).count, 1u) << "of all that is his";
  EXPECT_EQ(want<control::ErrorAnswer>(kBob, all_of_it).kind, ErrorCode::kPermission) << "the rest is anna's";
  EXPECT_EQ(want<control::LeaveAnswer>(kRoot, all_of_it).count, 1u);
  EXPECT_EQ(want<control::ErrorAnswer>(kBob, all_of_it).kind, ErrorCode::kNotFound);
}

TEST_F(Users, TheSameInterceptIsRefusedAndItsOwnerNamed) {
  want<control::UpAnswer>(kAnna, control::UpRequest{"demo", {}});
  want<control::InterceptAnswer>(kAnna, intercept("orders"));
  EXPECT_EQ(want<control::InterceptAnswer>(kAnna, intercept("orders")).outcome, "already");
  auto refused = want<control::ErrorAnswer>(kBob, intercept("orders"));
  EXPECT_EQ(refused.kind, ErrorCode::kConflict);
  EXPECT_NE(refused.message.find("user 64211"), std::string::npos);
  EXPECT_EQ(refused.message.find("127.0.0.1:8080"), std::string::npos);
}

TEST_F(Users, DetailsOfSomebodyElsesInterceptAreCut) {
  want<control::UpAnswer>(kAnna, control::UpRequest{"demo", {}});
  want<control::InterceptAnswer>(kAnna, intercept("orders", {{"x-token", "secret"}}));
  auto seen_by = [&](const User& user) {
    auto seen = all<control::InterceptedAnswer>(ask(user, control::ListRequest{"demo"}));
    std::erase_if(seen, [](const control::InterceptedAnswer& each) { return !each.here; });
    EXPECT_EQ(seen.size(), 1u);
    return seen.empty() ? control::InterceptedAnswer{"demo", "", {{"", ""}}, "", control::InterceptedAnswer::Here{}, {}}
                        : seen.front();
  };
  for (const User& user : {kRoot, kAnna}) EXPECT_EQ(seen_by(user).here->local, "127.0.0.1:8080");
  EXPECT_EQ(seen_by(kBob).here->local, "");
  EXPECT_EQ(seen_by(kBob).headers.at(0).second, "secret");
  EXPECT_EQ(seen_by(kBob).here->owner, "user 64211");
  EXPECT_EQ(seen_by(kStranger).here->local, "");
  EXPECT_EQ(seen_by(kStranger).headers.at(0).second, "…");

  auto line_for = [&](const User& user) {
    return all<control::TunnelAnswer>(ask(user, control::StatusRequest{"demo"})).at(0).intercepts.at(0);
  };
  EXPECT_EQ(line_for(kAnna), "orders (x-token=secret) > 127.0.0.1:8080, ready");
  for (const User& user : {kBob, kStranger}) EXPECT_EQ(line_for(user), "orders, by user 64211, ready");
}

}  // namespace
}  // namespace causeway::tund

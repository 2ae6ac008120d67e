// One question, one answer, for those who may.
#include "platform/control/question.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "platform/control/client.h"
#include "platform/control/listen.h"
#include "platform/control/question_server.h"

namespace causeway::platform {
namespace {

using namespace std::chrono_literals;

class Questions : public testing::Test {
 protected:
  Questions() {
    char name[] = "/tmp/causeway-question-XXXXXX";
    folder_ = mkdtemp(name);
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    path = folder_ + "/control.sock";
  }
  ~Questions() override {
    if (thread_.joinable()) {
      loop_.stop();
      thread_.join();
    }
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  void serve(QuestionServer::Answer answer, QuestionServer::Options options = {}) {
    auto listening = listen_on(path);
    ASSERT_TRUE(listening);
    options.forbidden = "you may not";
    server_ = std::make_unique<QuestionServer>(loop_, std::move(*listening), options, std::move(answer));
    thread_ = std::thread([this] { loop_.run(); });
  }
  Descriptor caller() const {
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address;
    EXPECT_TRUE(fill_socket_address(path, address));
    EXPECT_EQ(connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return socket;
  }
  // Until the other side hangs up.
  static std::string all_of(int socket) {
    std::string out;
    char buffer[4096];
    for (ssize_t size; (size = recv(socket, buffer, sizeof buffer, 0)) > 0;) out.append(buffer, std::size_t(size));
    return out;
  }

  std::string path;

 private:
  std::string folder_;
  Loop loop_;
  std::unique_ptr<QuestionServer> server_;
  std::thread thread_;
};

TEST_F(Questions, AreAnswered) {
  serve([](std::string_view question) { return "you said " + std::string(question); });
  for (int i = 0; i < 20; ++i) {
    auto answer = ask_question(path, "hello", 1000, 10s);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*answer, "you said hello");
  }
}

TEST_F(Questions, LongAnswersComeWhole) {
  std::string big(3 << 20, 'x');
  serve([&](std::string_view) { return big; });
  auto answer = ask_question(path, "?", 4 << 20, 10s);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, big);
  auto refused = ask_question(path, "?", 1 << 20, 10s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kProtocol);
}

TEST_F(Questions, StrangersAreToldThatTheyMayNot) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to be somebody else";
  bool asked = false;
  serve([&](std::string_view) {
    asked = true;
    return "secret";
  });
  pid_t stranger = fork();
  if (stranger == 0) {
    if (setgid(64201) != 0 || setuid(64201) != 0) _exit(2);
    auto answer = ask_question(path, "?", 1000, 10s);
    _exit(answer && *answer == "you may not" ? 0 : 1);
  }
  int status = 0;
  waitpid(stranger, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(asked);
}

TEST_F(Questions, WhoAsksTooMuchOrTooSlowlyIsHungUpOn) {
  QuestionServer::Options options;
  options.max_question = 100;
  options.patience = 100ms;
  serve([](std::string_view) { return "yes"; }, options);
  Descriptor talker = caller(), silent = caller();
  std::string much(200, 'x');
  EXPECT_EQ(send(talker.get(), much.data(), much.size(), MSG_NOSIGNAL), ssize_t(much.size()));
  EXPECT_EQ(all_of(talker.get()), "");
  EXPECT_EQ(all_of(silent.get()), "");
  EXPECT_EQ(*ask_question(path, "still there?", 100, 10s), "yes");
}

TEST_F(Questions, CallersAreBounded) {
  QuestionServer::Options options;
  options.max_callers = 2;
  serve([](std::string_view) { return "yes"; }, options);
  Descriptor first = caller(), second = caller();
  EXPECT_EQ(send(first.get(), "x", 1, MSG_NOSIGNAL), 1);
  // The third is accepted and hung up on.
  Descriptor third = caller();
  EXPECT_EQ(all_of(third.get()), "");
  EXPECT_EQ(send(second.get(), "?\n", 2, MSG_NOSIGNAL), 2);
  EXPECT_EQ(all_of(second.get()), "yes\n");
}

TEST_F(Questions, WithoutAServerThatIsSaid) {
  auto answer = ask_question(path, "?", 100, 1s);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(answer.error().message, "nobody listens on " + path);
  auto listening = listen_on(path);
  ASSERT_TRUE(listening);
  auto silent = ask_question(path, "?", 100, 50ms);
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, ErrorCode::kTimedOut);
}

}  // namespace
}  // namespace causeway::platform

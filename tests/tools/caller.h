// Somebody who calls tund, as the tests need it.
#pragma once

#include "tests/tools/daemon.h"

namespace causeway::tund {

using control::Answer;

class Caller {
 public:
  explicit Caller(const Daemon& daemon) : client_(*platform::ControlClient::connect(daemon.socket)) {}

  void ask(const control::Request& request) { EXPECT_TRUE(client_.send(request)); }

  // The answer that closes the request; what came before is kept.
  Answer answer() {
    before.clear();
    for (;;) {
      auto got = client_.receive(20s);
      EXPECT_TRUE(got) << got.error().message;
      if (!got) return control::ErrorAnswer{};
      if (control::is_final(*got)) return *got;
      before.push_back(*got);
    }
  }
  Answer answer(const control::Request& request) {
    ask(request);
    return answer();
  }
  // The next one, whatever it is.
  Answer next() {
    auto got = client_.receive(20s);
    EXPECT_TRUE(got) << got.error().message;
    return got ? *got : Answer(control::ErrorAnswer{});
  }
  void wait_for_step() { next(); }

  template <class T>
  T want(const control::Request& request) {
    return as<T>(answer(request));
  }
  template <class T>
  static T as(const Answer& answer) {
    const T* got = std::get_if<T>(&answer);
    EXPECT_TRUE(got) << control::encode(answer);
    return got ? *got : T{};
  }

  std::vector<std::string> states() {
    std::vector<std::string> out;
    answer(control::StatusRequest{});
    for (const Answer& each : before)
      out.push_back(std::get<control::TunnelAnswer>(each).profile + ' ' + std::get<control::TunnelAnswer>(each).state);
    return out;
  }

  std::vector<Answer> before;

 private:
  platform::ControlClient client_;
};

}  // namespace causeway::tund

// `tunctl intercept`, `leave` and `list` as people run them, against a daemon whose tunnels are made up.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "platform/net/socket.h"
#include "tests/tools/run_tunctl.h"

namespace causeway {
namespace {

using platform::Descriptor;

struct Up : Daemon {
  explicit Up(const std::string& toml = "ok orders:http cache:tcp taken:http") {
    profiles.write("demo.toml", toml);
    EXPECT_EQ(tunctl(*this, "up demo").code, 0);
  }
  int intercepts() {
    int count = 0;
    on_loop([&] { count = fake::intercepts("demo"); });
    return count;
  }
  bool comes_to(int count) {
    for (int tries = 0; tries < 2000 && intercepts() != count; ++tries) std::this_thread::sleep_for(5ms);
    return intercepts() == count;
  }
  std::string file(const std::string& name) const { return folder.path + '/' + name; }
  std::string text(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(file(name)).rdbuf();
    return out.str();
  }
  TestFolder folder;
};

Descriptor listener(std::uint16_t port = 0) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  platform::SocketAddress at({packet::Address::v4(127, 0, 0, 1), port});
  EXPECT_EQ(bind(socket.get(), at.get(), at.size), 0);
  EXPECT_EQ(listen(socket.get(), 4), 0);
  return socket;
}
// One that nobody has now.
std::string free_port() { return std::to_string(platform::local_endpoint(listener().get()).port); }

// A command that listens on PORT after DELAY seconds, tells its signals, and ends with 7 on SIGUSR2.
std::string program_on(const std::string& port, const std::string& delay = "0") {
  return "python3 -c \"import signal, socket, sys, time\n"
         "def told(number, frame):\n"
         "  print('got', number, flush=True)\n"
         "  if number == signal.SIGUSR2: sys.exit(7)\n"
         "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2): signal.signal(number, told)\n"
         "print('begun', flush=True)\n"
         "time.sleep(" +
         delay +
         ")\n"
         "s = socket.socket()\n"
         "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
         "s.bind(('127.0.0.1', " +
         port +
         "))\n"
         "s.listen()\n"
         "while True: time.sleep(60)\"";
}

// tunctl, while the test goes on.
class Background {
 public:
  Background(const Up& up, const std::string& words) : out_(up.file("out")), err_(up.file("err")) {
    std::string command =
        "CAUSEWAY_SOCKET=" + up.socket + " exec " + program() + ' ' + words + " >" + out_ + " 2>" + err_;
    pid = fork();
    if (pid == 0) {
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(99);
    }
  }
  ~Background() {
    if (pid <= 0) return;
    kill(pid, SIGUSR2);  // its command ends
    for (int tries = 0; tries < 1000; ++tries) {
      if (waitpid(pid, nullptr, WNOHANG) == pid) return;
      std::this_thread::sleep_for(5ms);
    }
    ADD_FAILURE() << "tunctl does not end: " << err();
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  // Negative: the signal that ended it.
  int end() {
    int status = 0;
    waitpid(pid, &status, 0);
    pid = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  bool says(const std::string& text) const { return comes(out_, text); }
  bool complains(const std::string& text) const { return comes(err_, text); }
  std::string out() const { return read(out_); }
  std::string err() const { return read(err_); }
  pid_t pid;

 private:
  static std::string read(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }
  static bool comes(const std::string& file, const std::string& text) {
    for (int tries = 0; tries < 2000; ++tries) {
      if (read(file).find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
  std::string out_, err_;
};

TEST(TunctlIntercept, SaysStepByStepWhatItDidAndLeaveEndsIt) {
  Up up;
  Ran ran = tunctl(up, "intercept orders --port 1 --http-header X-User=anna --http-path-prefix /api");
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(has(ran, "  service ")) << ran.out;
  EXPECT_TRUE(has(ran, "orders, HTTP, at 10.96.0.10:80; its original is orders-v1:80\n  path ")) << ran.out;
  EXPECT_TRUE(has(
      ran,
      "\norders is intercepted: requests with x-user=anna and path /api go to 127.0.0.1:1 (proven, 1.2 ms there and "
      "back)\n"
      "note: nothing listens on 127.0.0.1:1 yet; until something does, orders-v1:80 answers\n"))
      << ran.out;
  EXPECT_EQ(up.intercepts(), 1);
  Ran again = tunctl(up, "intercept orders --port 1 --http-header x-user=anna --http-path-prefix /api");
  EXPECT_EQ(again.code, 0);
  EXPECT_TRUE(has(again, "it was already\n")) << again.out;
  Ran left = tunctl(up, "leave orders");
  EXPECT_EQ(left.code, 0);
  EXPECT_EQ(left.out, "orders is not intercepted from here any more\n");
  EXPECT_EQ(up.intercepts(), 0);
}

TEST(TunctlIntercept, SeesWhetherAProcessListensAndOnWhichLoopbackAddress) {
  Up up;
  Descriptor process = listener();
  std::string port = std::to_string(platform::local_endpoint(process.get()).port);
  Ran ran = tunctl(up, "intercept cache --port " + port);
  EXPECT_TRUE(has(ran, "cache is intercepted: all connections go to 127.0.0.1:" + port)) << ran.out;
  EXPECT_FALSE(has(ran, "nothing listens")) << ran.out;
  Descriptor six(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  platform::SocketAddress at(*packet::Endpoint::parse("[::1]:0"));
  ASSERT_EQ(bind(six.get(), at.get(), at.size), 0);
  ASSERT_EQ(listen(six.get(), 4), 0);
  std::string port_of_six = std::to_string(platform::local_endpoint(six.get()).port);
  EXPECT_TRUE(has(tunctl(up, "intercept orders --port " + port_of_six), "all requests go to [::1]:" + port_of_six));
}

TEST(TunctlIntercept, EachWayToFailHasItsExitCode) {
  Up up;
  const std::pair<const char*, int> ways[] = {{"intercept", 2},
                                              {"intercept 'or ders'", 2},
                                              {"intercept orders --port 0", 2},
                                              {"intercept orders --port 65536", 2},
                                              {"intercept orders --http-header x-user", 2},
                                              {"intercept orders --http-header 'x user=a'", 2},
                                              {"intercept orders --http-header a=1 --http-header A=2", 2},
                                              {"intercept orders --http-path-prefix api", 2},
                                              {"intercept orders --address 10.0.0", 2},
                                              {"intercept orders --address 0.0.0.0", 2},
                                              {"intercept orders --env-syntax sh", 2},
                                              {"intercept orders --env-file x --env-syntax yaml", 2},
                                              {"intercept orders --", 2},
                                              {"intercept orders ls", 2},
                                              {"intercept cache --http-header x-user=anna", 2},
                                              {"intercept order", 11},
                                              {"intercept order -- true", 11},
                                              {"intercept taken --port 1", 12},
                                              {"intercept orders --profile other", 10},
                                              {"leave orders", 11},
                                              {"leave", 2},
                                              {"list other", 10},
                                              {"list --jsno", 2}};
  for (const auto& [words, code] : ways) {
    Ran ran = tunctl(up, words);
    EXPECT_EQ(ran.code, code) << words << '\n' << ran.out;
  }
  EXPECT_TRUE(has(tunctl(up, "intercept taken --port 1"), "tunctl: path: taken is intercepted by bob\n"));
  EXPECT_TRUE(has(tunctl(up, "intercept order"),
                  "tunctl: service: the gateway has no service 'order'\n  to do: `tunctl list`"));
  EXPECT_EQ(up.intercepts(), 0);
}

TEST(TunctlIntercept, LeaveCanMeanOneOfSeveral) {
  Up up;
  for (const char* who : {"anna", "ben", "cleo"})
    EXPECT_EQ(tunctl(up, std::string("intercept orders --port 1 --http-header x-user=") + who).code, 0);
  EXPECT_EQ(tunctl(up, "leave orders --http-header x-user=ben").out,
            "orders with x-user=ben is not intercepted from here any more\n");
  EXPECT_EQ(tunctl(up, "leave orders --http-header x-user=ben").code, 11);
  EXPECT_EQ(tunctl(up, "leave orders").out, "orders is not intercepted from here any more, 2 intercepts ended\n");
}

TEST(TunctlIntercept, ListTellsWhatThereIsAndWhoHasIt) {
  Up up("ok orders:http cache:tcp");
  tunctl(up, "intercept orders --port 1 --http-header x-user=anna");
  Ran ran = tunctl(up, "list");
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(
      ran.out,
      "demo: orders, http at 10.96.0.10:80; its original is orders-v1:80\n"
      "  x-user=bob, by bob: active, 3 requests, 0 failures, for 1 min 0 s\n"
      "  x-user=anna > 127.0.0.1:1: ready, 12 requests, 1 failure, for 5 s, 1.2 ms there and back, the process has not "
      "answered yet\n"
      "demo: cache, tcp at 10.96.0.10:80; its original is cache-v1:80\n"
      "  x-user=bob, by bob: active, 3 requests, 0 failures, for 1 min 0 s\n");
  Ran json = tunctl(up, "list --json");
  EXPECT_EQ(json.code, 0);
  EXPECT_TRUE(has(json, "\"name\": \"orders\"")) << json.out;
  EXPECT_TRUE(has(json, "\"local\": \"127.0.0.1:1\"")) << json.out;
  up.on_loop([] { fake::lose_link("demo", "the gateway is silent"); });
  Ran lost = tunctl(up, "list");
  EXPECT_EQ(lost.code, 0);
  EXPECT_TRUE(has(lost, "demo: orders\n  x-user=anna > 127.0.0.1:1: ready")) << lost.out;
  EXPECT_TRUE(has(lost, "note: demo: only what is intercepted from here is shown")) << lost.out;
  EXPECT_TRUE(has(tunctl(up, "status"), "  intercept    orders (x-user=anna) > 127.0.0.1:1, ready\n"));
}

TEST(TunctlIntercept, AnEnvironmentFileIsWrittenInTheSyntaxThatIsWanted) {
  Up up;
  Ran ran = tunctl(up, "intercept orders --port 1 --env-file " + up.file("orders.sh"));
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_EQ(shell(". " + up.file("orders.sh") + "; printf '%s|%s' \"$DB_HOST\" \"$CERT\"").out, "db.shop|two\nlines");
  struct stat state {};
  ASSERT_EQ(stat(up.file("orders.sh").c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 07777, 0600u);
  EXPECT_EQ(tunctl(up, "intercept cache --port 1 --env-file " + up.file("x") + " --env-syntax json").code, 0);
  EXPECT_EQ(shell("python3 -c \"import json; print(json.load(open('" + up.file("x") + "'))['CERT'])\"").out,
            "two\nlines\n");
}

TEST(TunctlIntercept, AnEnvironmentThatASyntaxCannotHoldIsRefusedBeforeAnythingIsIntercepted) {
  Up up;
  Ran ran = tunctl(up, "intercept orders --port 1 --env-file " + up.file("orders.env"));
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(has(ran, "the variable CERT cannot be written in docker syntax: it has a line feed")) << ran.out;
  EXPECT_TRUE(has(ran, "to do: write it in sh or json syntax: --env-syntax, or the file's extension")) << ran.out;
  EXPECT_EQ(up.intercepts(), 0);
  EXPECT_EQ(shell("ls -A " + up.folder.path).out, "");
  EXPECT_EQ(tunctl(up, "intercept orders --port 1 --env-file " + up.file("no/such/folder.sh")).code, 1);
  EXPECT_EQ(up.intercepts(), 0);
}

TEST(TunctlIntercept, OnStandardOutputTheEnvironmentIsAlone) {
  Up up;
  Ran ran = shell("CAUSEWAY_SOCKET=" + up.socket + ' ' + program() +
                  " intercept orders --port 1 --env-file - --env-syntax sh 2>/dev/null");
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "export CERT='two\nlines'\nexport DB_HOST='db.shop'\nexport LD_PRELOAD='/x.so'\n");
}

TEST(TunctlIntercept, ACommandHasTheEnvironmentAndIsInterceptedWhileItRuns) {
  Up up;
  std::string port = free_port();
  Background run(up,
                 "intercept orders --port " + port +
                     " -- sh -c 'printf \"%s|%s|%s\\n\" \"$DB_HOST\" \"$CERT\" \"$LD_PRELOAD\"; exec \"$0\" \"$@\"' " +
                     program_on(port));
  EXPECT_TRUE(run.complains("orders is intercepted: all requests go to 127.0.0.1:" + port)) << run.err();
  EXPECT_TRUE(run.says("db.shop|two\nlines|\nbegun\n")) << run.out();
  EXPECT_TRUE(run.complains("left out of the environment, as they are this machine's own: LD_PRELOAD"));
  EXPECT_EQ(up.intercepts(), 1);
  EXPECT_TRUE(has(tunctl(up, "list"), ", as long as its command runs\n"));
  kill(run.pid, SIGUSR2);
  EXPECT_EQ(run.end(), 7);
  EXPECT_EQ(up.intercepts(), 0);
  EXPECT_EQ(run.out(), "db.shop|two\nlines|\nbegun\ngot 12\n");
}

TEST(TunctlIntercept, ItIsReadyOnlyWhenTheCommandListens) {
  Up up;
  std::string port = free_port();
  Background run(up, "intercept orders --port " + port + " -- " + program_on(port, "0.4"));
  ASSERT_TRUE(run.says("begun")) << run.err();
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(up.intercepts(), 0);
  EXPECT_EQ(run.err().find("is intercepted"), std::string::npos);
  EXPECT_TRUE(run.complains("orders is intercepted"));
  EXPECT_EQ(up.intercepts(), 1);
}

TEST(TunctlIntercept, WithoutAPortTheCommandListensOnTheServicesOwn) {
  Up up;
  std::string port = free_port();
  up.on_loop([&] { fake::services_listen_on(std::stoi(port)); });
  Background run(up, "intercept orders -- " + program_on(port));
  EXPECT_TRUE(run.complains("all requests go to 127.0.0.1:" + port)) << run.err();
  up.on_loop([] { fake::services_listen_on(80); });
}

TEST(TunctlIntercept, SignalsReachTheCommand) {
  Up up;
  std::string port = free_port();
  Background run(up, "intercept orders --port " + port + " -- " + program_on(port));
  ASSERT_TRUE(run.complains("is intercepted")) << run.err();
  for (int number : {SIGTERM, SIGINT, SIGHUP}) {
    kill(run.pid, number);
    EXPECT_TRUE(run.says("got " + std::to_string(number)));
  }
  EXPECT_EQ(up.intercepts(), 1);
}

TEST(TunctlIntercept, ACommandThatASignalEndsEndsTunctlTheSameWay) {
  Up up;
  std::string port = free_port();
  Background run(up, "intercept orders --port " + port + " -- sh -c 'exec \"$0\" \"$@\"' " + program_on(port));
  ASSERT_TRUE(run.complains("is intercepted")) << run.err();
  std::string child = shell("cat /proc/" + std::to_string(run.pid) + "/task/*/children").out;
  ASSERT_GT(std::atoi(child.c_str()), 1) << child;
  kill(std::atoi(child.c_str()), SIGKILL);
  EXPECT_EQ(run.end(), -SIGKILL);
  EXPECT_TRUE(up.comes_to(0));
}

TEST(TunctlIntercept, AnInterceptEndsWithATunctlThatIsKilled) {
  Up up;
  std::string port = free_port();
  Background run(up, "intercept orders --port " + port + " -- sh -c 'echo $$; exec \"$0\" \"$@\"' " + program_on(port));
  ASSERT_TRUE(run.complains("is intercepted")) << run.err();
  kill(run.pid, SIGKILL);
  EXPECT_EQ(run.end(), -SIGKILL);
  EXPECT_TRUE(up.comes_to(0));
  EXPECT_TRUE(run.says("got 15"));  // what the command makes of it is its own affair
  kill(std::stoi(run.out()), SIGKILL);
}

TEST(TunctlIntercept, ACommandThatEndsBeforeItListensIsNotIntercepted) {
  Up up;
  Ran ran = tunctl(up, "intercept orders --port " + free_port() + " -- sh -c 'exit 5'");
  EXPECT_EQ(ran.code, 5);
  EXPECT_TRUE(has(ran, "sh ended before it listened on 127.0.0.1:")) << ran.out;
  EXPECT_EQ(up.intercepts(), 0);
}

TEST(TunctlIntercept, WhatCannotBeRunHasTheExitCodesOfAShell) {
  Up up;
  Ran none = tunctl(up, "intercept orders --port " + free_port() + " -- no-such-program --help");
  EXPECT_EQ(none.code, 127);
  EXPECT_TRUE(has(none, "tunctl: cannot run no-such-program: No such file or directory\n")) << none.out;
  EXPECT_EQ(tunctl(up, "intercept orders --port " + free_port() + " -- /etc/passwd").code, 126);
}

TEST(TunctlIntercept, APortThatIsTakenIsToldBeforeTheCommandRuns) {
  Up up;
  Descriptor other = listener();
  std::string port = std::to_string(platform::local_endpoint(other.get()).port);
  Ran ran = tunctl(up, "intercept orders --port " + port + " -- echo ran");
  EXPECT_EQ(ran.code, 9);
  EXPECT_TRUE(has(ran, "something listens on 127.0.0.1:" + port + " already")) << ran.out;
  EXPECT_FALSE(has(ran, "ran\n"));
}

TEST(TunctlIntercept, ACommandWhoseServiceIsTakenIsEnded) {
  Up up;
  std::string port = free_port();
  Background run(up, "intercept taken --port " + port + " -- " + program_on(port));
  EXPECT_TRUE(run.complains("tunctl: path: taken is intercepted by bob")) << run.err();
  EXPECT_TRUE(run.says("got 15"));
  kill(run.pid, SIGUSR2);
  EXPECT_EQ(run.end(), 12);
}

TEST(TunctlIntercept, OneThatIsLeftBeforeItWasProvenIsAFailure) {
  Up up("ok hang:http");
  std::string port = free_port();
  {
    Background asking(up, "intercept hang --port 1");
    EXPECT_TRUE(up.comes_to(1));
    EXPECT_EQ(tunctl(up, "leave hang").code, 0);
    EXPECT_EQ(asking.end(), 1);
    EXPECT_TRUE(asking.complains("tunctl: hang was left before it was proven"));
  }
  Background run(up, "intercept hang --port " + port + " -- " + program_on(port));
  EXPECT_TRUE(up.comes_to(1));
  EXPECT_EQ(tunctl(up, "leave hang").code, 0);
  EXPECT_TRUE(run.complains("tunctl: hang was left before it was proven"));
  EXPECT_TRUE(run.says("got 15"));
  kill(run.pid, SIGUSR2);
  EXPECT_EQ(run.end(), 1);
}

TEST(TunctlIntercept, ACommandOutlivesAnInterceptThatIsTakenAway) {
  Up up;
  std::string port = free_port();
  Background run(up, "intercept orders --port " + port + " -- " + program_on(port));
  ASSERT_TRUE(run.complains("is intercepted")) << run.err();
  up.on_loop([] { fake::lose_intercept("demo", "orders"); });
  EXPECT_TRUE(run.complains("tunctl: orders is not intercepted for now: the link is down\n"));
  up.on_loop([] { fake::find_intercept("demo", "orders"); });
  EXPECT_TRUE(run.complains("tunctl: orders is intercepted again\n"));
  up.on_loop([] { fake::free_intercept("demo", "orders", "freed by the administrator"); });
  EXPECT_TRUE(run.complains("tunctl: orders is not intercepted any more: freed by the administrator\n"));
  kill(run.pid, SIGUSR2);
  EXPECT_EQ(run.end(), 7);
}

TEST(TunctlIntercept, ACommandOutlivesTheDaemon) {
  Up up;
  std::string port = free_port();
  Background run(up, "intercept orders --port " + port + " -- " + program_on(port));
  ASSERT_TRUE(run.complains("is intercepted")) << run.err();
  up.end();
  EXPECT_TRUE(run.complains("tunctl: orders is not intercepted any more: "));
  kill(run.pid, SIGUSR2);
  EXPECT_EQ(run.end(), 7);
}

TEST(TunctlIntercept, StrangersMayListAndNoMore) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to be somebody else";
  Up up;
  chmod(std::filesystem::path(up.socket).parent_path().c_str(), 0755);
  std::string as_stranger = "exec 9<" + program() + "; CAUSEWAY_SOCKET=" + up.socket +
                            " setpriv --reuid 64201 --regid 64201 --clear-groups /proc/self/fd/9 ";
  EXPECT_EQ(shell(as_stranger + "list 2>&1").code, 0);
  for (const char* words : {"intercept orders --port 1", "leave orders"}) {
    Ran ran = shell(as_stranger + words + " 2>&1");
    EXPECT_EQ(ran.code, 4) << ran.out;
    EXPECT_TRUE(has(ran, "may not begin or end intercepts"));
  }
  Ran peek = shell(as_stranger + "intercept orders --port 1 --env-file - 2>&1");
  EXPECT_EQ(peek.code, 4);
  EXPECT_TRUE(has(peek, "may not see the environment of services")) << peek.out;
  EXPECT_FALSE(has(peek, "db.shop"));
}

}  // namespace
}  // namespace causeway

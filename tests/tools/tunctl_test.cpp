// The program as people run it, against a daemon whose tunnels are made up.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/noise/keys.h"
#include "tests/tools/run_tunctl.h"

namespace causeway {
namespace {

TEST(Tunctl, HelpListsVerbsAndExitCodes) {
  Ran help = tunctl("--help");
  EXPECT_EQ(help.code, 0);
  for (std::string_view word : {"keygen", "pubkey", "up", "down", "status", "version", "Exit codes", "intercept",
                                "leave", "list", "tund is not running", "CAUSEWAY_SOCKET"}) {
    EXPECT_TRUE(has(help, word)) << word;
  }
  EXPECT_EQ(tunctl("up --help").code, 0);
}

TEST(Tunctl, WrongUsageHasItsOwnExitCode) {
  for (const char* words : {"", "reboot", "up a b", "--no-such", "status --jsno", "down --force"})
    EXPECT_EQ(tunctl(words).code, 2) << words;
}

TEST(Tunctl, KeysGoThroughFilesAndPipes) {
  TestFolder folder;
  std::string file = folder.path + "/laptop.key";
  Ran made = shell("umask 0; " + program() + " keygen " + file + " 2>&1");
  EXPECT_EQ(made.code, 0) << made.out;
  struct stat state {};
  ASSERT_EQ(stat(file.c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 07777, 0600u);
  Ran shown = shell(program() + " pubkey " + file);
  EXPECT_EQ(shown.code, 0);
  ASSERT_EQ(shown.out.size(), 45u);
  EXPECT_TRUE(noise::parse_public_key(shown.out));
  EXPECT_TRUE(has(made, shown.out.substr(0, 44)));
  EXPECT_EQ(shell(program() + " pubkey < " + file).out, shown.out);
  EXPECT_EQ(shell(program() + " pubkey - < " + file).out, shown.out);
  Ran piped = shell(program() + " keygen 2>/dev/null | tee " + folder.path + "/copy | " + program() + " pubkey");
  EXPECT_EQ(piped.out, shell(program() + " pubkey " + folder.path + "/copy 2>/dev/null").out);
  EXPECT_NE(piped.out, shown.out);
}

TEST(Tunctl, KeygenReplacesAKeyOnlyWhenTold) {
  TestFolder folder;
  std::string file = folder.path + "/laptop.key";
  ASSERT_EQ(tunctl("keygen " + file).code, 0);
  std::string first = shell("cat " + file).out;
  Ran again = tunctl("keygen " + file);
  EXPECT_EQ(again.code, 1);
  EXPECT_TRUE(has(again, "exists already"));
  EXPECT_EQ(shell("cat " + file).out, first);
  chmod(file.c_str(), 0644);
  EXPECT_EQ(tunctl("keygen --force " + file).code, 0);
  EXPECT_NE(shell("cat " + file).out, first);
  struct stat state {};
  stat(file.c_str(), &state);
  EXPECT_EQ(state.st_mode & 07777, 0600u);
  EXPECT_EQ(shell("ls -A " + folder.path).out, "laptop.key\n");
  EXPECT_EQ(tunctl("keygen " + folder.path + "/no/such/folder.key").code, 1);
}

TEST(Tunctl, PubkeyWarnsOfLooseRightsAndRefusesWhatIsNoKey) {
  TestFolder folder;
  std::string file = folder.path + "/laptop.key";
  tunctl("keygen " + file);
  chmod(file.c_str(), 0640);
  Ran loose = tunctl("pubkey " + file);
  EXPECT_EQ(loose.code, 0);
  EXPECT_TRUE(has(loose, "warning"));
  folder.write("bad.key", "not a key\n");
  EXPECT_EQ(tunctl("pubkey " + folder.path + "/bad.key").code, 5);
  EXPECT_EQ(tunctl("pubkey " + folder.path + "/none.key").code, 5);
  EXPECT_EQ(tunctl("pubkey < /dev/null").code, 5);
  EXPECT_EQ(tunctl("pubkey < /dev/zero").code, 5);
}

TEST(Tunctl, WithoutADaemonSaysSo) {
  TestFolder folder;
  for (const char* words : {"up", "down", "status", "status --json", "list", "intercept orders", "leave orders",
                            "intercept orders -- true", "intercept orders --env-file /dev/null"}) {
    Ran ran = tunctl("--socket " + folder.path + "/none.sock " + words);
    EXPECT_EQ(ran.code, 3) << words;
    EXPECT_TRUE(has(ran, "tund is not running"));
    EXPECT_TRUE(has(ran, "systemctl start tund"));
  }
  Ran version = tunctl("version --socket " + folder.path + "/none.sock");
  EXPECT_EQ(version.code, 0);
  EXPECT_TRUE(has(version, "tunctl "));
}

TEST(Tunctl, UpSaysWhatItSetUpAndHowLongItTook) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok");
  Ran up = tunctl(daemon, "up demo");
  EXPECT_EQ(up.code, 0);
  EXPECT_TRUE(has(up, "  profile     100 us  read\n")) << up.out;
  EXPECT_TRUE(has(up, "  device      4.1 ms  cw-demo\n")) << up.out;
  EXPECT_TRUE(has(up, "demo is up, in "));
  Ran again = tunctl(daemon, "up");
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(again.out, "demo was up already\n");
  Ran down = tunctl(daemon, "down demo");
  EXPECT_EQ(down.code, 0);
  EXPECT_EQ(down.out, "  cw-demo removed\ndemo is down\n");
  EXPECT_EQ(tunctl(daemon, "down demo").out, "demo was down already\n");
  EXPECT_EQ(tunctl(daemon, "down").out, "nothing is up\n");
}

TEST(Tunctl, EachWayToFailHasItsExitCode) {
  Daemon daemon;
  const std::pair<const char*, int> ways[] = {{"invalid unknown key", 5},
                                              {"device conflict cw-demo is there", 9},
                                              {"device permission no tun", 9},
                                              {"gateway unavailable no route", 6},
                                              {"link timed_out no answer", 6},
                                              {"link refused the gateway does not know our key", 7},
                                              {"echo timed_out nothing came back", 6},
                                              {"dns timed_out no answer", 8},
                                              {"resolver system read-only", 9}};
  for (const auto& [text, code] : ways) {
    daemon.profiles.write("demo.toml", text);
    Ran up = tunctl(daemon, "up demo");
    EXPECT_EQ(up.code, code) << text;
  }
  daemon.profiles.write("demo.toml", "link refused the gateway does not know our key");
  Ran up = tunctl(daemon, "up demo");
  EXPECT_TRUE(has(up, "tunctl: link: the gateway does not know our key\n  to do: do something about it\n")) << up.out;
  EXPECT_EQ(tunctl(daemon, "up nobody").code, 5);
  EXPECT_EQ(tunctl(daemon, "up UPPER").code, 5);
}

TEST(Tunctl, StatusTellsHowItIsAndExitsAccordingly) {
  Daemon daemon;
  EXPECT_EQ(tunctl(daemon, "status").code, 10);
  daemon.profiles.write("demo.toml", "ok");
  Ran down = tunctl(daemon, "status");
  EXPECT_EQ(down.code, 10);
  EXPECT_EQ(down.out, "demo: down\n");
  tunctl(daemon, "up demo");
  Ran up = tunctl(daemon, "status demo");
  EXPECT_EQ(up.code, 0);
  EXPECT_TRUE(has(up, "demo: up for 1 min 1 s, by 10.77.0.1:7700 (1.5 ms there and back)\n")) << up.out;
  EXPECT_TRUE(has(up, "  routes       10.96.0.0/16, fd00:96::/112\n")) << up.out;
  EXPECT_TRUE(has(up, "  cipher       ChaCha20-Poly1305 by hand\n")) << up.out;
  EXPECT_FALSE(has(up, "packets_in"));
  EXPECT_TRUE(has(tunctl(daemon, "status --counters"), "packets_in"));
  daemon.on_loop([] { fake::lose_link("demo", "the gateway is silent"); });
  Ran lost = tunctl(daemon, "status");
  EXPECT_EQ(lost.code, 10);
  EXPECT_TRUE(has(lost, "reconnecting"));
  EXPECT_TRUE(has(lost, "the gateway is silent"));
}

TEST(Tunctl, StatusInJsonKeepsItsKeys) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok");
  tunctl(daemon, "up");
  Ran json = tunctl(daemon, "status --json");
  EXPECT_EQ(json.code, 0);
  std::size_t at = 0;
  for (std::string_view key :
       {"tunnels",    "profile",     "state",          "device",     "gateway",  "gateway_key", "own_key",
        "last_error", "up_for_s",    "round_trip_us",  "icmp",       "resolver", "cipher",      "routes",
        "addresses",  "dns_servers", "skipped_routes", "intercepts", "counters", "packets_out", "packets_in"}) {
    std::size_t found = json.out.find('"' + std::string(key) + "\":");
    EXPECT_NE(found, std::string::npos) << key << json.out;
    EXPECT_GE(found, at) << key;
    at = found;
  }
}

// A profile of the caller's own, with its keys.
struct OwnProfile {
  explicit OwnProfile(const std::string& more = "") {
    tunctl("keygen " + folder.path + "/laptop.key");
    std::string key = shell(program() + " pubkey " + folder.path + "/laptop.key").out.substr(0, 44);
    folder.write("mine.toml", "gateways = [\"10.77.0.1:7700\"]\ngateway_key = \"" + key +
                                  "\"\nkey_file = \"laptop.key\"\nroutes = [\"10.96.0.0/16\"]\n" + more);
  }
  TestFolder folder;
};

TEST(Tunctl, AProfileByItsPathIsReadByTunctlAndSentWithItsKeys) {
  Daemon daemon;
  OwnProfile own;
  // The fake knows no such text, and says at which step it stands: sent it was.
  Ran up =
      shell("cd " + own.folder.path + " && CAUSEWAY_SOCKET=" + daemon.socket + ' ' + program() + " up mine.toml 2>&1");
  EXPECT_TRUE(has(up, "  device      4.1 ms  cw-mine\n")) << up.out;
  EXPECT_TRUE(has(tunctl(daemon, "down ./mine.toml"), "mine was down already"));
}

TEST(Tunctl, WhatIsWrongWithAProfileByItsPathIsToldBeforeAnythingIsAsked) {
  OwnProfile typo("rotues = []\n");
  Ran wrong = tunctl("--socket /nonexistent up " + typo.folder.path + "/mine.toml");
  EXPECT_EQ(wrong.code, 5);
  EXPECT_TRUE(has(wrong, "/mine.toml:5:1: unknown key 'rotues'; did you mean 'routes'?")) << wrong.out;

  OwnProfile loose;
  chmod((loose.folder.path + "/laptop.key").c_str(), 0644);
  Ran refused = tunctl("--socket /nonexistent up " + loose.folder.path + "/mine.toml");
  EXPECT_EQ(refused.code, 5);
  EXPECT_TRUE(has(refused, "chmod 600")) << refused.out;

  OwnProfile without("psk_file = \"laptop.psk\"\n");
  EXPECT_EQ(tunctl("--socket /nonexistent up " + without.folder.path + "/mine.toml").code, 5);
  EXPECT_EQ(tunctl("--socket /nonexistent up ./none.toml").code, 5);
  without.folder.write("laptop.psk", std::string(43, 'A') + "=\n");
  chmod((without.folder.path + "/laptop.psk").c_str(), 0600);
  EXPECT_EQ(tunctl("--socket /nonexistent up " + without.folder.path + "/mine.toml").code, 3);
}

TEST(Tunctl, StrangersMayAskButNotChange) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to be somebody else";
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok");
  chmod(std::filesystem::path(daemon.socket).parent_path().c_str(), 0755);
  // The program itself may lie where a stranger cannot reach: opened before, run after.
  std::string as_stranger =
      "CAUSEWAY_SOCKET=" + daemon.socket + " setpriv --reuid 64201 --regid 64201 --clear-groups /proc/self/fd/9 ";
  Ran up = shell("exec 9<" + program() + "; " + as_stranger + "up demo 2>&1");
  EXPECT_EQ(up.code, 4) << up.out;
  EXPECT_TRUE(has(up, "may not bring tunnels up or down"));
  EXPECT_EQ(shell("exec 9<" + program() + "; " + as_stranger + "status 2>&1").out, "demo: down\n");
}

TEST(Tunctl, AnAnswerThatIsNoAnswerIsNotTakenForOne) {
  TestFolder folder;
  auto listening = platform::listen_on(folder.path + "/odd.sock");
  ASSERT_TRUE(listening);
  std::thread odd([&] {
    platform::Descriptor caller;
    while (!caller) caller = platform::Descriptor(accept(listening->get(), nullptr, nullptr));
    std::string text = "HTTP/1.1 400 Bad Request\n";
    EXPECT_GT(send(caller.get(), text.data(), text.size(), MSG_NOSIGNAL), 0);
    char buffer[256];
    while (recv(caller.get(), buffer, sizeof buffer, 0) > 0) continue;
  });
  Ran ran = tunctl("--socket " + folder.path + "/odd.sock status");
  odd.join();
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_TRUE(has(ran, "not understood"));
}

}  // namespace
}  // namespace causeway

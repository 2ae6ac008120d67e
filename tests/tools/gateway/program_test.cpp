// tun-gateway as it is started by people: its files, its signals, its exit codes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/noise/aead_choice.h"
#include "platform/loop/clock.h"
#include "tests/platform/gateway/peer.h"

namespace causeway::platform {
namespace {

namespace fs = std::filesystem;

double seconds_since(Instant start) { return std::chrono::duration<double>(boot_now() - start).count(); }

class GatewayProgram : public testing::Test {
 protected:
  GatewayProgram() {
    std::string pattern = fs::temp_directory_path() / "causeway-gateway-XXXXXX";
    CAUSEWAY_ASSERT(mkdtemp(pattern.data()));
    folder = pattern;
    write("gateway.key", noise::encode_key(gateway_key.private_key.bytes()) + "\n");
    chmod((folder / "gateway.key").c_str(), 0600);
    write("clients", line(client_key, "alice"));
    write("gateway.toml", config());
  }
  ~GatewayProgram() override {
    if (child > 0) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    fs::remove_all(folder);
  }

  std::string config(const std::string& clients = "clients") const {
    return "listen = ['127.0.0.1:0']\nkey_file = 'gateway.key'\nclients_file = '" + clients +
           "'\ndns = ['127.0.0.1:1']\n";
  }
  static std::string line(const noise::KeyPair& pair, const std::string& name) {
    return noise::encode_key(pair.public_key) + " " + name + "\n";
  }
  void write(const fs::path& name, const std::string& text) { std::ofstream(folder / name) << text; }
  void replace(const fs::path& name, const std::string& text) {
    write(name.string() + ".new", text);
    fs::rename(folder / (name.string() + ".new"), folder / name);
  }

  // Starts it in the folder "/", as service managers do.
  void start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), std::getenv("CAUSEWAY_TUN_GATEWAY"));
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    child = fork();
    if (child != 0) return;
    int log = open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(log, 1);
    dup2(log, 2);
    if (chdir("/") == 0) execv(words[0], words.data());
    _exit(127);
  }
  int wait_for_exit() {
    int status = 0;
    waitpid(child, &status, 0);
    child = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::string log() const {
    std::ostringstream text;
    text << std::ifstream(folder / "log").rdbuf();
    return text.str();
  }
  bool logged(const std::string& text) {
    Instant begin = boot_now();
    while (seconds_since(begin) < 10) {
      if (log().find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  void serve() {
    start({"--config", folder / "gateway.toml"});
    ASSERT_TRUE(logged("may enter")) << log();
    std::string text = log();
    std::size_t at = text.find("127.0.0.1:", text.find("listens on"));
    port = std::uint16_t(std::stoi(text.substr(at + 10)));
  }
  std::unique_ptr<Peer> connect(const noise::KeyPair& pair) {
    return std::make_unique<Peer>(pair, gateway_key.public_key, port);
  }

  noise::SodiumRandom random;
  noise::KeyPair gateway_key = noise::generate(random), client_key = noise::generate(random),
                 other_key = noise::generate(random);
  fs::path folder;
  pid_t child = -1;
  std::uint16_t port = 0;
};

TEST_F(GatewayProgram, SaysWhoCameAndWentAndEndsWithZeroOnSigterm) {
  serve();
  EXPECT_NE(log().find(noise::encode_key(gateway_key.public_key)), std::string::npos);
  EXPECT_NE(log().find("it seals with " + noise::cipher_name()), std::string::npos);
  {
    auto peer = connect(client_key);
    ASSERT_TRUE(peer->up()) << peer->why();
    EXPECT_TRUE(logged("alice (key " + noise::fingerprint(client_key.public_key) + ") came from 127.0.0.1:"));
  }
  EXPECT_TRUE(logged("went, after "));
  auto stranger = connect(other_key);
  EXPECT_FALSE(stranger->up());
  EXPECT_TRUE(logged("a stranger (key " + noise::fingerprint(other_key.public_key) + ") at 127.0.0.1:"));
  auto peer = connect(client_key);
  ASSERT_TRUE(peer->up());
  Instant begin = boot_now();
  kill(child, SIGTERM);
  EXPECT_EQ(wait_for_exit(), 0);
  EXPECT_LT(seconds_since(begin), 2.0);
}

TEST_F(GatewayProgram, AKeyRemovedFromTheFileEndsItsSessionWithinASecond) {
  write("clients", line(client_key, "alice") + line(other_key, "bob"));
  serve();
  auto alice = connect(client_key), bob = connect(other_key);
  ASSERT_TRUE(alice->up() && bob->up());
  Instant begin = boot_now();
  replace("clients", line(other_key, "bob"));
  EXPECT_TRUE(alice->until([&] { return alice->gone(); }));
  EXPECT_LT(seconds_since(begin), 1.0);
  EXPECT_FALSE(bob->gone());
  begin = boot_now();
  write("clients", "# nobody\n");  // in place this time
  EXPECT_TRUE(bob->until([&] { return bob->gone(); }));
  EXPECT_LT(seconds_since(begin), 1.0);
}

TEST_F(GatewayProgram, AMountedFileIsFollowedThroughItsLinks) {
  // As Kubernetes mounts a ConfigMap: clients > ..data/clients, and ..data is a link that is turned to a new folder.
  fs::create_directories(folder / "mount/..one");
  fs::create_directories(folder / "mount/..two");
  write("mount/..one/clients", line(client_key, "alice"));
  write("mount/..two/clients", line(other_key, "bob"));
  fs::create_symlink("..one", folder / "mount/..data");
  fs::create_symlink("..data/clients", folder / "mount/clients");
  write("gateway.toml", config("mount/clients"));
  serve();
  auto alice = connect(client_key);
  ASSERT_TRUE(alice->up());
  Instant begin = boot_now();
  fs::create_symlink("..two", folder / "mount/..data_new");
  fs::rename(folder / "mount/..data_new", folder / "mount/..data");
  EXPECT_TRUE(alice->until([&] { return alice->gone(); }));
  EXPECT_LT(seconds_since(begin), 1.0);
  EXPECT_TRUE(connect(other_key)->up());
}

TEST_F(GatewayProgram, AFileOutsideItsFolderIsFollowedToo) {
  fs::create_directories(folder / "elsewhere");
  write("elsewhere/list", line(client_key, "alice"));
  fs::remove(folder / "clients");
  fs::create_symlink("elsewhere/list", folder / "clients");
  serve();
  auto alice = connect(client_key);
  ASSERT_TRUE(alice->up());
  Instant begin = boot_now();
  write("elsewhere/list", "");
  EXPECT_TRUE(alice->until([&] { return alice->gone(); }));
  EXPECT_LT(seconds_since(begin), 1.2);
}

TEST_F(GatewayProgram, ABadLineIsToldAndLetsNobodyInWhileTheOthersCount) {
  serve();
  auto alice = connect(client_key);
  ASSERT_TRUE(alice->up());
  replace("clients", line(client_key, "alice") + "nonsense carol\n" + line(other_key, "bob"));
  EXPECT_TRUE(logged("clients:2: the first word is not a key"));
  EXPECT_TRUE(logged("2 clients may enter"));
  EXPECT_TRUE(connect(other_key)->up());
  EXPECT_FALSE(alice->gone());
}

TEST_F(GatewayProgram, AMissingFileChangesNothing) {
  serve();
  auto alice = connect(client_key);
  ASSERT_TRUE(alice->up());
  fs::remove(folder / "clients");
  EXPECT_TRUE(logged("whoever was authorised before still is"));
  EXPECT_TRUE(connect(client_key)->up());
}

TEST_F(GatewayProgram, SighupReadsPreSharedKeysAgain) {
  Secret<32> psk;
  random.fill(psk.bytes());
  write("alice.psk", noise::encode_key(psk.bytes()));
  chmod((folder / "alice.psk").c_str(), 0644);
  write("clients", noise::encode_key(client_key.public_key) + " alice alice.psk\n");
  serve();
  EXPECT_NE(log().find("alice.psk can be read or changed by others"), std::string::npos);
  EXPECT_FALSE(Peer(client_key, gateway_key.public_key, port, psk).up());
  chmod((folder / "alice.psk").c_str(), 0600);
  kill(child, SIGHUP);
  ASSERT_TRUE(logged("1 client may enter"));
  EXPECT_TRUE(Peer(client_key, gateway_key.public_key, port, psk).up());
}

TEST_F(GatewayProgram, AKeyFileThatOthersCanReadIsRefused) {
  for (mode_t mode : {0640, 0604, 0660, 0644}) {
    chmod((folder / "gateway.key").c_str(), mode);
    start({"--config", folder / "gateway.toml"});
    EXPECT_EQ(wait_for_exit(), 1);
    EXPECT_NE(log().find("gateway.key can be read or changed by others"), std::string::npos) << log();
    EXPECT_NE(log().find("chmod 600"), std::string::npos);
  }
}

TEST_F(GatewayProgram, MistakesAreToldWithTheirPlaceBeforeAnythingStarts) {
  write("gateway.toml", config() + "lisen = []\n");
  start({"--config", folder / "gateway.toml"});
  EXPECT_EQ(wait_for_exit(), 2);
  EXPECT_NE(log().find("gateway.toml:5:1: unknown key 'lisen'; did you mean 'listen'?"), std::string::npos) << log();
  start({"--key-file", folder / "gateway.key"});
  EXPECT_EQ(wait_for_exit(), 2);
  EXPECT_NE(log().find("no clients_file is given"), std::string::npos) << log();
  start({"--nonsense"});
  EXPECT_EQ(wait_for_exit(), 2);
}

TEST_F(GatewayProgram, CheckLooksAndDoesNotServe) {
  start({"--config", folder / "gateway.toml", "--check"});
  EXPECT_EQ(wait_for_exit(), 0);
  EXPECT_NE(log().find("1 client may enter"), std::string::npos) << log();
  write("clients", "nonsense\n");
  start({"--config", folder / "gateway.toml", "--check"});
  EXPECT_EQ(wait_for_exit(), 1);
  EXPECT_NE(log().find("clients:1:"), std::string::npos) << log();
}

TEST_F(GatewayProgram, FlagsWinOverTheFile) {
  write("gateway.toml", "listen = ['192.0.2.1:7700']\nkey_file = 'missing'\nclients_file = 'missing'\n");
  start({"--config", folder / "gateway.toml", "--listen", "127.0.0.1:0", "--key-file", folder / "gateway.key",
         "--clients-file", folder / "clients", "--log-level", "debug", "--sessions-per-client", "1"});
  EXPECT_TRUE(logged("1 client may enter")) << log();
}

TEST_F(GatewayProgram, APortThatIsTakenIsTold) {
  serve();
  pid_t first = child;
  start({"--config", folder / "gateway.toml", "--listen", "127.0.0.1:" + std::to_string(port)});
  EXPECT_EQ(wait_for_exit(), 1);
  EXPECT_NE(log().find("another program has this port"), std::string::npos) << log();
  child = first;
}

class Administrator : public GatewayProgram {
 protected:
  Administrator() {
    write("gateway.toml", config() +
                              "control_socket = 'control.sock'\n[[service]]\nname = 'orders'\nprotocol = 'http'\n"
                              "listen = ['127.0.0.1:0']\noriginal = 'orders-v1:8080'\n"
                              "[[service]]\nname = 'cache'\nlisten = ['127.0.0.1:0']\noriginal = '127.0.0.1:1'\n");
  }
  // Another tun-gateway, which asks the first one.
  std::pair<int, std::string> ask(std::vector<std::string> arguments) {
    pid_t first = child;
    fs::rename(folder / "log", folder / "first.log");
    arguments.insert(arguments.end(), {"--config", folder / "gateway.toml"});
    start(std::move(arguments));
    int code = wait_for_exit();
    std::string said = log();
    fs::rename(folder / "first.log", folder / "log");
    child = first;
    return {code, said};
  }
};

TEST_F(Administrator, IsToldTheServices) {
  serve();
  auto [code, said] = ask({"intercepts"});
  EXPECT_EQ(code, 0);
  EXPECT_EQ(said.find("orders, http at 127.0.0.1:"), 0u) << said;
  EXPECT_NE(said.find("; its original is orders-v1:8080; 0 connections\ncache, tcp at 127.0.0.1:"), std::string::npos)
      << said;
  auto [json_code, json] = ask({"intercepts", "--json"});
  EXPECT_EQ(json_code, 0);
  EXPECT_NE(json.find("\"name\": \"orders\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"intercepts\": []"), std::string::npos) << json;
}

TEST_F(Administrator, IsToldThatThereIsNothingToFree) {
  serve();
  auto [code, said] = ask({"free", "orders", "--owner", "alice"});
  EXPECT_EQ(code, 3);
  EXPECT_EQ(said, "orders is not intercepted by alice\n");
  EXPECT_TRUE(logged("the administrator freed 0 intercepts of service orders, owned by alice"));
  EXPECT_EQ(ask({"free"}).first, 2);
  EXPECT_EQ(ask({"free", "or ders"}).first, 1);
  EXPECT_EQ(ask({"free", "order"}).second, "tun-gateway: there is no service 'order'\n");
}

TEST_F(Administrator, IsToldWhereNoGatewayAnswers) {
  start({"intercepts", "--config", folder / "gateway.toml"});
  EXPECT_EQ(wait_for_exit(), 1);
  EXPECT_NE(log().find("tun-gateway: nobody listens on " + (folder / "control.sock").string()), std::string::npos)
      << log();
  EXPECT_NE(log().find("control_socket in its configuration"), std::string::npos) << log();
}

TEST_F(Administrator, FindsNoSocketOnceTheGatewayHasEnded) {
  serve();
  EXPECT_TRUE(fs::exists(folder / "control.sock"));
  kill(child, SIGTERM);
  EXPECT_EQ(wait_for_exit(), 0);
  EXPECT_FALSE(fs::exists(folder / "control.sock"));
}

TEST_F(Administrator, ASocketThatWasAskedForAndCannotBeHadIsAFailure) {
  start({"--config", folder / "gateway.toml", "--control-socket", "/proc/no/control.sock"});
  EXPECT_EQ(wait_for_exit(), 1);
  EXPECT_NE(log().find("cannot listen on /proc/no/control.sock"), std::string::npos) << log();
}

}  // namespace
}  // namespace causeway::platform

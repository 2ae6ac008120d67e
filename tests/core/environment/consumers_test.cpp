// What is written comes back whole from those for whom it is written: shells, Python's JSON, docker's command line.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "core/base/random.h"
#include "core/environment/syntax.h"
#include "core/json/json.h"

namespace causeway::environment {
namespace {

using Map = std::map<std::string, std::string>;

struct Folder {
  Folder() {
    char name[] = "/tmp/causeway-environment-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 65536> buffer;
  while (std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), size);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return out;
}

bool is_there(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

// "A=1\0B=2\0"
Map pairs_of(const std::string& text) {
  Map pairs;
  std::istringstream in(text);
  for (std::string pair; std::getline(in, pair, '\0');) {
    std::size_t equals = pair.find('=');
    pairs[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return pairs;
}

void write_file(const std::string& path, const Variables& variables, Syntax syntax) {
  auto text = write(variables, syntax);
  ASSERT_TRUE(text) << text.error().message;
  std::ofstream(path) << *text;
}

// Everything that quoting gets wrong, alone and mixed at random.
Variables awkward(bool lines) {
  const std::vector<std::string> pieces{"'",
                                        "\"",
                                        "\\",
                                        "$",
                                        "${A}",
                                        "$(id)",
                                        "`id`",
                                        "!",
                                        "!!",
                                        "#",
                                        ";",
                                        "&",
                                        "|",
                                        "<",
                                        ">",
                                        "*",
                                        "?",
                                        "[a]",
                                        "{a,b}",
                                        "~",
                                        "~/",
                                        "=",
                                        ":",
                                        "%",
                                        "^",
                                        " ",
                                        "\t",
                                        "\\n",
                                        "\\0",
                                        "\x01",
                                        "\x1b[0m",
                                        "\x7f",
                                        "\xc3\xa4",
                                        "\xe2\x80\xa8",
                                        "\xf0\x9f\x98\x80",
                                        "\xef\xbb\xbf",
                                        "-n",
                                        "'\\''",
                                        "''",
                                        "\r",
                                        "\v",
                                        "\f",
                                        "a",
                                        "Z9"};
  Variables all{{"EMPTY", ""}, {"SPACES", "  "}, {"LONG", std::string(60000, 'x')}, {"_lower_9", "x"}};
  for (const std::string& piece : pieces) {
    all.emplace_back("ALONE_" + std::to_string(all.size()), piece + 'x');
    all.emplace_back("TWICE_" + std::to_string(all.size()), 'x' + piece + piece + 'x');
    if (piece != "\r") all.emplace_back("LAST_" + std::to_string(all.size()), "x " + piece);
  }
  if (lines) {
    for (const char* value :
         {"\n", "a\n", "\na", "a\r\nb\r\n", "\n\n'\n\"\n\\\n", "-----BEGIN KEY-----\nMIIE\n-----END KEY-----\n"})
      all.emplace_back("LINES_" + std::to_string(all.size()), value);
  }
  SeededRandom random(4);
  for (int i = 0; i < 200; ++i) {
    std::string value;
    for (std::uint64_t n = random.below(12); n > 0; --n) {
      value += lines && random.below(8) == 0 ? "\n" : pieces[random.below(pieces.size())];
    }
    if (!value.ends_with('\r')) all.emplace_back("MIXED_" + std::to_string(i), value);
  }
  return all;
}

void expect_all(const Map& got, const Variables& wanted, const std::string& by) {
  for (const auto& [name, value] : wanted) {
    auto found = got.find(name);
    ASSERT_NE(found, got.end()) << by << ' ' << name;
    EXPECT_EQ(found->second, value) << by << ' ' << name;
  }
}

TEST(EnvironmentConsumers, ShellsSetWhatIsWritten) {
  Folder folder;
  Variables wanted = awkward(true);
  write_file(folder.path + "/all.sh", wanted, Syntax::kSh);
  int tried = 0;
  for (const char* shell : {"sh", "dash", "bash", "bash --posix", "bash -e", "busybox sh", "ksh", "mksh"}) {
    if (!is_there(std::string(shell).substr(0, std::string(shell).find(' ')))) continue;
    std::string out =
        output_of(std::string("env -i PATH=\"$PATH\" ") + shell + " -c '. " + folder.path + "/all.sh && exec env -0'");
    expect_all(pairs_of(out), wanted, shell);
    ++tried;
  }
  EXPECT_GE(tried, 2) << "sh and another one";
}

TEST(EnvironmentConsumers, MostNamesOfShellsCanBeSetAsWell) {
  Folder folder;
  for (const char* name :
       {"PATH", "HOME", "IFS", "PS1", "PWD", "ENV", "OPTARG", "HISTSIZE", "LANG", "TERM", "BASH_ENV", "HOSTNAME"}) {
    Variables wanted{{name, "a b:c"}, {"NEXT", "1"}};
    write_file(folder.path + "/one.sh", wanted, Syntax::kSh);
    for (const char* shell : {"/bin/sh", "/bin/bash"}) {
      std::string out =
          output_of(std::string("env -i ") + shell + " -c '. " + folder.path + "/one.sh && exec /usr/bin/env -0'");
      expect_all(pairs_of(out), wanted, shell);
    }
  }
}

TEST(EnvironmentConsumers, PythonReadsTheJson) {
  if (!is_there("python3")) GTEST_SKIP() << "there is no python3";
  Folder folder;
  Variables wanted = awkward(true);
  wanted.emplace_back("spring.datasource.url", "a\nb");
  write_file(folder.path + "/all.json", wanted, Syntax::kJson);
  std::string out = output_of(
      "python3 -c \"import json, sys; sys.stdout.buffer.write(b''.join(f'{k}={v}'.encode() + bytes(1)"
      " for k, v in json.load(open('" +
      folder.path + "/all.json', encoding='utf-8')).items()))\"");
  Map got = pairs_of(out);
  expect_all(got, wanted, "python3");
  EXPECT_EQ(got.size(), wanted.size());
}

// Takes what docker's command line asks of a daemon, and keeps the container that it is to create.
class FakeDockerDaemon {
 public:
  explicit FakeDockerDaemon(const std::string& path) : listening_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listening_, 8), 0);
    thread_ = std::thread([this] {
      for (int peer; (peer = accept(listening_, nullptr, nullptr)) >= 0; close(peer)) serve(peer);
    });
  }
  ~FakeDockerDaemon() {
    shutdown(listening_, SHUT_RDWR);
    thread_.join();
    close(listening_);
  }
  std::string created;  // the request's body; to be read once docker has ended

 private:
  void serve(int peer) {
    std::string in;
    while (receive(peer, in, in.find("\r\n\r\n") == std::string::npos)) {
      std::size_t head = in.find("\r\n\r\n") + 4;
      std::size_t field = in.find("Content-Length: ");
      std::size_t length = field < head ? std::stoul(in.substr(field + 16)) : 0;
      while (in.size() < head + length) {
        if (!receive(peer, in, true)) return;
      }
      bool create =
          in.starts_with("POST") && in.substr(0, in.find('\r')).find("/containers/create") != std::string::npos;
      if (create) created = in.substr(head, length);
      std::string answer =
          create ? "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"Id\":\"x\"}"
                 : "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n";
      if (::write(peer, answer.data(), answer.size()) < 0) return;
      in.erase(0, head + length);
    }
  }
  static bool receive(int peer, std::string& in, bool needed) {
    if (!needed) return true;
    char buffer[65536];
    ssize_t size = ::read(peer, buffer, sizeof buffer);
    if (size > 0) in.append(buffer, std::size_t(size));
    return size > 0;
  }

  int listening_;
  std::thread thread_;
};

TEST(EnvironmentConsumers, DockersCommandLineReadsItsEnvFile) {
  if (!is_there("docker")) GTEST_SKIP() << "there is no docker";
  Folder folder;
  Variables wanted = awkward(false);
  wanted.emplace_back("spring.datasource.url", "jdbc:x");
  wanted.emplace_back("LONGEST", std::string(65535 - 8, 'x'));
  wanted.emplace_back("AFTER_IT", "1");
  write_file(folder.path + "/all.env", wanted, Syntax::kDocker);
  std::string body;
  {
    FakeDockerDaemon daemon(folder.path + "/docker.sock");
    output_of("DOCKER_HOST=unix://" + folder.path + "/docker.sock docker create --env-file " + folder.path +
              "/all.env image 2>&1");
    body = std::move(daemon.created);
  }
  auto container = json::parse_object(body, {std::size_t(1) << 24, 16, 1 << 16});
  ASSERT_TRUE(container) << container.error().message;
  std::string joined;
  for (const auto& pair : (*container)["Env"]) joined += pair.get<std::string>() + '\0';
  Map got = pairs_of(joined);
  expect_all(got, wanted, "docker");
  EXPECT_EQ(got.size(), wanted.size());
}

}  // namespace
}  // namespace causeway::environment

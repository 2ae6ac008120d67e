// The program as people run it, in a shell.
#pragma once

#include <sys/wait.h>

#include <array>

#include "tests/tools/daemon.h"

namespace causeway {

struct Ran {
  int code = -1;
  std::string out;  // standard output, and then standard error
};

inline Ran shell(const std::string& command) {
  Ran ran;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  while (std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) ran.out.append(buffer.data(), size);
  int status = pclose(pipe);
  if (WIFEXITED(status)) ran.code = WEXITSTATUS(status);
  return ran;
}

inline std::string program() {
  const char* path = std::getenv("CAUSEWAY_TUNCTL");
  EXPECT_TRUE(path) << "set by meson test: where tunctl was built";
  return path ? path : "tunctl";
}

inline Ran tunctl(const std::string& words) { return shell(program() + ' ' + words + " 2>&1"); }
inline Ran tunctl(const Daemon& daemon, const std::string& words) {
  return shell("CAUSEWAY_SOCKET=" + daemon.socket + ' ' + program() + ' ' + words + " 2>&1");
}

inline bool has(const Ran& ran, std::string_view text) { return ran.out.find(text) != std::string::npos; }

}  // namespace causeway

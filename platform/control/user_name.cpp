#include "platform/control/user_name.h"

#include <pwd.h>

#include <array>
#include <cstdio>
#include <memory>

namespace causeway::platform {

std::string user_name(uid_t user, const std::string& passwd) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(passwd.c_str(), "re"), std::fclose);
  std::array<char, 4096> line;
  struct passwd entry {};
  struct passwd* found = nullptr;
  while (file && fgetpwent_r(file.get(), &entry, line.data(), line.size(), &found) == 0) {
    if (found->pw_uid == user) return found->pw_name;
  }
  return "user " + std::to_string(user);
}

}  // namespace causeway::platform
